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

-- Where organisations stand, as far as news of their scores have told. One that is not here is within nobody's reach
-- but theirs who reach everything.
CREATE TABLE organisation (
    id     uuid   PRIMARY KEY,
    code   text   NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
    path   uuid[] NOT NULL CHECK (cardinality(path) BETWEEN 1 AND 32), -- root first, itself last
    change bigint NOT NULL CHECK (change BETWEEN 0 AND 1000000000000000)
);
CREATE INDEX organisation_code ON organisation (code);

CREATE FUNCTION place_organisation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO organisation AS known (id, code, path, change)
    VALUES (NEW.subject_id, NEW.subject_code, NEW.organisation_path, NEW.change)
        ON CONFLICT (id) DO UPDATE
       SET code = excluded.code, path = excluded.path, change = excluded.change
     WHERE known.change < excluded.change;
    RETURN NULL;
END $$;
CREATE TRIGGER place_organisation AFTER INSERT OR UPDATE ON score_news FOR EACH ROW
    WHEN (NEW.subject_kind = 'organisation' AND cardinality(NEW.organisation_path) > 0)
    EXECUTE FUNCTION place_organisation();
INSERT INTO organisation (id, code, path, change)
SELECT DISTINCT ON (subject_id) subject_id, subject_code, organisation_path, change
  FROM score_news
 WHERE subject_kind = 'organisation'
   AND cardinality(organisation_path) > 0
 ORDER BY subject_id, change DESC;

CREATE FUNCTION acting_organisation_ids() RETURNS uuid[] LANGUAGE sql STABLE
    RETURN coalesce((SELECT array_agg(id) FROM organisation WHERE code = ANY (acting_organisations())), '{}');
CREATE FUNCTION is_within_reach(organisation_id uuid) RETURNS boolean LANGUAGE sql STABLE
    RETURN reaches_everything()
        OR EXISTS (SELECT 1
                     FROM organisation
                    WHERE id = organisation_id
                      AND path && acting_organisation_ids());

-- Functions stand in a subquery wherever they depend on no row, so that they are asked once a statement.
ALTER TABLE organisation ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON organisation FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY kept ON organisation USING ((SELECT acting_reach()) = 'system');

-- What comes in and how far it has come is the processes' own.
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON inbox USING ((SELECT acting_reach()) = 'system');
ALTER TABLE processing_failure ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON processing_failure USING ((SELECT acting_reach()) = 'system');
ALTER TABLE news_position ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON news_position USING ((SELECT acting_reach()) = 'system');
ALTER TABLE score_news ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON score_news USING ((SELECT acting_reach()) = 'system');
ALTER TABLE told_score ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON told_score USING ((SELECT acting_reach()) = 'system');

-- A subscription to everything is for those who reach everything.
ALTER TABLE subscription ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY by_reach ON subscription USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM organisation
                WHERE organisation.id = subscription.organisation_id
                  AND organisation.path && (SELECT acting_organisation_ids())));

-- What a subscription was told is seen by whoever sees the subscription: its policy says who that is.
ALTER TABLE digest ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON digest FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1 FROM subscription WHERE subscription.id = digest.subscription_id));
CREATE POLICY kept ON digest USING ((SELECT acting_reach()) = 'system');

ALTER TABLE message ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON message FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1 FROM subscription WHERE subscription.id = message.subscription_id));
CREATE POLICY read ON message FOR UPDATE USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1 FROM subscription WHERE subscription.id = message.subscription_id));
CREATE POLICY kept ON message USING ((SELECT acting_reach()) = 'system');

ALTER TABLE delivery ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON delivery FOR SELECT USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1 FROM digest WHERE digest.id = delivery.digest_id));
CREATE POLICY kept ON delivery USING ((SELECT acting_reach()) = 'system');
