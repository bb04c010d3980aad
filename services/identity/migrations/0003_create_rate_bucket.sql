-- How often something may be done: one instant a key. Not logged: after a crash all buckets are simply full.
CREATE UNLOGGED TABLE rate_bucket (
    key_digest bytea       PRIMARY KEY CHECK (octet_length(key_digest) = 32),
    full_at    timestamptz NOT NULL CHECK (full_at BETWEEN '2000-01-01Z' AND '2200-01-01Z')
);

-- A digest and an instant tell nothing of anybody, and whoever asks must be counted, also who has no reach at all.
ALTER TABLE rate_bucket ENABLE ROW LEVEL SECURITY;
ALTER TABLE rate_bucket FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON rate_bucket USING (true) WITH CHECK (true);
