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

-- Domains carry the bounds that every column of a kind shares. Both bounds always: 'infinity' passes a lower one.
CREATE DOMAIN instant AS timestamptz CHECK (VALUE >= '1900-01-01 00:00:00+00' AND VALUE <= '2200-01-01 00:00:00+00');
CREATE DOMAIN day AS date CHECK (VALUE >= '1900-01-01' AND VALUE <= '2200-01-01');
CREATE DOMAIN code AS text CHECK (length(VALUE) BETWEEN 1 AND 64);
CREATE DOMAIN title AS text CHECK (length(VALUE) BETWEEN 1 AND 200);
CREATE DOMAIN place_in_order AS integer CHECK (VALUE BETWEEN 1 AND 1000000000);
CREATE DOMAIN tally_count AS bigint CHECK (VALUE BETWEEN 0 AND 1000000000000);

-- The log of every event that was taken in: what the facts were made from, and what evidence points to.
CREATE TABLE event (
    event_id       uuid           PRIMARY KEY,
    event_type     text           NOT NULL,
    aggregate      text           NOT NULL,
    aggregate_id   uuid           NOT NULL,
    sequence       place_in_order NOT NULL,
    occurred_at    instant,
    recorded_at    instant        NOT NULL,
    correlation_id text           NOT NULL,
    payload        jsonb          NOT NULL
);
CREATE UNIQUE INDEX event_aggregate_order ON event (aggregate_id, sequence);
