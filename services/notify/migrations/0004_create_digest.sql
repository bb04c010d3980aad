-- A digest exactly as it was rendered: what the inbox shows and what the mail says.
CREATE TABLE digest (
    id              uuid        PRIMARY KEY,
    subscription_id uuid        NOT NULL REFERENCES subscription,
    composed_at     timestamptz NOT NULL CHECK (composed_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    seen_through    bigint      NOT NULL CHECK (seen_through BETWEEN 1 AND 1000000000000000),
    score_count     integer     NOT NULL CHECK (score_count BETWEEN 1 AND 1000000000),
    language        text        NOT NULL CHECK (language IN ('zh', 'en')),
    subject         text        NOT NULL CHECK (length(subject) BETWEEN 1 AND 500),
    text_body       text        NOT NULL,
    html_body       text        NOT NULL,
    correlation_id  text        NOT NULL
);
CREATE INDEX digest_subscription ON digest (subscription_id, id);

-- What a subscription was last told of each score, and what it knew before that.
-- The reference is checked at the commit, because a digest is known to be worth making only once its scores are told.
CREATE TABLE told_score (
    subscription_id uuid         NOT NULL REFERENCES subscription,
    score_id        uuid         NOT NULL REFERENCES score_news,
    digest_id       uuid         NOT NULL REFERENCES digest DEFERRABLE INITIALLY DEFERRED,
    sequence        integer      NOT NULL CHECK (sequence BETWEEN 1 AND 1000000000),
    composite       numeric(8,4) CHECK (composite BETWEEN 0 AND 1000),
    before          numeric(8,4) CHECK (before BETWEEN 0 AND 1000),
    is_new          boolean      NOT NULL,
    PRIMARY KEY (subscription_id, score_id)
);
CREATE INDEX told_score_digest ON told_score (digest_id);
