-- The categories of issues, a tree for everywhere or for an organisation and what stands below it. A code that was used
-- once stays readable under the name it had.
CREATE TABLE category (
    id              uuid           PRIMARY KEY,
    organisation_id uuid           REFERENCES organisation (id),
    code            code           NOT NULL,
    name            title          NOT NULL,
    parent_id       uuid           REFERENCES category (id),
    is_retired      boolean        NOT NULL,
    from_on         day            NOT NULL,
    sequence        place_in_order NOT NULL,
    recorded_at     instant        NOT NULL,
    CHECK (parent_id <> id),
    UNIQUE NULLS NOT DISTINCT (organisation_id, code)
);
CREATE INDEX category_code ON category (code, id);

CREATE TABLE category_version (
    category_id uuid           NOT NULL REFERENCES category (id),
    sequence    place_in_order NOT NULL,
    from_on     day            NOT NULL,
    name        title          NOT NULL,
    parent_id   uuid           REFERENCES category (id),
    is_retired  boolean        NOT NULL,
    recorded_at instant        NOT NULL,
    PRIMARY KEY (category_id, sequence)
);
CREATE INDEX category_version_day ON category_version (category_id, from_on DESC, sequence DESC);

-- Whether a tree of this organisation holds for that one: it is the same, or stands above it.
CREATE FUNCTION category_covers(scope uuid, organisation_code text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT 1
                     FROM organisation
                     JOIN organisation_line AS line ON line.organisation_id = organisation.id
                    WHERE organisation.code = $2
                      AND line.ancestor_code = code_of($1));
END $$;

CREATE FUNCTION keep_category_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO category_version (category_id, sequence, from_on, name, parent_id, is_retired, recorded_at)
    VALUES (NEW.id, NEW.sequence, NEW.from_on, NEW.name, NEW.parent_id, NEW.is_retired, NEW.recorded_at);
    RETURN NULL;
END $$;
CREATE TRIGGER keep_version_of_new AFTER INSERT ON category FOR EACH ROW EXECUTE FUNCTION keep_category_version();
CREATE TRIGGER keep_version_of_changed AFTER UPDATE ON category
    FOR EACH ROW WHEN (NEW.sequence <> OLD.sequence) EXECUTE FUNCTION keep_category_version();

-- How citizens can turn to an organisation: published, so no secret to anybody who may ask at all.
CREATE TABLE published_channel (
    id              uuid           PRIMARY KEY,
    organisation_id uuid           NOT NULL REFERENCES organisation (id),
    kind            text           NOT NULL CHECK (kind IN ('phone', 'mailbox', 'web', 'office', 'social_media')),
    address         title          NOT NULL,
    hours           title,
    from_on         day            NOT NULL,
    until_on        day,
    sequence        place_in_order NOT NULL,
    recorded_at     instant        NOT NULL,
    CHECK (until_on >= from_on),
    UNIQUE (organisation_id, kind, address, from_on)
);

-- That somebody tried, and what came of it. Never changed: another try is another row.
CREATE TABLE reachability_check (
    id             uuid    PRIMARY KEY,
    channel_id     uuid    NOT NULL REFERENCES published_channel (id),
    checked_at     instant NOT NULL,
    is_reached     boolean NOT NULL,
    waited_seconds integer CHECK (waited_seconds BETWEEN 0 AND 86400),
    checked_by     uuid, -- the account
    recorded_at    instant NOT NULL
);
CREATE INDEX reachability_check_channel ON reachability_check (channel_id, checked_at DESC, id);

ALTER TABLE category ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON category FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY kept ON category USING ((SELECT reaches_everything()));
ALTER TABLE category_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON category_version FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY kept ON category_version USING ((SELECT reaches_everything()));
ALTER TABLE published_channel ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON published_channel FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY kept ON published_channel USING ((SELECT reaches_everything()));

-- Checks are for who answers for the organisation: a unit's missed calls are no list for its neighbours.
ALTER TABLE reachability_check ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON reachability_check USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM published_channel AS channel
                WHERE channel.id = reachability_check.channel_id
                  AND is_within_reach(channel.organisation_id)));
