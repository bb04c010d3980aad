-- A delivery goes by any channel to an endpoint of it, says exactly what it said, and ends as sent, failed or expired.
ALTER TABLE delivery
    DROP CONSTRAINT delivery_channel_check,
    DROP CONSTRAINT delivery_status_check,
    DROP CONSTRAINT delivery_check,
    DROP CONSTRAINT delivery_digest_id_channel_key,
    DROP CONSTRAINT delivery_address,
    ADD COLUMN endpoint text CHECK (length(endpoint) BETWEEN 1 AND 100),
    ADD COLUMN subject text CHECK (length(subject) <= 500),
    ADD COLUMN text_body text,
    ADD COLUMN html_body text,
    ADD COLUMN reference text CHECK (length(reference) <= 200), -- what the gateway calls it
    ADD COLUMN attempts_before integer NOT NULL DEFAULT 0 CHECK (attempts_before BETWEEN 0 AND 100000), -- a replay
    ADD COLUMN receipt text CHECK (receipt IN ('delivered', 'undelivered')),
    ADD COLUMN receipt_at timestamptz CHECK (receipt_at BETWEEN '1990-01-01Z' AND '2200-01-01Z');
UPDATE delivery SET endpoint = channel;
ALTER TABLE delivery
    ALTER COLUMN endpoint SET DEFAULT 'email', -- by a release that knows of nothing else
    ALTER COLUMN endpoint SET NOT NULL,
    ADD CHECK (channel ~ '^[a-z][a-z0-9_]{0,31}$'),
    ADD CHECK (status IN ('due', 'claimed', 'sent', 'failed', 'expired')),
    ADD CHECK ((status IN ('sent', 'failed', 'expired')) = (settled_at IS NOT NULL)),
    ADD CHECK ((receipt IS NULL) = (receipt_at IS NULL)),
    ADD CONSTRAINT delivery_address CHECK (channel = 'inbox' OR address IS NOT NULL OR settled_at IS NOT NULL),
    ADD UNIQUE (digest_id, channel, endpoint);
DROP INDEX delivery_open;
CREATE INDEX delivery_open ON delivery (endpoint, next_attempt_at) WHERE status IN ('due', 'claimed');
CREATE INDEX delivery_reference ON delivery (channel, reference) WHERE reference IS NOT NULL;
CREATE INDEX delivery_valid ON delivery (valid_until) WHERE status IN ('due', 'claimed');

ALTER TABLE subscription
    DROP CONSTRAINT subscription_channels_check,
    ADD CHECK (cardinality(channels) BETWEEN 1 AND 8);

-- Every attempt, entered before the call is made. `lost`: nobody ever heard what became of it.
CREATE TABLE delivery_attempt (
    delivery_id uuid        NOT NULL REFERENCES delivery ON DELETE CASCADE,
    number      integer     NOT NULL CHECK (number BETWEEN 1 AND 100000),
    begun_at    timestamptz NOT NULL CHECK (begun_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    ended_at    timestamptz CHECK (ended_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    outcome     text        CHECK (outcome IN ('sent', 'retry', 'failed', 'lost')),
    reason      text        CHECK (length(reason) <= 200),
    PRIMARY KEY (delivery_id, number),
    CHECK ((outcome IS NULL) = (ended_at IS NULL))
);

-- What gateways told of deliveries afterwards, in whatever order and however often.
CREATE TABLE delivery_receipt (
    delivery_id uuid        NOT NULL REFERENCES delivery ON DELETE CASCADE,
    state       text        NOT NULL CHECK (state IN ('delivered', 'undelivered')),
    reported_at timestamptz NOT NULL CHECK (reported_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    heard_at    timestamptz NOT NULL CHECK (heard_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    PRIMARY KEY (delivery_id, state, reported_at)
);

-- How an endpoint has answered lately, and how fast it may be called: one row, locked while a batch is claimed for it.
CREATE TABLE circuit (
    endpoint    text        PRIMARY KEY CHECK (length(endpoint) BETWEEN 1 AND 100),
    failures    integer     NOT NULL DEFAULT 0 CHECK (failures BETWEEN 0 AND 1000000000),
    openings    integer     NOT NULL DEFAULT 0 CHECK (openings BETWEEN 0 AND 1000000000),
    open_until  timestamptz CHECK (open_until BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    room        integer     CHECK (room BETWEEN 1 AND 100000),
    paced_until timestamptz CHECK (paced_until BETWEEN '1990-01-01Z' AND '2200-01-01Z')
);

ALTER TABLE delivery_attempt ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON delivery_attempt FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1 FROM delivery WHERE delivery.id = delivery_attempt.delivery_id));
CREATE POLICY kept ON delivery_attempt USING ((SELECT acting_reach()) = 'system');
ALTER TABLE delivery_receipt ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON delivery_receipt FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1 FROM delivery WHERE delivery.id = delivery_receipt.delivery_id));
CREATE POLICY kept ON delivery_receipt USING ((SELECT acting_reach()) = 'system');
ALTER TABLE circuit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON circuit FOR SELECT USING ((SELECT reaches_everything()));
CREATE POLICY kept ON circuit USING ((SELECT acting_reach()) = 'system');

-- Whoever sees a delivery may send it again: the route says who that is.
CREATE POLICY replayed ON delivery FOR UPDATE USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1 FROM digest WHERE digest.id = delivery.digest_id));
