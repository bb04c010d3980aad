CREATE TABLE outbox (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id       uuid        NOT NULL UNIQUE,
    event_type     text        NOT NULL,
    routing_key    text        NOT NULL,
    aggregate      text        NOT NULL,
    aggregate_id   uuid        NOT NULL,
    sequence       integer     NOT NULL CHECK (sequence BETWEEN 1 AND 1000000000),
    recorded_at    timestamptz NOT NULL,
    correlation_id text        NOT NULL,
    payload        jsonb       NOT NULL,
    sent_at        timestamptz
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;
CREATE UNIQUE INDEX outbox_aggregate_order ON outbox (aggregate_id, sequence);
