-- Whether a rating counts is for a person to say: one case a question, opened by a threshold or by an officer, decided by
-- somebody who has no part in what was rated.
CREATE TABLE rating_case (
    id              uuid    PRIMARY KEY,
    rating_id       uuid    NOT NULL REFERENCES rating (id) ON DELETE CASCADE,
    kind            text    NOT NULL CHECK (kind IN ('quarantine', 'removal', 'restoration')),
    former_state    text    NOT NULL CHECK (former_state IN ('counted', 'removed')), -- what it comes back to
    signals         text[]  NOT NULL,
    rules           code,           -- name and version of the thresholds
    reason_code     code,
    reason          sealed,         -- an officer's own words
    opened_by       uuid,           -- NULL: a threshold
    opener_person   text    CHECK (length(opener_person) BETWEEN 1 AND 255),
    opened_at       instant NOT NULL,
    state           text    NOT NULL CHECK (state IN ('open', 'decided')),
    decision        text    CHECK (decision IN ('count', 'remove')),
    decision_code   code,
    decision_reason sealed,
    decided_by      uuid,
    decider_person  text    CHECK (length(decider_person) BETWEEN 1 AND 255),
    decided_at      instant,
    CHECK ((kind = 'quarantine') = (rules IS NOT NULL)),
    CHECK ((kind = 'quarantine') = (cardinality(signals) > 0)),
    CHECK (num_nonnulls(opened_by, opener_person, reason_code, reason) = CASE kind WHEN 'quarantine' THEN 0 ELSE 4 END),
    CHECK (num_nonnulls(decision, decision_code, decision_reason, decided_by, decider_person, decided_at)
           = CASE state WHEN 'decided' THEN 6 ELSE 0 END),
    CHECK (decider_person <> opener_person)
);
CREATE UNIQUE INDEX rating_case_open ON rating_case (rating_id) WHERE state = 'open';
CREATE INDEX rating_case_queue ON rating_case (state, opened_at, id);
CREATE INDEX rating_case_rating ON rating_case (rating_id);

-- Seen and decided by whom the policies of rating let see the rating, and nobody who stands in the line of what was rated.
ALTER TABLE rating_case ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON rating_case USING ((SELECT acting_reach()) = 'system');
CREATE POLICY seen ON rating_case FOR SELECT USING (EXISTS (
    SELECT 1 FROM rating WHERE rating.id = rating_id AND NOT is_own_work(rating.issue_id, rating.contact_id)));
CREATE POLICY opened ON rating_case FOR INSERT WITH CHECK (EXISTS (
    SELECT 1 FROM rating WHERE rating.id = rating_id AND NOT is_own_work(rating.issue_id, rating.contact_id)));
CREATE POLICY decided ON rating_case FOR UPDATE USING (EXISTS (
    SELECT 1 FROM rating WHERE rating.id = rating_id AND NOT is_own_work(rating.issue_id, rating.contact_id)));

-- The telephones of the staff, as keyed digests like those by which citizens are found again.
CREATE TABLE staff_phone (
    digest   bytea NOT NULL CHECK (length(digest) = 38),
    cadre_id uuid  NOT NULL REFERENCES cadre (id),
    PRIMARY KEY (digest, cadre_id)
);
CREATE INDEX staff_phone_cadre ON staff_phone (cadre_id);
ALTER TABLE staff_phone ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON staff_phone USING ((SELECT reaches_everything()));
