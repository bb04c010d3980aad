-- Ratings in several dimensions, that can be amended, set aside and taken out; links for contacts and at counters.
ALTER TABLE rating
    ADD COLUMN attitude smallint CHECK (attitude BETWEEN 1 AND 5),
    ADD COLUMN speed    smallint CHECK (speed BETWEEN 1 AND 5),
    ADD COLUMN state    text NOT NULL DEFAULT 'counted' CHECK (state IN ('counted', 'quarantined', 'removed')),
    ADD COLUMN sequence place_in_order NOT NULL DEFAULT 1;

-- What the rater said in own words, apart from the rating: whoever may see the one may not see the other.
CREATE TABLE rating_comment (
    rating_id      uuid    PRIMARY KEY REFERENCES rating (id) ON DELETE CASCADE,
    text           sealed,           -- under the rater's key where the rater is known; NULL once erased
    is_accusation  boolean NOT NULL, -- goes to the few who look at accusations
    flagged_by     uuid,             -- NULL: the list of words did
    paraphrase     sealed,
    paraphrased_by uuid,
    recorded_at    instant NOT NULL,
    CHECK ((paraphrase IS NULL) = (paraphrased_by IS NULL))
);
CREATE INDEX rating_comment_queue ON rating_comment (recorded_at, rating_id) WHERE is_accusation;

ALTER TABLE contact ADD COLUMN recorded_person text DEFAULT nullif(current_setting('lianxin.person', true), '');
ALTER TABLE rating ADD COLUMN recorded_person text DEFAULT nullif(current_setting('lianxin.person', true), '');

-- Whether the acting person did, recorded or answers for what is rated, or stands in the line of who did: the responsible
-- cadre's, or that of a unit that handles or assists. Grants and posts above these are not in it.
CREATE FUNCTION is_own_work(rated_issue uuid, rated_contact uuid) RETURNS boolean LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    acting_person text := nullif(current_setting('lianxin.person', true), '');
    answer boolean;
BEGIN
    IF given = 'system' THEN
        RETURN false;
    END IF;
    PERFORM set_config('lianxin.reach', 'system', true);
      WITH part AS (
           SELECT cadre_id, array_append(assisting, organisation_id) AS units, received_at AS at,
                  NULL::uuid AS account, NULL::text AS person
             FROM issue
            WHERE id = rated_issue
            UNION ALL
           SELECT unnest(array_append(companion_ids, cadre_id)), ARRAY[organisation_id], occurred_at, recorded_by,
                  recorded_person
             FROM contact
            WHERE id = coalesce(rated_contact, (SELECT contact_id FROM issue WHERE id = rated_issue))
            UNION ALL
           SELECT NULL, '{}', recorded_at, actor_id, actor_person
             FROM issue_step
            WHERE issue_id = rated_issue
              AND kind IN ('contacted', 'started', 'paused', 'resumed', 'replied', 'closed', 'merged'))
    SELECT bool_or(coalesce(is_recused(cadre_id, at), false)
                   OR coalesce(account::text = acting_account(), false)
                   OR coalesce(person = acting_person, false)
                   OR is_in_units(units))
      INTO answer
      FROM part;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN coalesce(answer, false);
END $$;

-- Whether the acting person has a grant or a post in one of these organisations or below it.
CREATE FUNCTION is_in_units(units uuid[]) RETURNS boolean LANGUAGE plpgsql STABLE STRICT
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer boolean;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := EXISTS (SELECT 1
                        FROM organisation AS handling
                        JOIN organisation_line AS line ON line.ancestor_code = handling.code
                       WHERE handling.id = ANY (units)
                         AND line.organisation_id IN (
                             SELECT id FROM organisation WHERE code = ANY (acting_grants())
                              UNION ALL
                             SELECT post.organisation_id
                               FROM post
                               JOIN cadre ON cadre.id = post.cadre_id
                              WHERE cadre.staff_number IN (acting_as(), acting_staff_number())
                                AND (post.until_on IS NULL
                                     OR post.until_on >= (now() AT TIME ZONE 'Asia/Shanghai')::date)));
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

-- The policies of rating say whose ratings are within reach; of these, what is said about others than oneself.
ALTER TABLE rating_comment ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON rating_comment USING ((SELECT acting_reach()) = 'system');
CREATE POLICY written ON rating_comment FOR INSERT
    WITH CHECK (EXISTS (SELECT 1 FROM rating WHERE rating.id = rating_id));
CREATE POLICY seen ON rating_comment FOR SELECT USING (EXISTS (
    SELECT 1 FROM rating WHERE rating.id = rating_id AND NOT is_own_work(rating.issue_id, rating.contact_id)));
CREATE POLICY handled ON rating_comment FOR UPDATE USING (EXISTS (
    SELECT 1 FROM rating WHERE rating.id = rating_id AND NOT is_own_work(rating.issue_id, rating.contact_id)));

-- Links for contacts; and a counter's session, which is a link of a few minutes for what was just handled there.
ALTER TABLE citizen_link
    ALTER COLUMN issue_id DROP NOT NULL,
    ADD COLUMN contact_id uuid REFERENCES contact (id),
    ADD COLUMN device     bytea CHECK (length(device) = 38), -- a keyed digest: which counter, not where it stands
    ADD COLUMN amend_until instant,
    ADD COLUMN revoked_at instant,
    DROP CONSTRAINT citizen_link_purpose_check,
    ADD CONSTRAINT citizen_link_purpose CHECK (purpose IN ('rating', 'kiosk')),
    ADD CONSTRAINT citizen_link_subject CHECK (num_nonnulls(issue_id, contact_id) = 1),
    ADD CONSTRAINT citizen_link_device CHECK ((purpose = 'kiosk') = (device IS NOT NULL)),
    ADD CONSTRAINT citizen_link_amended CHECK (amend_until IS NULL OR used_at IS NOT NULL);
DROP INDEX citizen_link_live;
CREATE UNIQUE INDEX citizen_link_live_issue ON citizen_link (issue_id, purpose)
    WHERE used_at IS NULL AND replaced_at IS NULL AND issue_id IS NOT NULL;
CREATE UNIQUE INDEX citizen_link_live_contact ON citizen_link (contact_id, purpose)
    WHERE used_at IS NULL AND replaced_at IS NULL AND contact_id IS NOT NULL;
CREATE INDEX citizen_link_contact ON citizen_link (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX rating_contact_by_link ON rating (contact_id) WHERE method = 'link';
CREATE INDEX rating_issue ON rating (issue_id) WHERE issue_id IS NOT NULL;
CREATE INDEX rating_contact ON rating (contact_id) WHERE contact_id IS NOT NULL;

DROP POLICY seen ON citizen_link;
DROP POLICY issued ON citizen_link;
DROP POLICY replaced ON citizen_link;
CREATE POLICY seen ON citizen_link FOR SELECT USING (
    (SELECT acting_reach()) = 'system'
    OR EXISTS (SELECT 1 FROM issue WHERE issue.id = citizen_link.issue_id)
    OR EXISTS (SELECT 1 FROM contact WHERE contact.id = citizen_link.contact_id));
CREATE POLICY issued ON citizen_link FOR INSERT WITH CHECK (
    (SELECT acting_reach()) = 'system'
    OR EXISTS (SELECT 1 FROM issue WHERE issue.id = citizen_link.issue_id)
    OR EXISTS (SELECT 1 FROM contact WHERE contact.id = citizen_link.contact_id));
CREATE POLICY replaced ON citizen_link FOR UPDATE USING (
    (SELECT acting_reach()) = 'system'
    OR EXISTS (SELECT 1 FROM issue WHERE issue.id = citizen_link.issue_id)
    OR EXISTS (SELECT 1 FROM contact WHERE contact.id = citizen_link.contact_id));

-- Whether the citizen has rated it by a link or at the counter, wherever that rating lies by now.
CREATE FUNCTION is_rated_by(wanted_method text, rated_issue uuid, rated_contact uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer boolean;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := EXISTS (SELECT 1
                        FROM rating
                       WHERE method = wanted_method AND (issue_id = rated_issue OR contact_id = rated_contact))
           OR EXISTS (SELECT 1
                        FROM citizen_link
                       WHERE used_at IS NOT NULL
                         AND purpose = CASE wanted_method WHEN 'kiosk' THEN 'kiosk' ELSE 'rating' END
                         AND (issue_id = rated_issue OR contact_id = rated_contact));
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

-- Where a rating came from, as keyed digests: to see that many come from one place, and for no longer than that takes.
CREATE TABLE rating_trace (
    rating_id    uuid    PRIMARY KEY REFERENCES rating (id) ON DELETE CASCADE,
    network      bytea   CHECK (length(network) = 38),
    device       bytea   CHECK (length(device) = 38),
    fill_seconds integer CHECK (fill_seconds BETWEEN 0 AND 100000000),
    recorded_at  instant NOT NULL
);
CREATE INDEX rating_trace_network ON rating_trace (network, recorded_at) WHERE network IS NOT NULL;
CREATE INDEX rating_trace_device ON rating_trace (device, recorded_at) WHERE device IS NOT NULL;
ALTER TABLE rating_trace ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON rating_trace USING ((SELECT acting_reach()) = 'system');
CREATE POLICY written ON rating_trace FOR INSERT WITH CHECK ((SELECT acting_reach()) IS NOT NULL);
