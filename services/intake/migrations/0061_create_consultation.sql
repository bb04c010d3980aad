-- Public consultations on a decision: what is asked and answered is public, what anybody said is not.
CREATE TABLE consultation (
    id              uuid           PRIMARY KEY,
    organisation_id uuid           NOT NULL REFERENCES organisation (id),
    title           title          NOT NULL,
    question        free_text      NOT NULL, -- the organisation's own words, written to be published
    opens_at        instant        NOT NULL,
    closes_at       instant        NOT NULL,
    state           text           NOT NULL CHECK (state IN ('announced', 'answered', 'withdrawn')),
    reason_code     code,
    answer          free_text,
    answered_at     instant,
    opinion_count   integer        CHECK (opinion_count BETWEEN 0 AND 1000000),
    sequence        place_in_order NOT NULL,
    recorded_at     instant        NOT NULL,
    CHECK (closes_at > opens_at),
    CHECK ((state = 'withdrawn') = (reason_code IS NOT NULL)),
    CHECK (num_nonnulls(answer, answered_at, opinion_count) = CASE state WHEN 'answered' THEN 3 ELSE 0 END)
);
CREATE INDEX consultation_public ON consultation (opens_at DESC, id DESC) WHERE state <> 'withdrawn';

-- What the opinions were about, and what became of each: an answer says it of every theme.
CREATE TABLE consultation_theme (
    consultation_id uuid      NOT NULL REFERENCES consultation (id),
    number          smallint  NOT NULL CHECK (number BETWEEN 1 AND 200),
    title           title     NOT NULL,
    opinion_count   integer   NOT NULL CHECK (opinion_count BETWEEN 1 AND 1000000),
    decision        text      NOT NULL CHECK (decision IN ('adopted', 'partly_adopted', 'not_adopted')),
    explanation     free_text NOT NULL,
    PRIMARY KEY (consultation_id, number)
);

-- Nobody need say who they are. Who does is sealed, and forgotten some time after the answer; the text with it.
CREATE TABLE opinion (
    id              uuid    PRIMARY KEY,
    consultation_id uuid    NOT NULL REFERENCES consultation (id),
    stance          text    CHECK (stance IN ('for', 'against', 'neither')),
    channel         text    NOT NULL CHECK (channel IN ('web', 'staff')),
    text_sealed     sealed,
    name_sealed     sealed,
    phone_sealed    sealed,
    phone_handle    bytea   CHECK (length(phone_handle) = 38),
    person_handle   bytea   CHECK (length(person_handle) = 38),
    given_at        instant NOT NULL,
    forgotten_at    instant,
    CHECK (forgotten_at IS NULL
           OR num_nonnulls(text_sealed, name_sealed, phone_sealed, phone_handle, person_handle) = 0)
);
CREATE INDEX opinion_consultation ON opinion (consultation_id, given_at, id);
CREATE UNIQUE INDEX opinion_phone ON opinion (consultation_id, phone_handle) WHERE phone_handle IS NOT NULL;
CREATE INDEX opinion_person ON opinion (person_handle) WHERE person_handle IS NOT NULL;

ALTER TABLE consultation ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON consultation FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY announced ON consultation FOR INSERT
    WITH CHECK ((SELECT reaches_everything()) OR is_within_reach(organisation_id));
CREATE POLICY changed ON consultation FOR UPDATE
    USING ((SELECT reaches_everything()) OR is_within_reach(organisation_id));

ALTER TABLE consultation_theme ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON consultation_theme FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY answered ON consultation_theme FOR INSERT WITH CHECK (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM consultation
                WHERE consultation.id = consultation_theme.consultation_id
                  AND is_within_reach(consultation.organisation_id)));

ALTER TABLE opinion ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON opinion USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM consultation
                WHERE consultation.id = opinion.consultation_id
                  AND is_within_reach(consultation.organisation_id)));
