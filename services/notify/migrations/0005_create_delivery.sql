CREATE TABLE message (
    id              uuid        PRIMARY KEY,
    subscription_id uuid        NOT NULL REFERENCES subscription,
    digest_id       uuid        NOT NULL UNIQUE REFERENCES digest,
    read_at         timestamptz CHECK (read_at BETWEEN '1990-01-01Z' AND '2200-01-01Z')
);
CREATE INDEX message_subscription ON message (subscription_id, id);
CREATE INDEX message_unread ON message (subscription_id, id) WHERE read_at IS NULL;

-- The truth about a digest on its way over one channel. `next_attempt_at` of a claimed row is the end of its lease.
CREATE TABLE delivery (
    id              uuid        PRIMARY KEY,
    digest_id       uuid        NOT NULL REFERENCES digest,
    channel         text        NOT NULL CHECK (channel IN ('inbox', 'email')),
    recipient_name  text        NOT NULL,
    address         text,
    message_id      text        NOT NULL UNIQUE,
    status          text        NOT NULL CHECK (status IN ('due', 'claimed', 'sent', 'failed')),
    attempts        integer     NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 100000),
    next_attempt_at timestamptz NOT NULL CHECK (next_attempt_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    valid_until     timestamptz NOT NULL CHECK (valid_until BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    reason          text        CHECK (length(reason) <= 200),
    created_at      timestamptz NOT NULL CHECK (created_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    settled_at      timestamptz CHECK (settled_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    UNIQUE (digest_id, channel),
    CHECK ((status IN ('sent', 'failed')) = (settled_at IS NOT NULL)),
    CHECK (channel <> 'email' OR address IS NOT NULL)
);
CREATE INDEX delivery_open ON delivery (next_attempt_at) WHERE status IN ('due', 'claimed');
CREATE INDEX delivery_status ON delivery (status, id);
