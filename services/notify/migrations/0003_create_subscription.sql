CREATE TABLE subscription (
    id              uuid        PRIMARY KEY,
    name            text        NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    recipient_name  text        NOT NULL CHECK (length(recipient_name) BETWEEN 1 AND 200),
    email           text        CHECK (length(email) BETWEEN 3 AND 254 AND email !~ '[[:space:][:cntrl:],;<>]'),
    organisation_id uuid,
    language        text        NOT NULL CHECK (language IN ('zh', 'en')),
    channels        text[]      NOT NULL CHECK (cardinality(channels) BETWEEN 1 AND 2
                                                AND channels <@ ARRAY['inbox', 'email']),
    seen_through    bigint      NOT NULL DEFAULT 0 CHECK (seen_through BETWEEN 0 AND 1000000000000000),
    digested_at     timestamptz CHECK (digested_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK (email IS NOT NULL OR NOT 'email' = ANY (channels))
);
