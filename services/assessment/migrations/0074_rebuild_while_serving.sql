-- A rebuild of the facts from the log, aggregate by aggregate: where it is, so that it goes on where it was broken off.
CREATE TABLE rebuild (
    is_only        boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    started_at     instant NOT NULL,
    after_id       uuid,
    done_count     bigint  NOT NULL DEFAULT 0 CHECK (done_count >= 0),
    finished_at    instant
);
ALTER TABLE rebuild ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY processes ON rebuild USING ((SELECT acting_reach()) = 'system');

-- What else is told of an issue by another aggregate: found with the issue when its facts are made anew.
CREATE INDEX event_of_suggestion ON event ((payload ->> 'issue_id'))
    WHERE event_type = 'cn.lianxin.suggestion.decided.v1';

-- A shard of a full rescoring asks for what is due of its cadres.
CREATE INDEX tally_due_cadre ON tally_due (cadre_id);
