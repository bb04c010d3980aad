-- What the worklist is asked for. Most of it is about open issues: only those stand in its own indexes, so that finished
-- ones, which imports bring by the hundred thousand, cost nothing there.
CREATE INDEX issue_received ON issue (received_at, id);
CREATE INDEX issue_updated ON issue (updated_at, id);
CREATE INDEX issue_owner ON issue (owner_organisation_id, received_at, id);
CREATE INDEX issue_cadre ON issue (cadre_id, received_at, id) WHERE cadre_id IS NOT NULL;
CREATE INDEX issue_open_status ON issue (status, received_at, id) WHERE closed_at IS NULL;
CREATE INDEX issue_open_category ON issue (category, received_at, id) WHERE closed_at IS NULL;
CREATE INDEX issue_open_type ON issue (type, received_at, id) WHERE closed_at IS NULL;
CREATE INDEX issue_open_urgent ON issue (urgency, received_at, id) WHERE closed_at IS NULL AND urgency <> 'normal';
CREATE INDEX issue_open_due ON issue (due_at, id) WHERE closed_at IS NULL AND due_at IS NOT NULL;
CREATE INDEX issue_problem ON issue (received_at, id) WHERE problem_code IS NOT NULL;
CREATE INDEX issue_merged ON issue (merged_into) WHERE merged_into IS NOT NULL;
