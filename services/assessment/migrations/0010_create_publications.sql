-- Months that are closed. What was told of them is never told otherwise.
CREATE TABLE closing (
    month          day         PRIMARY KEY CHECK (extract(day FROM month) = 1),
    raters_needed  integer     NOT NULL CHECK (raters_needed BETWEEN 5 AND 1000),
    scheme_name    code        NOT NULL,
    scheme_version integer     NOT NULL,
    closed_at      instant     NOT NULL,
    FOREIGN KEY (scheme_name, scheme_version) REFERENCES scheme (name, version)
);

-- Since when closing looks after this database: a first load of old months is given the same time as a new month.
CREATE TABLE closing_start (
    is_only    boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    started_at instant NOT NULL
);

-- The least that is ever told of ratings: answers of at least `raters_needed` people. Whatever is shown is a sum of these.
-- A block is of a cadre, or of an organisation's issues that no cadre answers for; a pool is what a year left over.
CREATE TABLE release (
    release_id  uuid    PRIMARY KEY,
    question    text    NOT NULL CHECK (question IN ('level', 'solved')),
    holder_kind text    NOT NULL CHECK (holder_kind IN ('cadre', 'organisation', 'pool')),
    holder_id   uuid    NOT NULL,
    home_id     uuid,   -- the lowest organisation that has all of it; NULL where there is none
    first_month day     NOT NULL,
    last_month  day     NOT NULL CHECK (last_month >= first_month),
    answers     integer NOT NULL CHECK (answers BETWEEN raters AND 1000000000),
    positive    integer NOT NULL CHECK (positive BETWEEN 0 AND answers),
    raters      integer NOT NULL CHECK (raters BETWEEN 5 AND 1000000000),
    UNIQUE (question, holder_kind, holder_id, first_month)
);
CREATE INDEX release_last_month ON release (last_month);

-- An answer is told once and in one release, for ever: the key is what no sum of releases can be outwitted by.
CREATE TABLE released_answer (
    rating_id  uuid NOT NULL,
    question   text NOT NULL CHECK (question IN ('level', 'solved')),
    release_id uuid NOT NULL REFERENCES release (release_id),
    PRIMARY KEY (rating_id, question)
);

-- What cadres, units and machines are shown of a closed period, word for word, written once.
CREATE TABLE publication (
    subject_kind    text  NOT NULL CHECK (subject_kind IN ('cadre', 'organisation')),
    subject_id      uuid  NOT NULL,
    subject_code    code  NOT NULL,
    organisation_id uuid,
    period_kind     text  NOT NULL CHECK (period_kind IN ('month', 'quarter', 'half_year', 'year')),
    period_start    day   NOT NULL,
    scheme_name     code  NOT NULL,
    scheme_version  integer NOT NULL,
    document        text  NOT NULL CHECK (length(document) BETWEEN 2 AND 1000000),
    content_hash    bytea NOT NULL CHECK (length(content_hash) = 32),
    PRIMARY KEY (subject_kind, subject_id, period_kind, period_start),
    FOREIGN KEY (scheme_name, scheme_version) REFERENCES scheme (name, version)
);
CREATE INDEX publication_by_code ON publication (subject_kind, period_kind, period_start, subject_code COLLATE "C");
CREATE INDEX publication_by_organisation ON publication (organisation_id, period_kind, period_start);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['closing', 'closing_start', 'release', 'released_answer', 'publication']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        -- Written once: nobody has a policy to change or to remove a row.
        EXECUTE format('CREATE POLICY processes_read ON %I FOR SELECT USING ((SELECT acting_reach()) = ''system'')', name);
        EXECUTE format(
            'CREATE POLICY processes_write ON %I FOR INSERT WITH CHECK ((SELECT acting_reach()) = ''system'')', name);
    END LOOP;
END
$$;

CREATE POLICY readers ON closing FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY readers ON publication FOR SELECT
 USING ((SELECT acting_reach()) = 'everywhere'
        OR ((SELECT acting_reach()) = 'scoped'
            AND (organisation_id IN (SELECT acting_subtree())
                 OR (subject_kind = 'cadre' AND subject_id IN (SELECT acting_cadres(acting_staff_number()))))));
