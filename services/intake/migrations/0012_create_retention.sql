-- What the retention jobs remember: the same tables in every service.

-- Who agrees to a period that is not the shipped one. It is acted on once two persons do.
CREATE TABLE retention_approval (
    kind       text        NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    keep       text        NOT NULL CHECK (length(keep) BETWEEN 1 AND 64),
    person_id  text        NOT NULL CHECK (length(person_id) BETWEEN 1 AND 200),
    account_id uuid,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, keep, person_id)
);
-- A class of data is gone through once a day.
CREATE TABLE retention_run (
    kind    text        NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    ran_on  date        NOT NULL,
    removed bigint      NOT NULL CHECK (removed >= 0),
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, ran_on)
);
-- What is kept whatever the schedule says, until somebody lets it go.
CREATE TABLE legal_hold (
    object_type text        NOT NULL CHECK (length(object_type) BETWEEN 1 AND 64),
    object_id   text        NOT NULL CHECK (length(object_id) BETWEEN 1 AND 200),
    reason      text        NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    set_by      text        NOT NULL CHECK (length(set_by) BETWEEN 1 AND 200),
    set_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (object_type, object_id)
);
ALTER TABLE retention_approval ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON retention_approval
    USING (coalesce(current_setting('lianxin.reach', true) IN ('system', 'everywhere'), false));
ALTER TABLE retention_run ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON retention_run
    USING (coalesce(current_setting('lianxin.reach', true) IN ('system', 'everywhere'), false));
ALTER TABLE legal_hold ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON legal_hold
    USING (coalesce(current_setting('lianxin.reach', true) IN ('system', 'everywhere'), false));

CREATE FUNCTION is_held(wanted_type text, wanted_id text) RETURNS boolean LANGUAGE sql STABLE
    RETURN EXISTS (SELECT 1 FROM legal_hold WHERE object_type = wanted_type AND object_id = wanted_id);

-- Keys come in the order of their time: the smallest index finds the old ones.
CREATE INDEX idempotency_key_created ON idempotency_key USING brin (created_at);
-- A rating may outlive the link to what it was about.
ALTER TABLE rating DROP CONSTRAINT rating_check, ADD CONSTRAINT rating_subject CHECK (num_nonnulls(issue_id, contact_id) <= 1);
CREATE INDEX rating_linked ON rating (rated_at) WHERE num_nonnulls(issue_id, contact_id) = 1;
