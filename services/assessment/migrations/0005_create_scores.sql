-- A scheme is kept with the indicator definitions it was read with. A changed definition needs a new version.
CREATE TABLE scheme (
    name         code        NOT NULL,
    version      integer     NOT NULL CHECK (version BETWEEN 1 AND 1000000),
    definition   jsonb       NOT NULL,
    content_hash bytea       NOT NULL CHECK (length(content_hash) = 32),
    loaded_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version)
);

CREATE TABLE score (
    score_id            uuid          PRIMARY KEY,
    subject_kind        text          NOT NULL CHECK (subject_kind IN ('cadre', 'organisation')),
    subject_id          uuid          NOT NULL,
    subject_code        text          CHECK (length(subject_code) BETWEEN 1 AND 64),
    organisation_id     uuid,
    peer_group          code,
    period_kind         text          NOT NULL CHECK (period_kind IN ('month', 'quarter', 'year')),
    period_start        day           NOT NULL,
    scheme_name         code          NOT NULL,
    scheme_version      integer       NOT NULL,
    composite           numeric(6, 2) CHECK (composite BETWEEN 0 AND 100),
    present_weight      numeric(7, 4) NOT NULL CHECK (present_weight BETWEEN 0 AND 100),
    digest              bytea         NOT NULL CHECK (length(digest) = 32),
    as_of               instant       NOT NULL,
    computed_at         instant       NOT NULL,
    revision            bigint        NOT NULL CHECK (revision BETWEEN 1 AND 1000000000000),
    correlation_id      text          NOT NULL,
    announced_composite numeric(6, 2) CHECK (announced_composite BETWEEN 0 AND 100),
    announced_sequence  integer       NOT NULL DEFAULT 0 CHECK (announced_sequence BETWEEN 0 AND 1000000000),
    FOREIGN KEY (scheme_name, scheme_version) REFERENCES scheme (name, version),
    UNIQUE (subject_kind, subject_id, period_kind, period_start)
);
CREATE INDEX score_by_code ON score (subject_kind, period_kind, period_start, subject_code COLLATE "C");
CREATE INDEX score_ascending ON score
    (subject_kind, period_kind, period_start, (composite IS NULL), coalesce(composite, 0), subject_code COLLATE "C");
CREATE INDEX score_descending ON score
    (subject_kind, period_kind, period_start, (composite IS NULL), (-coalesce(composite, 0)), subject_code COLLATE "C");
CREATE INDEX score_unannounced ON score (computed_at, score_id)
    WHERE composite IS NOT NULL AND subject_code IS NOT NULL AND composite IS DISTINCT FROM announced_composite;

CREATE TABLE score_indicator (
    score_id    uuid           NOT NULL REFERENCES score (score_id),
    indicator   code           NOT NULL,
    numerator   tally_count    NOT NULL,
    denominator tally_count    NOT NULL,
    value       numeric(7, 4)  CHECK (value BETWEEN 0 AND 1000),
    points      numeric(6, 2)  CHECK (points BETWEEN 0 AND 100),
    weight      numeric(7, 4)  NOT NULL CHECK (weight BETWEEN 0 AND 100),
    PRIMARY KEY (score_id, indicator)
);
