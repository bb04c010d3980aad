-- An import acts for whoever asked for it, with the reach that its request had: kept with the run, which outlives the
-- request. Absent for a command of the operator's, and for what an older release entered, which is not run any more.
ALTER TABLE import_run ADD COLUMN reach jsonb CHECK (jsonb_typeof(reach) = 'object');

-- Whoever does not reach everything has runs too, and sees those alone.
DROP POLICY kept ON import_run;
CREATE POLICY kept ON import_run USING (
    (SELECT reaches_everything()) OR requested_by = (SELECT acting_account()));
DROP POLICY kept ON import_finding;
CREATE POLICY kept ON import_finding USING (
    (SELECT reaches_everything()) OR EXISTS (SELECT 1 FROM import_run WHERE import_run.id = import_finding.run_id));

-- A file names records by number. One whose number stands for a record that its sender may not see must be told from
-- one that raced with another, which is tried again.
CREATE FUNCTION is_number_taken(kind text, source text, number text) RETURNS boolean LANGUAGE plpgsql STABLE STRICT
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer boolean;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := (CASE kind
                   WHEN 'contact' THEN EXISTS (
                       SELECT 1 FROM contact WHERE contact.source = $2 AND contact.source_number = $3)
                   WHEN 'issue' THEN EXISTS (
                       SELECT 1 FROM issue WHERE issue.source = $2 AND issue.source_number = $3)
                   WHEN 'rating' THEN EXISTS (
                       SELECT 1 FROM rating WHERE rating.source = $2 AND rating.source_number = $3) END);
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;
