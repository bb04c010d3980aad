-- Who may touch which row, decided a second time below every statement: docs/decisions/0010-policy-and-row-security.md.
-- The transaction's settings say who is acting. One that was never set reads as NULL, one that was reset as ''.
CREATE FUNCTION acting_reach() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('lianxin.reach', true), '');
CREATE FUNCTION acting_organisations() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(nullif(current_setting('lianxin.organisations', true), '')::text[], '{}');
CREATE FUNCTION acting_staff_number() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('lianxin.staff_number', true), '');
CREATE FUNCTION acting_as() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('lianxin.actor_staff_number', true), '');
CREATE FUNCTION acting_account() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('lianxin.account', true), '');
CREATE FUNCTION reaches_everything() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(acting_reach() IN ('system', 'everywhere'), false);

-- Every organisation with itself and all above it. By code, because a grant names its organisation by code.
CREATE TABLE organisation_line (
    organisation_id uuid    NOT NULL REFERENCES organisation (id) ON DELETE CASCADE,
    ancestor_code   code    NOT NULL,
    distance        integer NOT NULL CHECK (distance BETWEEN 0 AND 64),
    PRIMARY KEY (organisation_id, ancestor_code)
);
CREATE INDEX organisation_line_ancestor ON organisation_line (ancestor_code, organisation_id);
CREATE INDEX organisation_parent ON organisation (parent_id);

-- These run as the owner and reach everything for as long as they run: PostgreSQL lets no mere owner say so with SET.
-- Each keeps one invariant or answers one narrow question about one row; none hands out rows.
CREATE FUNCTION keep_organisation_lines(changed_ids uuid[]) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    moved_ids uuid[];
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
      WITH RECURSIVE below AS (
           SELECT unnest(changed_ids) AS id
            UNION
           SELECT organisation.id
             FROM organisation
             JOIN below ON organisation.parent_id = below.id)
    SELECT array_agg(id) INTO moved_ids FROM below;
    DELETE FROM organisation_line WHERE organisation_id = ANY (moved_ids);
    INSERT INTO organisation_line (organisation_id, ancestor_code, distance)
      WITH RECURSIVE line AS (
           SELECT id AS organisation_id, code, parent_id, 0 AS distance
             FROM organisation
            WHERE id = ANY (moved_ids)
            UNION ALL
           SELECT line.organisation_id, above.code, above.parent_id, line.distance + 1
             FROM line
             JOIN organisation AS above ON above.id = line.parent_id
            WHERE line.distance < 64)
    SELECT organisation_id, code, distance
      FROM line
        ON CONFLICT DO NOTHING;
    PERFORM set_config('lianxin.reach', given, true);
END $$;

CREATE FUNCTION note_new_organisations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM keep_organisation_lines((SELECT array_agg(id) FROM changed));
    RETURN NULL;
END $$;

CREATE FUNCTION note_moved_organisations() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved uuid[] := (SELECT array_agg(changed.id)
                       FROM changed
                       JOIN before USING (id)
                      WHERE changed.parent_id IS DISTINCT FROM before.parent_id);
BEGIN
    IF moved IS NOT NULL THEN
        PERFORM keep_organisation_lines(moved);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER keep_lines_of_new AFTER INSERT ON organisation REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_new_organisations();
CREATE TRIGGER keep_lines_of_moved AFTER UPDATE ON organisation REFERENCING OLD TABLE AS before NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_moved_organisations();
SELECT keep_organisation_lines(array_agg(id)) FROM organisation;

CREATE FUNCTION acting_cadre_id() RETURNS uuid LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer uuid;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := (SELECT id FROM cadre WHERE staff_number = acting_staff_number());
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

CREATE FUNCTION staff_number_of(cadre uuid) RETURNS text LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer text;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := (SELECT staff_number FROM cadre WHERE id = $1);
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

CREATE FUNCTION code_of(organisation uuid) RETURNS text LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer text;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := (SELECT code FROM organisation WHERE id = $1);
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

-- Where a cadre held a post then, the newest of several. Days are China's: it has one zone.
CREATE FUNCTION post_organisation(cadre uuid, at timestamptz) RETURNS uuid LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer uuid;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := (SELECT organisation_id
                 FROM post
                WHERE cadre_id = $1
                  AND from_on <= ($2 AT TIME ZONE 'Asia/Shanghai')::date
                  AND (until_on IS NULL OR until_on >= ($2 AT TIME ZONE 'Asia/Shanghai')::date)
                ORDER BY from_on DESC, id DESC
                LIMIT 1);
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

CREATE FUNCTION is_id_taken(kind text, taken uuid) RETURNS boolean LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer boolean;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := (CASE kind WHEN 'contact' THEN EXISTS (SELECT 1 FROM contact WHERE id = taken)
                        WHEN 'issue' THEN EXISTS (SELECT 1 FROM issue WHERE id = taken)
                        WHEN 'rating' THEN EXISTS (SELECT 1 FROM rating WHERE id = taken) END);
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

-- The organisation that a record belongs to, from its beginning: a post that ends later takes no record along.
ALTER TABLE contact ADD COLUMN owner_organisation_id uuid REFERENCES organisation (id);
ALTER TABLE issue ADD COLUMN owner_organisation_id uuid REFERENCES organisation (id);
ALTER TABLE rating ADD COLUMN owner_organisation_id uuid REFERENCES organisation (id);
UPDATE contact
   SET owner_organisation_id = coalesce(organisation_id, post_organisation(cadre_id, occurred_at));
UPDATE issue
   SET owner_organisation_id = coalesce(issue.organisation_id, post_organisation(issue.cadre_id, issue.received_at),
                                        (SELECT owner_organisation_id FROM contact WHERE id = issue.contact_id));
UPDATE rating
   SET owner_organisation_id = coalesce((SELECT owner_organisation_id FROM issue WHERE id = rating.issue_id),
                                        (SELECT owner_organisation_id FROM contact WHERE id = rating.contact_id));

CREATE FUNCTION is_within_reach(organisation uuid) RETURNS boolean LANGUAGE sql STABLE
    RETURN reaches_everything() OR EXISTS (SELECT 1
                                             FROM organisation_line
                                            WHERE organisation_id = organisation
                                              AND ancestor_code = ANY (acting_organisations()));
-- A cadre enters own contacts, for an organisation of an own post or for none.
CREATE FUNCTION may_enter_contact(organisation uuid, cadre uuid) RETURNS boolean LANGUAGE sql STABLE
    RETURN is_within_reach(organisation)
        OR (cadre = acting_cadre_id()
            AND (organisation IS NULL OR organisation IN (SELECT organisation_id FROM post WHERE cadre_id = cadre)));

-- Functions stand in a subquery wherever they depend on no row, so that they are asked once a statement.
ALTER TABLE organisation_line ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON organisation_line FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY kept ON organisation_line USING ((SELECT acting_reach()) = 'system');

ALTER TABLE post ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON post FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM organisation_line AS line
                WHERE line.organisation_id = post.organisation_id
                  AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[]))
    OR cadre_id = (SELECT acting_cadre_id()));
CREATE POLICY kept ON post USING ((SELECT reaches_everything()));

-- The policy of post says which posts these are.
ALTER TABLE cadre ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON cadre FOR SELECT USING (
    (SELECT reaches_everything())
    OR staff_number = (SELECT acting_staff_number())
    OR EXISTS (SELECT 1 FROM post WHERE post.cadre_id = cadre.id));
CREATE POLICY kept ON cadre USING ((SELECT reaches_everything()));

-- What lies below the roots, and above them and above own posts what leads there.
ALTER TABLE organisation ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON organisation FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM organisation_line AS line
                WHERE line.organisation_id = organisation.id
                  AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[]))
    OR code IN (SELECT above.ancestor_code
                  FROM organisation_line AS above
                 WHERE above.organisation_id IN (SELECT own.organisation_id
                                                   FROM organisation_line AS own
                                                  WHERE own.distance = 0
                                                    AND own.ancestor_code = ANY ((SELECT acting_organisations())::text[])
                                                  UNION ALL
                                                 SELECT post.organisation_id
                                                   FROM post
                                                  WHERE post.cadre_id = (SELECT acting_cadre_id()))));
CREATE POLICY kept ON organisation USING ((SELECT reaches_everything()));

ALTER TABLE duty ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON duty FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY kept ON duty USING ((SELECT reaches_everything()));

ALTER TABLE contact ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON contact FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM organisation_line AS line
                WHERE line.organisation_id = contact.owner_organisation_id
                  AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[]))
    OR cadre_id = (SELECT acting_cadre_id()));
CREATE POLICY entered ON contact FOR INSERT
    WITH CHECK ((SELECT reaches_everything()) OR may_enter_contact(owner_organisation_id, cadre_id));
CREATE POLICY changed ON contact FOR UPDATE
    USING ((SELECT reaches_everything()) OR is_within_reach(owner_organisation_id));
CREATE POLICY removed ON contact FOR DELETE USING ((SELECT reaches_everything()));

ALTER TABLE issue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON issue FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM organisation_line AS line
                WHERE line.organisation_id = issue.owner_organisation_id
                  AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[]))
    OR cadre_id = (SELECT acting_cadre_id()));
CREATE POLICY entered ON issue FOR INSERT
    WITH CHECK ((SELECT reaches_everything()) OR is_within_reach(owner_organisation_id));
CREATE POLICY changed ON issue FOR UPDATE
    USING ((SELECT reaches_everything()) OR is_within_reach(owner_organisation_id));
CREATE POLICY removed ON issue FOR DELETE USING ((SELECT reaches_everything()));

-- No cadre sees who rated: there is no clause for the records of one cadre.
ALTER TABLE rating ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON rating FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM organisation_line AS line
                WHERE line.organisation_id = rating.owner_organisation_id
                  AND line.ancestor_code = ANY ((SELECT acting_organisations())::text[])));
CREATE POLICY entered ON rating FOR INSERT
    WITH CHECK ((SELECT reaches_everything()) OR is_within_reach(owner_organisation_id));
CREATE POLICY kept ON rating USING ((SELECT reaches_everything()));

-- A key is its caller's own, also among those who reach everything.
ALTER TABLE idempotency_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON idempotency_key
    USING ((SELECT acting_reach()) = 'system' OR caller = (SELECT acting_account()));

-- Everybody's change tells of itself; only the relay reads what was told.
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY told ON outbox FOR INSERT WITH CHECK ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY sent ON outbox USING ((SELECT acting_reach()) = 'system');

-- A file holds records of any organisation: importing is for those who reach all of them.
ALTER TABLE import_run ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON import_run USING ((SELECT reaches_everything()));
ALTER TABLE import_finding ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON import_finding USING ((SELECT reaches_everything()));
