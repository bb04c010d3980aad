-- What went to which system, when, under what agreement: written before it goes, added to and never changed. The same
-- event is told to the same recipient under the same agreement once, however often it is sent again.
CREATE TABLE disclosure (
    agreement_id     uuid        NOT NULL REFERENCES agreement,
    via              text        NOT NULL CHECK (via IN ('webhook', 'feed')),
    recipient        text        NOT NULL CHECK (length(recipient) BETWEEN 1 AND 200),
    event_id         uuid        NOT NULL,
    number           bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    at               timestamptz NOT NULL,
    event_type       text        NOT NULL CHECK (length(event_type) BETWEEN 1 AND 200),
    subject          text        NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    organisation_ids uuid[]      NOT NULL,
    content          text        NOT NULL CHECK (content IN ('ids', 'facts')),
    PRIMARY KEY (agreement_id, via, recipient, event_id)
);
CREATE INDEX disclosure_at ON disclosure (at);
CREATE INDEX disclosure_event ON disclosure (event_id);
CREATE INDEX disclosure_subject ON disclosure (subject, number);

-- Three years is the least that the law asks for, whatever the schedule says.
CREATE FUNCTION refuse_disclosure_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at < clock_timestamp() - interval '3 years' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'what was disclosed is added to, never changed' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER disclosure_kept BEFORE UPDATE OR DELETE ON disclosure
    FOR EACH ROW EXECUTE FUNCTION refuse_disclosure_change();
CREATE TRIGGER disclosure_not_emptied BEFORE TRUNCATE ON disclosure
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_disclosure_change();

ALTER TABLE disclosure ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY with_agreement ON disclosure USING (
    (SELECT acting_reach()) = 'system'
    OR EXISTS (SELECT 1 FROM agreement WHERE agreement.id = disclosure.agreement_id));
