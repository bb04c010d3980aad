-- What came in over Open311 GeoReport v2, beside the issue that it became: docs/decisions/0080-what-open311-shows.md.
-- All that a citizen wrote is sealed; two decimals of a position are about a kilometre.
CREATE TABLE filing (
    issue_id       uuid    PRIMARY KEY REFERENCES issue (id),
    account_id     uuid    NOT NULL, -- the machine client's that filed it
    service_code   code    NOT NULL,
    latitude       numeric(4, 2) CHECK (latitude BETWEEN -90 AND 90),
    longitude      numeric(5, 2) CHECK (longitude BETWEEN -180 AND 180),
    is_public      boolean NOT NULL,
    details_sealed sealed,
    notes_sealed   sealed, -- the words that an officer released for everybody
    changed_at     instant NOT NULL,
    CHECK ((latitude IS NULL) = (longitude IS NULL))
);
CREATE TABLE filing_update (
    id           uuid    PRIMARY KEY,
    issue_id     uuid    NOT NULL REFERENCES filing (issue_id) ON DELETE CASCADE,
    status       text    NOT NULL CHECK (status IN ('open', 'closed')),
    text_sealed  sealed  NOT NULL,
    told_at      instant NOT NULL,
    recorded_at  instant NOT NULL
);
CREATE INDEX filing_update_issue ON filing_update (issue_id, told_at);

-- The keys by which machine clients file: of each only its digest, and the client whose rights it has.
CREATE TABLE filing_key (
    digest     bytea   PRIMARY KEY CHECK (octet_length(digest) = 32),
    account_id uuid    NOT NULL UNIQUE,
    client_id  text    NOT NULL CHECK (length(client_id) BETWEEN 1 AND 200),
    made_at    instant NOT NULL
);

-- Whoever reaches the issue reaches its filing; the policies of issue say who does, and leave out whom it complains of.
ALTER TABLE filing ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON filing FOR SELECT USING (
    (SELECT acting_reach()) = 'system' OR EXISTS (SELECT 1 FROM issue WHERE issue.id = filing.issue_id));
CREATE POLICY entered ON filing FOR INSERT WITH CHECK (
    (SELECT acting_reach()) = 'system' OR account_id::text = (SELECT acting_account()));
CREATE POLICY changed ON filing FOR UPDATE USING (
    (SELECT acting_reach()) = 'system' OR EXISTS (SELECT 1 FROM issue WHERE issue.id = filing.issue_id));
CREATE POLICY removed ON filing FOR DELETE USING ((SELECT acting_reach()) = 'system');

ALTER TABLE filing_update ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON filing_update FOR SELECT USING (
    (SELECT acting_reach()) = 'system' OR EXISTS (SELECT 1 FROM filing WHERE filing.issue_id = filing_update.issue_id));
CREATE POLICY entered ON filing_update FOR INSERT WITH CHECK (
    (SELECT acting_reach()) = 'system'
    OR EXISTS (SELECT 1
                 FROM filing
                WHERE filing.issue_id = filing_update.issue_id
                  AND filing.account_id::text = (SELECT acting_account())));
CREATE POLICY removed ON filing_update FOR DELETE USING ((SELECT acting_reach()) = 'system');

ALTER TABLE filing_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON filing_key
    USING ((SELECT acting_reach()) = 'system' OR account_id::text = (SELECT acting_account()));

-- All that the public ever sees, in one place: no text of a citizen, no complaint or report, no accused, nobody who is
-- restricted or erased. Public reads select from nothing else.
CREATE VIEW public_request WITH (security_invoker = true) AS
SELECT issue.id, filing.service_code, issue.received_at AS requested_at, issue.due_at AS expected_at,
       issue.responded_at, issue.closed_at, issue.outcome,
       greatest(issue.updated_at, filing.changed_at) AS updated_at,
       organisation.name AS agency, filing.latitude, filing.longitude, filing.notes_sealed
  FROM filing
  JOIN issue ON issue.id = filing.issue_id
  LEFT JOIN organisation ON organisation.id = issue.organisation_id
 WHERE filing.is_public
   AND issue.subject_id IS NULL
   AND issue.type NOT IN ('complaint', 'report')
   AND NOT EXISTS (SELECT 1 FROM citizen WHERE citizen.ref = issue.citizen_ref AND citizen.state <> 'active');
