-- Cells whose tally is due. `revision` grows with every new reason, so that a pass removes only what it has really seen.
CREATE TABLE tally_due (
    organisation_id uuid        NOT NULL,
    cadre_id        uuid        NOT NULL,
    month           date        NOT NULL,
    marked_at       timestamptz NOT NULL,
    revision        bigint      NOT NULL,
    correlation_id  text        NOT NULL,
    PRIMARY KEY (organisation_id, cadre_id, month)
);
CREATE INDEX tally_due_order ON tally_due (marked_at, organisation_id, cadre_id, month);

-- Cadres and organisations whose register entry changed: every period of theirs is due.
CREATE TABLE subject_due (
    subject_kind   text        NOT NULL CHECK (subject_kind IN ('cadre', 'organisation')),
    subject_id     uuid        NOT NULL,
    marked_at      timestamptz NOT NULL,
    revision       bigint      NOT NULL,
    correlation_id text        NOT NULL,
    PRIMARY KEY (subject_kind, subject_id)
);

-- How far the sweeps have come.
CREATE TABLE sweep (
    name        text    PRIMARY KEY CHECK (name IN ('overdue', 'duty')),
    swept_until instant NOT NULL
);

-- What a cadre did for an organisation in a month: recomputed from the facts, never counted up. Duties owed by the
-- quarter or the year stand in the row of its first month, so that every period is a plain sum of rows.
CREATE TABLE tally (
    organisation_id     uuid        NOT NULL,
    cadre_id            uuid        NOT NULL,
    month               date        NOT NULL,
    duties_owed_month   tally_count NOT NULL,
    duties_met_month    tally_count NOT NULL,
    duties_owed_quarter tally_count NOT NULL,
    duties_met_quarter  tally_count NOT NULL,
    duties_owed_year    tally_count NOT NULL,
    duties_met_year     tally_count NOT NULL,
    contacts            tally_count NOT NULL,
    issues_received     tally_count NOT NULL,
    responded           tally_count NOT NULL,
    response_overdue    tally_count NOT NULL,
    closed              tally_count NOT NULL,
    closed_on_time      tally_count NOT NULL,
    closed_late         tally_count NOT NULL,
    open_overdue        tally_count NOT NULL,
    resolved            tally_count NOT NULL,
    denied              tally_count NOT NULL,
    explained_policy    tally_count NOT NULL,
    not_accepted        tally_count NOT NULL,
    withdrawn           tally_count NOT NULL,
    merged              tally_count NOT NULL,
    ratings             tally_count NOT NULL,
    satisfied           tally_count NOT NULL,
    rating_level_sum    tally_count NOT NULL,
    PRIMARY KEY (organisation_id, month, cadre_id)
);
CREATE INDEX tally_cadre ON tally (cadre_id, month);

-- The same for an organisation with everything below it: its own cells plus the rows of its children.
CREATE TABLE organisation_tally (
    organisation_id     uuid        NOT NULL,
    month               date        NOT NULL,
    duties_owed_month   tally_count NOT NULL,
    duties_met_month    tally_count NOT NULL,
    duties_owed_quarter tally_count NOT NULL,
    duties_met_quarter  tally_count NOT NULL,
    duties_owed_year    tally_count NOT NULL,
    duties_met_year     tally_count NOT NULL,
    contacts            tally_count NOT NULL,
    issues_received     tally_count NOT NULL,
    responded           tally_count NOT NULL,
    response_overdue    tally_count NOT NULL,
    closed              tally_count NOT NULL,
    closed_on_time      tally_count NOT NULL,
    closed_late         tally_count NOT NULL,
    open_overdue        tally_count NOT NULL,
    resolved            tally_count NOT NULL,
    denied              tally_count NOT NULL,
    explained_policy    tally_count NOT NULL,
    not_accepted        tally_count NOT NULL,
    withdrawn           tally_count NOT NULL,
    merged              tally_count NOT NULL,
    ratings             tally_count NOT NULL,
    satisfied           tally_count NOT NULL,
    rating_level_sum    tally_count NOT NULL,
    PRIMARY KEY (organisation_id, month)
);

-- Both kinds of subject under one name, for what is asked of either.
CREATE VIEW subject_tally WITH (security_invoker = true) AS
SELECT 'cadre'::text AS subject_kind, cadre_id AS subject_id, month,
       duties_owed_month, duties_met_month, duties_owed_quarter, duties_met_quarter, duties_owed_year,
       duties_met_year, contacts, issues_received, responded, response_overdue, closed, closed_on_time,
       closed_late, open_overdue, resolved, denied, explained_policy, not_accepted, withdrawn, merged, ratings,
       satisfied, rating_level_sum
  FROM tally
 UNION ALL
SELECT 'organisation', organisation_id, month,
       duties_owed_month, duties_met_month, duties_owed_quarter, duties_met_quarter, duties_owed_year,
       duties_met_year, contacts, issues_received, responded, response_overdue, closed, closed_on_time,
       closed_late, open_overdue, resolved, denied, explained_policy, not_accepted, withdrawn, merged, ratings,
       satisfied, rating_level_sum
  FROM organisation_tally;
