-- Lists of whoever reaches some units alone go by these units: docs/decisions/0142-lists-go-by-units.md. Who sees a row is
-- for its policy to say, as before: the unit that stands on a row only finds it.

-- A category, a type or an urgency that few issues have was sought among all that ever came in.
CREATE INDEX issue_category ON issue (category, received_at, id);
CREATE INDEX issue_type ON issue (type, received_at, id);
CREATE INDEX issue_urgent ON issue (urgency, received_at, id) WHERE urgency <> 'normal';
-- What is due first, of all and of a unit.
DROP INDEX issue_open_due;
CREATE INDEX issue_open_due ON issue (due_at, received_at, id) WHERE closed_at IS NULL;
CREATE INDEX issue_open_owner ON issue (owner_organisation_id, due_at, received_at, id) WHERE closed_at IS NULL;

-- The unit of the rating, of the issue, of the contact. It refers to none: what it is taken from does.
ALTER TABLE rating_comment ADD COLUMN owner_organisation_id uuid;
ALTER TABLE rating_case ADD COLUMN owner_organisation_id uuid;
ALTER TABLE citizen_message ADD COLUMN owner_organisation_id uuid;
ALTER TABLE contact_review ADD COLUMN owner_organisation_id uuid;
CREATE INDEX rating_comment_owner ON rating_comment (owner_organisation_id, is_accusation, recorded_at, rating_id);
CREATE INDEX rating_case_owner ON rating_case (owner_organisation_id, state, opened_at, id);
CREATE INDEX citizen_message_owner ON citizen_message (owner_organisation_id, made_at, id);
CREATE INDEX citizen_message_owner_state ON citizen_message (owner_organisation_id, state, made_at, id);
CREATE INDEX contact_review_owner_open ON contact_review (owner_organisation_id, noted_at, contact_id)
    WHERE decision IS NULL;
CREATE INDEX contact_review_owner_decided ON contact_review (owner_organisation_id, noted_at, contact_id)
    WHERE decision IS NOT NULL;

-- Kept by the tables themselves, so that no statement leaves it out, an older release's neither.
CREATE FUNCTION take_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    CASE TG_TABLE_NAME
        WHEN 'citizen_message' THEN
            SELECT owner_organisation_id INTO NEW.owner_organisation_id FROM issue WHERE id = NEW.issue_id;
        WHEN 'contact_review' THEN
            SELECT owner_organisation_id INTO NEW.owner_organisation_id FROM contact WHERE id = NEW.contact_id;
        ELSE
            SELECT owner_organisation_id INTO NEW.owner_organisation_id FROM rating WHERE id = NEW.rating_id;
    END CASE;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN NEW;
END $$;
CREATE TRIGGER take_owner BEFORE INSERT ON rating_comment FOR EACH ROW EXECUTE FUNCTION take_owner();
CREATE TRIGGER take_owner BEFORE INSERT ON rating_case FOR EACH ROW EXECUTE FUNCTION take_owner();
CREATE TRIGGER take_owner BEFORE INSERT ON citizen_message FOR EACH ROW EXECUTE FUNCTION take_owner();
CREATE TRIGGER take_owner BEFORE INSERT ON contact_review FOR EACH ROW EXECUTE FUNCTION take_owner();

-- Issues go from unit to unit, also while a message is made: whoever hands one over just then is waited for at the end, when
-- the issue is held for a moment and not for as long as a batch of messages takes.
CREATE FUNCTION keep_owner_of_message() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    owner uuid;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    SELECT owner_organisation_id INTO owner FROM issue WHERE id = NEW.issue_id FOR SHARE;
    IF owner IS DISTINCT FROM NEW.owner_organisation_id THEN
        UPDATE citizen_message SET owner_organisation_id = owner WHERE id = NEW.id;
    END IF;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER keep_owner AFTER INSERT ON citizen_message DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION keep_owner_of_message();

CREATE FUNCTION pass_owner_on() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    CASE TG_TABLE_NAME
        WHEN 'issue' THEN
            UPDATE citizen_message SET owner_organisation_id = NEW.owner_organisation_id WHERE issue_id = NEW.id;
        WHEN 'contact' THEN
            UPDATE contact_review SET owner_organisation_id = NEW.owner_organisation_id WHERE contact_id = NEW.id;
        ELSE
            UPDATE rating_comment SET owner_organisation_id = NEW.owner_organisation_id WHERE rating_id = NEW.id;
            UPDATE rating_case SET owner_organisation_id = NEW.owner_organisation_id WHERE rating_id = NEW.id;
    END CASE;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN NULL;
END $$;
CREATE TRIGGER pass_owner_on AFTER UPDATE OF owner_organisation_id ON issue
    FOR EACH ROW WHEN (NEW.owner_organisation_id IS DISTINCT FROM OLD.owner_organisation_id)
    EXECUTE FUNCTION pass_owner_on();
CREATE TRIGGER pass_owner_on AFTER UPDATE OF owner_organisation_id ON contact
    FOR EACH ROW WHEN (NEW.owner_organisation_id IS DISTINCT FROM OLD.owner_organisation_id)
    EXECUTE FUNCTION pass_owner_on();
CREATE TRIGGER pass_owner_on AFTER UPDATE OF owner_organisation_id ON rating
    FOR EACH ROW WHEN (NEW.owner_organisation_id IS DISTINCT FROM OLD.owner_organisation_id)
    EXECUTE FUNCTION pass_owner_on();

CREATE INDEX organisation_line_own ON organisation_line (ancestor_code, organisation_id) WHERE distance = 0;

-- As before, but codes are looked up among the lines, whose policy asks nothing of a row, and posts only of somebody who is
-- a cadre: this is asked for each call, case and comment that a list looks at, and each time went through all
-- organisations, because under row security what holds a coalesce is no condition of an index.
CREATE OR REPLACE FUNCTION is_in_units(units uuid[]) RETURNS boolean LANGUAGE plpgsql STABLE STRICT
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer boolean;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := EXISTS (SELECT 1
                        FROM organisation_line AS granted
                        JOIN organisation_line AS line ON line.organisation_id = granted.organisation_id
                        JOIN organisation_line AS handling ON handling.ancestor_code = line.ancestor_code
                       WHERE granted.ancestor_code = ANY ((SELECT acting_grants())::text[])
                         AND granted.distance = 0
                         AND handling.organisation_id = ANY (units)
                         AND handling.distance = 0);
    IF NOT answer AND coalesce(acting_as(), acting_staff_number()) IS NOT NULL THEN
        answer := EXISTS (SELECT 1
                            FROM cadre
                            JOIN post ON post.cadre_id = cadre.id
                            JOIN organisation_line AS line ON line.organisation_id = post.organisation_id
                            JOIN organisation_line AS handling ON handling.ancestor_code = line.ancestor_code
                           WHERE cadre.staff_number IN (acting_as(), acting_staff_number())
                             AND (post.until_on IS NULL
                                  OR post.until_on >= (now() AT TIME ZONE 'Asia/Shanghai')::date)
                             AND handling.organisation_id = ANY (units)
                             AND handling.distance = 0);
    END IF;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

CREATE OR REPLACE FUNCTION is_recused(subject uuid, received_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer boolean;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := EXISTS (SELECT 1
                        FROM organisation_line AS granted
                       WHERE granted.ancestor_code = ANY ((SELECT acting_grants())::text[])
                         AND granted.distance = 0
                         AND is_in_line_of($1, $2, granted.organisation_id));
    IF NOT answer AND coalesce(acting_as(), acting_staff_number()) IS NOT NULL THEN
        answer := EXISTS (SELECT 1 FROM cadre WHERE id = $1 AND staff_number IN (acting_as(), acting_staff_number()))
               OR EXISTS (SELECT 1
                            FROM post
                            JOIN cadre ON cadre.id = post.cadre_id
                           WHERE cadre.staff_number IN (acting_as(), acting_staff_number())
                             AND (post.until_on IS NULL OR post.until_on >= line_begins_on($2))
                             AND is_in_line_of($1, $2, post.organisation_id));
    END IF;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

-- As before, but whoever stands in the line of a unit that handles or assists is known to after one look, and of steps no
-- units are asked.
CREATE OR REPLACE FUNCTION is_own_work(rated_issue uuid, rated_contact uuid) RETURNS boolean LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    acting_person text := nullif(current_setting('lianxin.person', true), '');
    handling uuid[];
    origin uuid;
    answer boolean;
BEGIN
    IF given = 'system' THEN
        RETURN false;
    END IF;
    PERFORM set_config('lianxin.reach', 'system', true);
    SELECT contact_id, array_append(assisting, organisation_id) INTO origin, handling FROM issue WHERE id = rated_issue;
    origin := coalesce(rated_contact, origin);
    answer := is_in_units(handling);
    IF answer IS NOT TRUE THEN
          WITH part AS (
               SELECT cadre_id, NULL::uuid[] AS units, received_at AS at, NULL::uuid AS account, NULL::text AS person
                 FROM issue
                WHERE id = rated_issue
                UNION ALL
               SELECT unnest(array_append(companion_ids, cadre_id)), ARRAY[organisation_id], occurred_at, recorded_by,
                      recorded_person
                 FROM contact
                WHERE id = origin
                UNION ALL
               SELECT NULL, NULL, recorded_at, actor_id, actor_person
                 FROM issue_step
                WHERE issue_id = rated_issue
                  AND kind IN ('contacted', 'started', 'paused', 'resumed', 'replied', 'closed', 'merged'))
        SELECT bool_or(coalesce(is_recused(cadre_id, at), false)
                       OR coalesce(account::text = acting_account(), false)
                       OR coalesce(person = acting_person, false)
                       OR coalesce(is_in_units(units), false))
          INTO answer
          FROM part;
    END IF;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN coalesce(answer, false);
END $$;
