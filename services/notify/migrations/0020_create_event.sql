-- One row. Its lock is held until the commit, so that positions become visible in the order in which they were given
-- out and without a gap: a reader that has seen position n can never miss a smaller one that commits later.
CREATE TABLE event_position (
    singleton     boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    last_position bigint  NOT NULL CHECK (last_position BETWEEN 0 AND 1000000000000000)
);
INSERT INTO event_position (last_position) VALUES (0);

-- Every event that was heard, as it was sent. `organisation_ids`: whom it concerns, as far as was known when it came in;
-- `concerns_all`: a rule of everywhere. Rows are added, and removed when their time is over; they are never changed.
CREATE TABLE event (
    position         bigint      PRIMARY KEY CHECK (position BETWEEN 1 AND 1000000000000000),
    event_id         uuid        NOT NULL UNIQUE,
    source           text        NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
    type             text        NOT NULL CHECK (length(type) BETWEEN 1 AND 200),
    aggregate        text        NOT NULL CHECK (length(aggregate) BETWEEN 1 AND 64),
    aggregate_id     uuid        NOT NULL,
    sequence         integer     NOT NULL CHECK (sequence BETWEEN 1 AND 1000000000),
    organisation_ids uuid[]      NOT NULL CHECK (array_position(organisation_ids, NULL) IS NULL),
    concerns_all     boolean     NOT NULL DEFAULT false,
    occurred_at      timestamptz CHECK (occurred_at > '-infinity' AND occurred_at < 'infinity'),
    recorded_at      timestamptz NOT NULL CHECK (recorded_at > '-infinity' AND recorded_at < 'infinity'),
    heard_at         timestamptz NOT NULL CHECK (heard_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    correlation_id   text        NOT NULL CHECK (length(correlation_id) <= 200),
    envelope         json        NOT NULL
);
CREATE INDEX event_heard ON event (heard_at);
CREATE INDEX event_aggregate ON event (aggregate, aggregate_id, sequence);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an event is never changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER event_unchanged BEFORE UPDATE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE event_position ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON event_position USING ((SELECT acting_reach()) = 'system');
ALTER TABLE event ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON event USING ((SELECT acting_reach()) = 'system');
-- Single ratings, who was asked for one, live scores and grades are nobody's to follow: docs/confidentiality.md.
CREATE POLICY seen ON event FOR SELECT USING (
    (SELECT acting_reach()) IN ('everywhere', 'scoped')
    AND aggregate NOT IN ('rating', 'rating_invitation', 'score', 'appraisal_result')
    AND ((SELECT reaches_everything())
         OR concerns_all
         OR EXISTS (SELECT 1
                      FROM organisation
                     WHERE organisation.id = ANY (event.organisation_ids)
                       AND organisation.path && (SELECT acting_organisation_ids()))));
