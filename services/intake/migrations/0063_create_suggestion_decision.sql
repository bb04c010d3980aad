-- What became of a suggestion, once: adopted or not, with the reason that its citizen is told.
CREATE TABLE suggestion_decision (
    issue_id    uuid    PRIMARY KEY REFERENCES issue (id),
    id          uuid    NOT NULL UNIQUE,
    adoption    text    NOT NULL CHECK (adoption IN ('adopted', 'partly_adopted', 'not_adopted')),
    explanation sealed  NOT NULL,
    decided_at  instant NOT NULL,
    decided_by  uuid
);
ALTER TABLE suggestion_decision ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON suggestion_decision FOR SELECT USING (
    (SELECT acting_reach()) = 'system' OR EXISTS (SELECT 1 FROM issue WHERE issue.id = suggestion_decision.issue_id));
CREATE POLICY decided ON suggestion_decision FOR INSERT WITH CHECK (
    (SELECT acting_reach()) = 'system' OR EXISTS (SELECT 1 FROM issue WHERE issue.id = suggestion_decision.issue_id));
