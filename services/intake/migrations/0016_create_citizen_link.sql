-- One-time links by which citizens rate their closed issues: docs/decisions/0016-rating-links.md. A token is stored as
-- its digest only, which nobody can turn back into a link.
CREATE TABLE citizen_link (
    id          uuid    PRIMARY KEY,
    digest      bytea   NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    purpose     text    NOT NULL CHECK (purpose IN ('rating')),
    issue_id    uuid    NOT NULL REFERENCES issue (id),
    issued_at   instant NOT NULL,
    expires_at  instant NOT NULL,
    used_at     instant,
    rating_id   uuid    UNIQUE REFERENCES rating (id) DEFERRABLE INITIALLY DEFERRED, -- used first, rated right after
    replaced_at instant,
    CHECK (expires_at > issued_at),
    CHECK ((used_at IS NULL) = (rating_id IS NULL)),
    CHECK (num_nonnulls(used_at, replaced_at) <= 1)
);
CREATE UNIQUE INDEX citizen_link_live ON citizen_link (issue_id) WHERE used_at IS NULL AND replaced_at IS NULL;
CREATE INDEX citizen_link_issue ON citizen_link (issue_id);
CREATE INDEX rating_by_link ON rating (issue_id) WHERE method = 'link';
CREATE INDEX citizen_link_expiry ON citizen_link (expires_at);

-- Whoever reaches the issue may issue a link for it and kill the one before; the policies of issue say who does, and
-- leave out whom it complains about. Citizens have no account: their door acts as the system, by the digest alone.
ALTER TABLE citizen_link ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON citizen_link FOR SELECT USING (
    (SELECT acting_reach()) = 'system' OR EXISTS (SELECT 1 FROM issue WHERE issue.id = citizen_link.issue_id));
CREATE POLICY issued ON citizen_link FOR INSERT WITH CHECK (
    (SELECT acting_reach()) = 'system' OR EXISTS (SELECT 1 FROM issue WHERE issue.id = citizen_link.issue_id));
CREATE POLICY replaced ON citizen_link FOR UPDATE USING (
    (SELECT acting_reach()) = 'system' OR EXISTS (SELECT 1 FROM issue WHERE issue.id = citizen_link.issue_id));
CREATE POLICY removed ON citizen_link FOR DELETE USING ((SELECT acting_reach()) = 'system');

-- An issue that has gone to another unit may have been rated where the asker does not reach.
CREATE FUNCTION is_rated_by_link(rated uuid) RETURNS boolean LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer boolean;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := EXISTS (SELECT 1 FROM rating WHERE issue_id = rated AND method = 'link')
           OR EXISTS (SELECT 1 FROM citizen_link WHERE issue_id = rated AND used_at IS NOT NULL);
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;
