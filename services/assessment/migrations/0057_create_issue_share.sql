-- Who answers for an issue, where that is not all its lead's: the newest ledger of each, and its slices of time. Without a
-- row in issue_ledger an issue is all its lead's. `from_at` is absent where an older release told no slices.
CREATE TABLE issue_ledger (
    issue_id     uuid           PRIMARY KEY,
    rule_version integer        NOT NULL CHECK (rule_version BETWEEN 1 AND 10000),
    until_at     instant        NOT NULL,
    is_final     boolean        NOT NULL,
    sequence     place_in_order NOT NULL
);
CREATE TABLE issue_share (
    issue_id        uuid     NOT NULL REFERENCES issue_ledger (issue_id),
    place           smallint NOT NULL CHECK (place BETWEEN 1 AND 32000),
    organisation_id uuid     NOT NULL,
    cadre_id        uuid     NOT NULL, -- the nil UUID: of the unit itself
    role            text     NOT NULL CHECK (role IN ('lead', 'assisting')),
    from_at         instant,
    until_at        instant  NOT NULL,
    millionths      integer  NOT NULL CHECK (millionths BETWEEN 0 AND 1000000),
    PRIMARY KEY (issue_id, place)
);
CREATE INDEX issue_share_cell ON issue_share (organisation_id, cadre_id, issue_id);

-- What was told before this release: totals alone.
INSERT INTO issue_ledger (issue_id, rule_version, until_at, is_final, sequence)
SELECT DISTINCT ON (payload ->> 'issue_id')
       (payload ->> 'issue_id')::uuid, (payload ->> 'rule_version')::integer, (payload ->> 'until_at')::timestamptz,
       (payload ->> 'is_final')::boolean, sequence
  FROM event
 WHERE event_type = 'cn.lianxin.responsibility.shared.v1'
 ORDER BY payload ->> 'issue_id', sequence DESC;
INSERT INTO issue_share (issue_id, place, organisation_id, cadre_id, role, until_at, millionths)
SELECT ledger.issue_id, share.place, share.organisation_id::uuid,
       coalesce(share.cadre_id::uuid, '00000000-0000-0000-0000-000000000000'), share.role, ledger.until_at,
       share.millionths::integer
  FROM issue_ledger AS ledger
  JOIN event
    ON event_type = 'cn.lianxin.responsibility.shared.v1'
   AND (payload ->> 'issue_id')::uuid = ledger.issue_id
   AND event.sequence = ledger.sequence
 CROSS JOIN ROWS FROM (
           jsonb_array_elements_text(payload -> 'organisation_ids'), jsonb_array_elements_text(payload -> 'cadre_ids'),
           jsonb_array_elements_text(payload -> 'roles'), jsonb_array_elements_text(payload -> 'millionths'))
  WITH ORDINALITY AS share (organisation_id, cadre_id, role, millionths, place);

-- That an issue has a ledger says nothing of anybody; who is in it is shown as the facts of issues are.
ALTER TABLE issue_ledger ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY processes ON issue_ledger USING ((SELECT acting_reach()) = 'system');
CREATE POLICY readers ON issue_ledger FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
ALTER TABLE issue_share ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY processes ON issue_share USING ((SELECT acting_reach()) = 'system');
CREATE POLICY readers ON issue_share FOR SELECT
 USING (cadre_id NOT IN (SELECT acting_cadres(acting_as()))
        AND ((SELECT acting_reach()) = 'everywhere'
             OR ((SELECT acting_reach()) = 'scoped' AND organisation_id IN (SELECT acting_subtree()))));

-- Who answers for any issue, whether it has a ledger or is all its lead's: of each issue the millionths sum to one.
CREATE VIEW issue_responsibility WITH (security_invoker = true) AS
SELECT issue_id, organisation_id, cadre_id, role, from_at, until_at, millionths
  FROM issue_share
 UNION ALL
SELECT issue_id, organisation_id, cadre_id, 'lead', received_at, closed_at, 1000000
  FROM issue_fact
 WHERE organisation_id <> '00000000-0000-0000-0000-000000000000'
   AND NOT EXISTS (SELECT FROM issue_ledger WHERE issue_ledger.issue_id = issue_fact.issue_id);
