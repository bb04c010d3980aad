-- One row. Its lock is held until the commit, so that change numbers become visible in the order in which they
-- were given out, and a reader that has seen change n can never miss a smaller one that commits later.
CREATE TABLE news_position (
    singleton   boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    last_change bigint  NOT NULL CHECK (last_change BETWEEN 0 AND 1000000000000000)
);
INSERT INTO news_position (last_change) VALUES (0);

-- What is newest of each score. An update moves the score to a new, higher change number.
CREATE TABLE score_news (
    score_id          uuid         PRIMARY KEY,
    change            bigint       NOT NULL UNIQUE,
    sequence          integer      NOT NULL CHECK (sequence BETWEEN 1 AND 1000000000),
    subject_kind      text         NOT NULL CHECK (subject_kind IN ('cadre', 'organisation')),
    subject_id        uuid         NOT NULL,
    subject_code      text         NOT NULL CHECK (length(subject_code) BETWEEN 1 AND 64),
    subject_name      text         NOT NULL CHECK (length(subject_name) BETWEEN 1 AND 200),
    organisation_path uuid[]       NOT NULL CHECK (cardinality(organisation_path) <= 32),
    period_kind       text         NOT NULL CHECK (period_kind IN ('month', 'quarter', 'year')),
    period_start      date         NOT NULL CHECK (period_start BETWEEN '1990-01-01' AND '2200-01-01'),
    composite         numeric(8,4) CHECK (composite BETWEEN 0 AND 1000),
    previous          numeric(8,4) CHECK (previous BETWEEN 0 AND 1000),
    scheme            text         NOT NULL CHECK (length(scheme) BETWEEN 1 AND 64),
    scheme_version    integer      NOT NULL CHECK (scheme_version BETWEEN 1 AND 1000000000),
    computed_at       timestamptz  NOT NULL CHECK (computed_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    correlation_id    text         NOT NULL
);
