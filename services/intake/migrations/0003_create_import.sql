CREATE TABLE import_run (
    id              uuid    PRIMARY KEY,
    profile         code    NOT NULL,
    file_name       title   NOT NULL,
    storage_name    code    UNIQUE, -- absent for a file that a command reads where it lies: no worker can go on with it
    sha256          bytea   NOT NULL CHECK (length(sha256) = 32),
    byte_count      bigint  NOT NULL CHECK (byte_count BETWEEN 0 AND 1000000000000),
    dry_run         boolean NOT NULL,
    requested_by    title   NOT NULL,
    idempotency_key text    CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    correlation_id  code    NOT NULL,
    state           text    NOT NULL CHECK (state IN ('due', 'running', 'done', 'failed')),
    lease_until     instant,
    attempts        integer NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 1000000),
    last_line       bigint  NOT NULL DEFAULT 0 CHECK (last_line BETWEEN 0 AND 1000000000000),
    rows_read       bigint  NOT NULL DEFAULT 0 CHECK (rows_read BETWEEN 0 AND 1000000000000),
    created_count   bigint  NOT NULL DEFAULT 0 CHECK (created_count BETWEEN 0 AND 1000000000000),
    changed_count   bigint  NOT NULL DEFAULT 0 CHECK (changed_count BETWEEN 0 AND 1000000000000),
    unchanged_count bigint  NOT NULL DEFAULT 0 CHECK (unchanged_count BETWEEN 0 AND 1000000000000),
    refused_count   bigint  NOT NULL DEFAULT 0 CHECK (refused_count BETWEEN 0 AND 1000000000000),
    flagged_count   bigint  NOT NULL DEFAULT 0 CHECK (flagged_count BETWEEN 0 AND 1000000000000),
    tallies         jsonb   NOT NULL DEFAULT '{}', -- how often each finding was made, those not kept included
    reason_code     code,
    reason          text    CHECK (length(reason) BETWEEN 1 AND 2000),
    created_at      instant NOT NULL,
    started_at      instant,
    finished_at     instant,
    UNIQUE (requested_by, idempotency_key),
    CHECK ((state = 'running') = (lease_until IS NOT NULL)),
    CHECK ((state = 'failed') = (reason IS NOT NULL)),
    CHECK ((state IN ('done', 'failed')) = (finished_at IS NOT NULL))
);
CREATE INDEX import_run_open ON import_run (created_at) WHERE state IN ('due', 'running');
CREATE INDEX import_run_stored ON import_run (finished_at) WHERE storage_name IS NOT NULL;

CREATE TABLE import_finding (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id      uuid   NOT NULL REFERENCES import_run (id) ON DELETE CASCADE,
    line        bigint NOT NULL CHECK (line BETWEEN 0 AND 1000000000000),
    severity    text   NOT NULL CHECK (severity IN ('error', 'flag')),
    code        code   NOT NULL,
    column_name text   NOT NULL CHECK (length(column_name) <= 1000),
    detail      text   NOT NULL CHECK (length(detail) <= 1000)
);
CREATE INDEX import_finding_run ON import_finding (run_id, id);
