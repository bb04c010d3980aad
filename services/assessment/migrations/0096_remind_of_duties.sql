-- One look, so many days before a period ends, at who has not met the duties of it: how far it has come, and when it was
-- through. Its events are written with its progress, so that nobody is told twice or left out. Nobody is named here.
CREATE TABLE duty_look (
    per          text     NOT NULL CHECK (per IN ('month', 'quarter', 'half_year', 'year')),
    period_start day      NOT NULL,
    days_before  smallint NOT NULL CHECK (days_before BETWEEN 0 AND 365),
    begun_at     instant  NOT NULL,
    done_at      instant,
    looked_until uuid     NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- organisations in the order of ids
    PRIMARY KEY (per, period_start, days_before)
);
ALTER TABLE duty_look ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY processes ON duty_look USING ((SELECT acting_reach()) = 'system');

CREATE INDEX post_organisation ON post (organisation_id, cadre_id);
