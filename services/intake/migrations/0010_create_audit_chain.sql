-- The audit chain. The same file stands in every service: change none of them, add a new one to all.

-- What shared/audit/canonical.py writes, for documents whose keys are ASCII: a subset of RFC 8785.
CREATE FUNCTION canonical_json(value jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    CASE jsonb_typeof(value)
    WHEN 'object' THEN
        RETURN '{' || coalesce((
            SELECT string_agg(to_json(item.key)::text || ':'
                              || CASE WHEN jsonb_typeof(item.value) IN ('object', 'array')
                                      THEN canonical_json(item.value) ELSE item.value::text END,
                              ',' ORDER BY item.key COLLATE "C")
              FROM jsonb_each(value) AS item), '') || '}';
    WHEN 'array' THEN
        RETURN '[' || coalesce((
            SELECT string_agg(canonical_json(item.value), ',' ORDER BY item.place)
              FROM jsonb_array_elements(value) WITH ORDINALITY AS item (value, place)), '') || ']';
    ELSE
        RETURN value::text;
    END CASE;
END
$$;

CREATE TABLE audit_record (
    seq            bigint      PRIMARY KEY CHECK (seq BETWEEN 1 AND 1000000000000000),
    prev_hash      bytea       NOT NULL CHECK (length(prev_hash) = 32),
    hash           bytea       NOT NULL CHECK (length(hash) = 32),
    at             timestamptz NOT NULL CHECK (at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    account_id     uuid,
    actor          text        NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    role           text        NOT NULL CHECK (length(role) BETWEEN 1 AND 200),
    organisation   text        CHECK (length(organisation) BETWEEN 1 AND 2000),
    action         text        NOT NULL CHECK (length(action) BETWEEN 1 AND 200),
    object_type    text        CHECK (length(object_type) BETWEEN 1 AND 200),
    object_id      text        CHECK (length(object_id) <= 200),
    decision       text        NOT NULL CHECK (decision IN ('allowed', 'denied')),
    reason         text        CHECK (length(reason) BETWEEN 1 AND 2000),
    correlation_id text        NOT NULL CHECK (length(correlation_id) BETWEEN 1 AND 200),
    details        jsonb       NOT NULL CHECK (jsonb_typeof(details) = 'object')
);
CREATE INDEX audit_record_at ON audit_record (at, seq);
CREATE INDEX audit_record_account ON audit_record (account_id, seq);
CREATE INDEX audit_record_actor ON audit_record (actor, seq);
CREATE INDEX audit_record_action ON audit_record (action, seq);
CREATE INDEX audit_record_object ON audit_record (object_type, object_id, seq);

-- One row: where the chain ends. Its lock is what puts the records in one order. `moved_through` is the last record
-- that may leave this table, because a signed checkpoint over it lies in the exported files.
CREATE TABLE audit_head (
    singleton     boolean     PRIMARY KEY DEFAULT true CHECK (singleton),
    last_seq      bigint      NOT NULL,
    last_hash     bytea       NOT NULL CHECK (length(last_hash) = 32),
    last_at       timestamptz NOT NULL,
    moved_through bigint      NOT NULL CHECK (moved_through BETWEEN 0 AND last_seq)
);
INSERT INTO audit_head (last_seq, last_hash, last_at, moved_through)
VALUES (0, decode(repeat('00', 32), 'hex'), '1990-01-01Z', 0);

-- What was signed over the records from first_seq to last_seq. `document` is the canonical text, exactly as signed.
CREATE TABLE audit_checkpoint (
    number      bigint      PRIMARY KEY CHECK (number BETWEEN 1 AND 1000000000000),
    first_seq   bigint      NOT NULL UNIQUE,
    last_seq    bigint      NOT NULL UNIQUE CHECK (last_seq >= first_seq),
    document    text        NOT NULL CHECK (length(document) BETWEEN 1 AND 4000),
    key_id      integer     NOT NULL CHECK (key_id >= 1),
    signature   bytea       NOT NULL CHECK (length(signature) = 64),
    made_at     timestamptz NOT NULL,
    exported_at timestamptz
);
CREATE INDEX audit_checkpoint_unexported ON audit_checkpoint (number) WHERE exported_at IS NULL;

-- Appends any number of lines and returns the number of the last. The time is the server's, so that a caller can
-- neither backdate a line nor put lines out of order. Canonical bytes of a record: all its columns but the two hashes.
CREATE FUNCTION append_audit(lines jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head audit_head;
    line jsonb;
    previous bytea;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    FOR line IN SELECT item.value FROM jsonb_array_elements(lines) WITH ORDINALITY AS item (value, place)
                 ORDER BY item.place
    LOOP
        previous := head.last_hash;
        head.last_seq := head.last_seq + 1;
        head.last_at := greatest(clock_timestamp(), head.last_at);
        head.last_hash := sha256(previous || convert_to(canonical_json(jsonb_build_object(
            'seq', head.last_seq,
            'at', to_char(head.last_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'account_id', line ->> 'account_id',
            'actor', line ->> 'actor',
            'role', line ->> 'role',
            'organisation', line ->> 'organisation',
            'action', line ->> 'action',
            'object_type', line ->> 'object_type',
            'object_id', line ->> 'object_id',
            'decision', line ->> 'decision',
            'reason', line ->> 'reason',
            'correlation_id', line ->> 'correlation_id',
            'details', line -> 'details')), 'UTF8'));
        INSERT INTO audit_record (seq, prev_hash, hash, at, account_id, actor, role, organisation, action, object_type,
                                  object_id, decision, reason, correlation_id, details)
        VALUES (head.last_seq, previous, head.last_hash, head.last_at, (line ->> 'account_id')::uuid, line ->> 'actor',
                line ->> 'role', line ->> 'organisation', line ->> 'action', line ->> 'object_type',
                line ->> 'object_id', line ->> 'decision', line ->> 'reason', line ->> 'correlation_id',
                line -> 'details');
    END LOOP;
    UPDATE audit_head SET last_seq = head.last_seq, last_hash = head.last_hash, last_at = head.last_at;
    RETURN head.last_seq;
END
$$;

-- Removes up to `batch` records that are older than `before` and lie under an exported checkpoint; returns how many.
-- Half a year is the least that the law asks for, whatever the schedule says.
CREATE FUNCTION release_audit(before timestamptz, batch integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    through bigint;
    released bigint;
BEGIN
    IF before IS NULL OR before > clock_timestamp() - interval '183 days' THEN
        RAISE EXCEPTION 'audit records stay here for at least 183 days';
    END IF;
    PERFORM FROM audit_head FOR UPDATE;
    SELECT max(checkpoint.last_seq) INTO through
      FROM audit_checkpoint AS checkpoint
      JOIN audit_record AS last ON last.seq = checkpoint.last_seq
     WHERE checkpoint.exported_at IS NOT NULL AND last.at < before;
    UPDATE audit_head SET moved_through = through WHERE moved_through < through;
    DELETE FROM audit_record
     WHERE seq IN (SELECT seq FROM audit_record
                    WHERE seq <= (SELECT moved_through FROM audit_head) ORDER BY seq LIMIT batch);
    GET DIAGNOSTICS released = ROW_COUNT;
    RETURN released;
END
$$;

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'audit_record' AND TG_OP = 'DELETE' THEN
        IF OLD.seq <= (SELECT moved_through FROM audit_head) THEN
            RETURN OLD;
        END IF;
    ELSIF TG_TABLE_NAME = 'audit_head' AND TG_OP = 'UPDATE' THEN
        IF NEW.last_seq >= OLD.last_seq AND NEW.last_at >= OLD.last_at AND NEW.moved_through >= OLD.moved_through THEN
            RETURN NEW;
        END IF;
    ELSIF TG_TABLE_NAME = 'audit_checkpoint' AND TG_OP = 'UPDATE' THEN
        IF OLD.exported_at IS NULL
           AND to_jsonb(NEW) - 'exported_at' = to_jsonb(OLD) - 'exported_at' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit chain is added to, never changed' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_record_kept BEFORE UPDATE OR DELETE ON audit_record
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_record_not_emptied BEFORE TRUNCATE ON audit_record
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_head_kept BEFORE UPDATE OR DELETE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_head_not_emptied BEFORE TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_checkpoint_kept BEFORE UPDATE OR DELETE ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_checkpoint_not_emptied BEFORE TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- The second lock: without a reach nothing is seen; a scoped actor sees what was done in the own name.
ALTER TABLE audit_record ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_record FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_record_read ON audit_record FOR SELECT USING (
    current_setting('lianxin.reach', true) IN ('system', 'everywhere')
    OR account_id::text = nullif(current_setting('lianxin.account', true), ''));
CREATE POLICY audit_record_append ON audit_record FOR INSERT WITH CHECK (true);
CREATE POLICY audit_record_release ON audit_record FOR DELETE USING (true);
CREATE POLICY audit_record_no_update ON audit_record FOR UPDATE USING (true); -- so that it is refused aloud, by the trigger
ALTER TABLE audit_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_head FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_head_all ON audit_head USING (true);
ALTER TABLE audit_checkpoint ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_checkpoint FORCE ROW LEVEL SECURITY;
CREATE POLICY audit_checkpoint_all ON audit_checkpoint USING (true);

-- Default privileges have given the runtime role more than it may have here.
DO $$
DECLARE
    runtime text;
BEGIN
    REVOKE ALL ON FUNCTION append_audit(jsonb), release_audit(timestamptz, integer) FROM PUBLIC;
    FOR runtime IN
        SELECT DISTINCT pg_get_userbyid(entry.grantee)
          FROM pg_class AS class, aclexplode(class.relacl) AS entry
         WHERE class.oid = 'audit_record'::regclass AND entry.grantee NOT IN (0, class.relowner)
    LOOP
        EXECUTE format('REVOKE ALL ON audit_record, audit_head, audit_checkpoint FROM %I', runtime);
        EXECUTE format('GRANT SELECT ON audit_record TO %I', runtime);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE (exported_at) ON audit_checkpoint TO %I', runtime);
        EXECUTE format('GRANT EXECUTE ON FUNCTION append_audit(jsonb), release_audit(timestamptz, integer) TO %I',
                       runtime);
    END LOOP;
END
$$;
