-- What the watch over the indicators sums up of each score by the fair scheme: one line for each indicator, in the order of
-- the settings, with what services.assessment.fair.watching names. Small beside the documents, so that a hundred thousand
-- cadres over two years are summed while somebody waits.
CREATE TABLE fair_watch (
    starts_on       day       NOT NULL,
    ends_on         day       NOT NULL,
    cadre_id        uuid      NOT NULL,
    staff_number    code      NOT NULL,
    organisation_id uuid,
    figures         integer[] NOT NULL CHECK (array_dims(figures) = '[1:6][1:7]'),
    PRIMARY KEY (ends_on, starts_on, cadre_id),
    FOREIGN KEY (ends_on, starts_on, cadre_id) REFERENCES fair_result (ends_on, starts_on, cadre_id)
);

-- Of what was looked at before this release nothing is known until the next look.
ALTER TABLE fair_score ADD COLUMN figures integer[] CHECK (array_dims(figures) = '[1:6][1:7]');

-- Whoever may read the results, and nobody else: written once, never of the own.
ALTER TABLE fair_watch ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY processes_read ON fair_watch FOR SELECT USING ((SELECT acting_reach() = 'system'));
CREATE POLICY processes_write ON fair_watch FOR INSERT WITH CHECK ((SELECT acting_reach() = 'system'));
CREATE POLICY readers ON fair_watch FOR SELECT
 USING (((SELECT acting_reach() = 'everywhere')
         OR ((SELECT acting_reach() = 'scoped')
             AND organisation_id IN (SELECT acting_subtree())))
        AND staff_number IS DISTINCT FROM (SELECT acting_as()));
