-- What `shared.crypto` leaves of a text: header, nonce, ciphertext, tag. No bound below: an empty text has 34 bytes.
CREATE DOMAIN sealed AS bytea CHECK (length(VALUE) BETWEEN 34 AND 200000);
CREATE DOMAIN epoch AS integer CHECK (VALUE BETWEEN 190001 AND 220012);

CREATE TABLE citizen (
    ref           uuid    PRIMARY KEY, -- random: the pseudonym that events carry
    state         text    NOT NULL CHECK (state IN ('active', 'restricted', 'erased')),
    name          sealed,
    phone         sealed,
    id_number     sealed,
    id_kind       text    CHECK (id_kind IN ('resident_id', 'residence_permit', 'passport', 'foreign_residence')),
    address       sealed,
    recorded_at   instant NOT NULL,
    restricted_at instant,
    review_on     day,
    erased_at     instant,
    CHECK ((id_number IS NULL) = (id_kind IS NULL)),
    CHECK ((state = 'erased') = (erased_at IS NOT NULL)),
    CHECK (state <> 'restricted' OR (restricted_at IS NOT NULL AND review_on IS NOT NULL)),
    CHECK (state <> 'erased' OR num_nonnulls(name, phone, id_number, address) = 0)
);

-- Without its row nothing of a citizen can be read, in any copy of the database whose epoch is destroyed as well.
CREATE TABLE citizen_key (
    citizen_ref uuid   PRIMARY KEY REFERENCES citizen (ref) ON DELETE CASCADE,
    epoch       epoch  NOT NULL,
    wrapped     sealed NOT NULL
);
CREATE INDEX citizen_key_epoch ON citizen_key (epoch, citizen_ref);

-- The blind index: keyed digests of what a citizen can be found by. One phone may lead to several citizens.
CREATE TABLE citizen_handle (
    kind        text  NOT NULL CHECK (kind IN ('id_number', 'phone', 'phone_and_name')),
    digest      bytea NOT NULL CHECK (length(digest) = 38),
    citizen_ref uuid  NOT NULL REFERENCES citizen (ref) ON DELETE CASCADE,
    PRIMARY KEY (digest, citizen_ref)
);
CREATE UNIQUE INDEX citizen_handle_id_number ON citizen_handle (digest) WHERE kind = 'id_number';
CREATE INDEX citizen_handle_citizen ON citizen_handle (citizen_ref);

ALTER TABLE contact ADD COLUMN citizen_ref uuid REFERENCES citizen (ref);
ALTER TABLE issue ADD COLUMN citizen_ref uuid REFERENCES citizen (ref);
ALTER TABLE issue ADD COLUMN subject_id uuid REFERENCES cadre (id);
ALTER TABLE issue ADD CONSTRAINT issue_not_handled_by_subject CHECK (subject_id <> cadre_id) NOT VALID;
ALTER TABLE rating ADD COLUMN rater_ref uuid REFERENCES citizen (ref);
CREATE INDEX contact_citizen ON contact (citizen_ref) WHERE citizen_ref IS NOT NULL;
CREATE INDEX issue_citizen ON issue (citizen_ref) WHERE citizen_ref IS NOT NULL;

-- Whoever may see a record about a citizen may see the citizen, as long as nobody has restricted it; only intake's own
-- search for the same citizen, and erasure, see the others. The policies of contact and issue say which records.
ALTER TABLE citizen ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON citizen FOR SELECT USING (
    (SELECT acting_reach()) = 'system'
    OR (state = 'active' AND (EXISTS (SELECT 1 FROM issue WHERE issue.citizen_ref = citizen.ref)
                              OR EXISTS (SELECT 1 FROM contact WHERE contact.citizen_ref = citizen.ref))));
CREATE POLICY kept ON citizen USING ((SELECT acting_reach()) = 'system');

ALTER TABLE citizen_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON citizen_key FOR SELECT USING (
    (SELECT acting_reach()) = 'system'
    OR EXISTS (SELECT 1 FROM citizen WHERE citizen.ref = citizen_key.citizen_ref));
CREATE POLICY kept ON citizen_key USING ((SELECT acting_reach()) = 'system');

ALTER TABLE citizen_handle ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON citizen_handle USING ((SELECT acting_reach()) = 'system');

-- A complaint may name any official, also one whom the clerk cannot see.
CREATE FUNCTION official_of(staff_number text) RETURNS uuid LANGUAGE plpgsql STABLE STRICT
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer uuid;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := (SELECT id FROM cadre WHERE cadre.staff_number = $1);
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

-- Where the subject serves, or served in the year before the issue came, with everything below.
CREATE FUNCTION is_in_line_of(subject uuid, received_at timestamptz, organisation uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer boolean;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := EXISTS (SELECT 1
                        FROM post
                        JOIN organisation AS served ON served.id = post.organisation_id
                        JOIN organisation_line AS line ON line.ancestor_code = served.code
                       WHERE post.cadre_id = $1
                         AND (post.until_on IS NULL OR post.until_on >= line_begins_on($2))
                         AND line.organisation_id = $3);
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

CREATE FUNCTION line_begins_on(received_at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE
    RETURN ((received_at AT TIME ZONE 'Asia/Shanghai')::date - interval '1 year')::date;

-- The accused, and everybody with a post or a grant in the line, in whichever role they ask. Grants above it are not.
CREATE FUNCTION is_recused(subject uuid, received_at timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer boolean;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := EXISTS (SELECT 1 FROM cadre WHERE id = $1 AND staff_number IN (acting_as(), acting_staff_number()))
           OR EXISTS (SELECT 1
                        FROM organisation
                       WHERE code = ANY (acting_grants())
                         AND is_in_line_of($1, $2, id))
           OR EXISTS (SELECT 1
                        FROM post
                        JOIN cadre ON cadre.id = post.cadre_id
                       WHERE cadre.staff_number IN (acting_as(), acting_staff_number())
                         AND (post.until_on IS NULL OR post.until_on >= line_begins_on($2))
                         AND is_in_line_of($1, $2, post.organisation_id));
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

-- All of the actor's grants where the request names them, whether this action uses them or not.
CREATE FUNCTION acting_grants() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN acting_organisations()
        || coalesce(nullif(current_setting('lianxin.actor_organisations', true), '')::text[], '{}');

-- Whoever enters a complaint may do so, and does not see it afterwards: `entering` holds for that one statement.
CREATE POLICY recusal ON issue AS RESTRICTIVE USING (
    subject_id IS NULL
    OR (SELECT acting_reach()) = 'system'
    OR current_setting('lianxin.entering', true) = 'on'
    OR NOT is_recused(subject_id, received_at));
CREATE POLICY recusal ON rating AS RESTRICTIVE FOR SELECT USING (
    issue_id IS NULL
    OR (SELECT acting_reach()) = 'system'
    OR EXISTS (SELECT 1 FROM issue WHERE issue.id = rating.issue_id));
