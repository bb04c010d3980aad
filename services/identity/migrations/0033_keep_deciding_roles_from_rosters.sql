-- A role by which somebody decides takes two persons, and a roster is not one of them: what it gave of it is taken, and the
-- groups stay without a role.
SELECT set_config('lianxin.reach', 'system', true);
DELETE FROM role_grant WHERE granted_by = 'roster:scim' AND role = 'department_officer';
UPDATE roster_group SET role = NULL, version = version + 1 WHERE role = 'department_officer';
ALTER TABLE roster_group DROP CONSTRAINT roster_group_role_check,
                         ADD CONSTRAINT roster_group_role_check CHECK (role IN ('clerk', 'unit_head', 'cadre'));
