CREATE TABLE inbox (
    consumer    text        NOT NULL,
    event_id    uuid        NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE TABLE processing_failure (
    consumer      text        NOT NULL,
    message_id    text        NOT NULL,
    attempts      integer     NOT NULL CHECK (attempts BETWEEN 1 AND 1000),
    reason        text        NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    PRIMARY KEY (consumer, message_id)
);
