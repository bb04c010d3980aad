-- Issues that other systems may be told of. A complaint or a report is none, from its first event on; nor is an issue
-- of which that first event was not heard, since nobody knows what it is.
CREATE TABLE shareable_issue (
    id uuid PRIMARY KEY
);
CREATE FUNCTION note_shareable_issue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shareable_issue (id) VALUES (NEW.aggregate_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER event_shareable_issue AFTER INSERT ON event FOR EACH ROW
    WHEN (NEW.type = 'cn.lianxin.issue.received.v1'
          AND coalesce(NEW.envelope -> 'data' ->> 'issue_type', 'report') NOT IN ('complaint', 'report'))
    EXECUTE FUNCTION note_shareable_issue();
INSERT INTO shareable_issue (id)
SELECT aggregate_id
  FROM event
 WHERE type = 'cn.lianxin.issue.received.v1'
   AND coalesce(envelope -> 'data' ->> 'issue_type', 'report') NOT IN ('complaint', 'report')
    ON CONFLICT DO NOTHING;

-- The truth about one event on its way to one endpoint. `next_attempt_at` of a claimed row is the end of its lease;
-- `attempts` counts all that were made, `tries` the steps of the schedule that are used up.
CREATE TABLE webhook_delivery (
    id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id      uuid        NOT NULL REFERENCES webhook_endpoint,
    kind             text        NOT NULL CHECK (kind IN ('event', 'replay', 'test')),
    position         bigint      CHECK (position BETWEEN 1 AND 1000000000000000),
    event_id         uuid        NOT NULL,
    event_type       text        NOT NULL CHECK (length(event_type) BETWEEN 1 AND 200),
    subject          text        NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    status           text        NOT NULL DEFAULT 'due'
                                 CHECK (status IN ('due', 'claimed', 'delivered', 'failed', 'withdrawn')),
    attempts         integer     NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 1000000),
    tries            integer     NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 1000),
    created_at       timestamptz NOT NULL,
    next_attempt_at  timestamptz NOT NULL,
    first_attempt_at timestamptz,
    last_attempt_at  timestamptz,
    settled_at       timestamptz,
    http_status      integer     CHECK (http_status BETWEEN 0 AND 999),
    reason           text        CHECK (length(reason) <= 200),
    CHECK ((kind = 'test') = (position IS NULL)),
    CHECK ((status IN ('delivered', 'failed', 'withdrawn')) = (settled_at IS NOT NULL))
);
-- In the order in which they are made; within a subject in order.
CREATE INDEX webhook_delivery_open ON webhook_delivery (endpoint_id, id) WHERE status IN ('due', 'claimed');
CREATE INDEX webhook_delivery_subject ON webhook_delivery (endpoint_id, subject, id)
    WHERE status IN ('due', 'claimed');
CREATE INDEX webhook_delivery_listed ON webhook_delivery (endpoint_id, id);
CREATE INDEX webhook_delivery_settled ON webhook_delivery (settled_at) WHERE settled_at IS NOT NULL;

-- What became of each attempt. One whose process died with it is told by the one after it.
CREATE TABLE webhook_attempt (
    delivery_id  bigint      NOT NULL REFERENCES webhook_delivery ON DELETE CASCADE,
    number       integer     NOT NULL CHECK (number BETWEEN 1 AND 1000000),
    started_at   timestamptz NOT NULL,
    milliseconds integer     CHECK (milliseconds BETWEEN 0 AND 86400000),
    outcome      text        NOT NULL CHECK (outcome IN ('delivered', 'failed', 'throttled', 'gone', 'unknown')),
    http_status  integer     CHECK (http_status BETWEEN 0 AND 999),
    reason       text        CHECK (length(reason) <= 200),
    PRIMARY KEY (delivery_id, number)
);

ALTER TABLE shareable_issue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON shareable_issue FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY kept ON shareable_issue USING ((SELECT acting_reach()) = 'system');
ALTER TABLE webhook_delivery ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY with_endpoint ON webhook_delivery USING (
    (SELECT acting_reach()) = 'system'
    OR EXISTS (SELECT 1 FROM webhook_endpoint WHERE webhook_endpoint.id = webhook_delivery.endpoint_id));
ALTER TABLE webhook_attempt ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY with_delivery ON webhook_attempt USING (
    (SELECT acting_reach()) = 'system'
    OR EXISTS (SELECT 1 FROM webhook_delivery WHERE webhook_delivery.id = webhook_attempt.delivery_id));
