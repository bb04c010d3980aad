-- What categories of issues are called from which day on, each within its place: facts have the code alone.
CREATE TABLE category_version (
    category_id     uuid           NOT NULL,
    sequence        place_in_order NOT NULL,
    organisation_id uuid, -- where it holds, with everything below; NULL, everywhere
    code            code           NOT NULL,
    name            title          NOT NULL,
    from_on         day            NOT NULL,
    PRIMARY KEY (category_id, sequence)
);
CREATE INDEX category_version_code ON category_version (code);
INSERT INTO category_version (category_id, sequence, organisation_id, code, name, from_on)
SELECT aggregate_id, sequence, (payload ->> 'organisation_id')::uuid, payload ->> 'code', payload ->> 'name',
       coalesce((payload ->> 'from_on')::date, '1900-01-01')
  FROM event
 WHERE event_type = 'cn.lianxin.category.defined.v1'
    ON CONFLICT DO NOTHING;

ALTER TABLE category_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY processes ON category_version USING ((SELECT acting_reach()) = 'system');
CREATE POLICY readers ON category_version FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
