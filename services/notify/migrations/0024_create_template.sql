-- Wordings in the place of those shipped: numbered by topic and language, never changed, and one of them active at most.
-- Whoever wrote one does not put it into force.
CREATE TABLE template (
    topic        text        NOT NULL CHECK (length(topic) BETWEEN 1 AND 64),
    language     text        NOT NULL CHECK (language IN ('zh', 'en')),
    version      integer     NOT NULL CHECK (version BETWEEN 1 AND 1000000),
    subject      text        NOT NULL CHECK (length(subject) BETWEEN 1 AND 1000),
    text         text        NOT NULL CHECK (length(text) BETWEEN 1 AND 1000),
    written_by   text        NOT NULL CHECK (length(written_by) BETWEEN 1 AND 200), -- a person, whatever the account
    written_at   timestamptz NOT NULL CHECK (written_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    is_active    boolean     NOT NULL DEFAULT false,
    activated_by text        CHECK (length(activated_by) BETWEEN 1 AND 200),
    activated_at timestamptz CHECK (activated_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    PRIMARY KEY (topic, language, version),
    CHECK (NOT is_active OR activated_by IS NOT NULL),
    CHECK ((activated_by IS NULL) = (activated_at IS NULL)),
    CHECK (activated_by IS NULL OR activated_by <> written_by)
);
CREATE UNIQUE INDEX template_active ON template (topic, language) WHERE is_active;

CREATE FUNCTION refuse_rewording() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a wording is never changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER template_unchanged BEFORE UPDATE OF topic, language, version, subject, text, written_by, written_at
    ON template FOR EACH ROW EXECUTE FUNCTION refuse_rewording();

ALTER TABLE template ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON template USING ((SELECT reaches_everything()));
