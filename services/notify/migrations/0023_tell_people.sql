-- Who is told: a person by staff number, or by the account of one who has none, or a group by its robot. A row comes to
-- be when there is first something to tell, or when the person first says how.
CREATE TABLE recipient (
    id           uuid     PRIMARY KEY,
    staff_number text     UNIQUE CHECK (length(staff_number) BETWEEN 1 AND 64),
    account_id   uuid     UNIQUE,
    robot        text     UNIQUE CHECK (length(robot) BETWEEN 1 AND 64),
    language     text     NOT NULL DEFAULT 'zh' CHECK (language IN ('zh', 'en')),
    email        text     CHECK (length(email) BETWEEN 3 AND 254 AND email !~ '[[:space:][:cntrl:],;<>]'),
    mobile       text     CHECK (mobile ~ '^1[3-9][0-9]{9}$'),
    channels     text[]   NOT NULL DEFAULT '{inbox}' CHECK (cardinality(channels) BETWEEN 1 AND 8),
    quiet_from   time     NOT NULL DEFAULT '21:00',
    quiet_until  time     NOT NULL DEFAULT '07:30',
    digest_at    time     NOT NULL DEFAULT '08:30',
    daily_cap    integer  NOT NULL DEFAULT 20 CHECK (daily_cap BETWEEN 1 AND 1000),
    last_number  bigint   NOT NULL DEFAULT 0 CHECK (last_number >= 0), -- of the messages in the inbox
    CHECK (num_nonnulls(staff_number, account_id, robot) = 1)
);

-- How somebody, or everybody of a unit and below, wants to be told by a rule. What is compulsory is told all the same.
CREATE TABLE preference (
    recipient_id    uuid REFERENCES recipient ON DELETE CASCADE,
    organisation_id uuid,
    rule            text NOT NULL CHECK (length(rule) BETWEEN 1 AND 64),
    mode            text NOT NULL CHECK (mode IN ('at_once', 'digest', 'off')),
    CHECK (num_nonnulls(recipient_id, organisation_id) = 1),
    UNIQUE NULLS NOT DISTINCT (recipient_id, organisation_id, rule)
);

-- How far each process has read the log of events.
CREATE TABLE reader (
    name     text   PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    position bigint NOT NULL CHECK (position BETWEEN 0 AND 1000000000000000)
);
INSERT INTO reader (name, position) SELECT 'notices', last_position FROM event_position;

-- One thing to tell one recipient: codes, ids and times, as its template is filled with. It is told by a digest of one or
-- of many, or dropped with a reason.
CREATE TABLE notice (
    id            uuid        PRIMARY KEY,
    recipient_id  uuid        NOT NULL REFERENCES recipient ON DELETE CASCADE,
    rule          text        NOT NULL CHECK (length(rule) BETWEEN 1 AND 64),
    topic         text        NOT NULL CHECK (length(topic) BETWEEN 1 AND 64),
    event_id      uuid        NOT NULL,
    issue_id      uuid,
    facts         jsonb       NOT NULL,
    mode          text        NOT NULL CHECK (mode IN ('at_once', 'digest')),
    is_compulsory boolean     NOT NULL,
    made_at       timestamptz NOT NULL CHECK (made_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    due_at        timestamptz NOT NULL CHECK (due_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    valid_until   timestamptz NOT NULL CHECK (valid_until BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    digest_id     uuid        REFERENCES digest ON DELETE SET NULL,
    settled_at    timestamptz CHECK (settled_at BETWEEN '1990-01-01Z' AND '2200-01-01Z'),
    dropped       text        CHECK (dropped IN ('expired', 'settled')),
    UNIQUE (event_id, rule, recipient_id)
);
CREATE INDEX notice_waiting ON notice (recipient_id, due_at) WHERE settled_at IS NULL;
CREATE INDEX notice_due ON notice (due_at) WHERE settled_at IS NULL;
CREATE INDEX notice_settled ON notice (settled_at) WHERE settled_at IS NOT NULL;

-- A digest is of scores for a subscription, or of notices for a recipient.
ALTER TABLE digest
    ALTER COLUMN subscription_id DROP NOT NULL,
    ALTER COLUMN seen_through DROP NOT NULL,
    ALTER COLUMN score_count DROP NOT NULL,
    ADD COLUMN recipient_id uuid REFERENCES recipient ON DELETE CASCADE,
    ADD COLUMN notice_count integer CHECK (notice_count BETWEEN 1 AND 1000000),
    ADD CHECK (num_nonnulls(subscription_id, recipient_id) = 1),
    ADD CHECK ((subscription_id IS NULL) = (score_count IS NULL)),
    ADD CHECK ((recipient_id IS NULL) = (notice_count IS NULL));
CREATE INDEX digest_recipient ON digest (recipient_id, composed_at) WHERE recipient_id IS NOT NULL;
ALTER TABLE message
    ALTER COLUMN subscription_id DROP NOT NULL,
    ADD COLUMN recipient_id uuid REFERENCES recipient ON DELETE CASCADE,
    ADD COLUMN number bigint CHECK (number > 0), -- in the order of one recipient's inbox
    ADD CHECK (num_nonnulls(subscription_id, recipient_id) = 1),
    ADD CHECK ((recipient_id IS NULL) = (number IS NULL)),
    ADD UNIQUE (recipient_id, number);
CREATE INDEX message_unread_own ON message (recipient_id, number) WHERE read_at IS NULL AND recipient_id IS NOT NULL;

-- What is one's own: by the account, or by the staff number that all accounts of a person have.
ALTER TABLE recipient ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON recipient USING ((SELECT acting_reach()) = 'system');
CREATE POLICY own ON recipient USING (
    staff_number = (SELECT acting_as()) OR account_id::text = (SELECT acting_account()));
ALTER TABLE preference ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON preference USING ((SELECT acting_reach()) = 'system');
CREATE POLICY own ON preference USING (EXISTS (SELECT 1 FROM recipient WHERE recipient.id = preference.recipient_id));
CREATE POLICY by_reach ON preference USING (organisation_id IS NOT NULL AND is_within_reach(organisation_id));
ALTER TABLE reader ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON reader USING ((SELECT acting_reach()) = 'system');
ALTER TABLE notice ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON notice USING ((SELECT acting_reach()) = 'system');
CREATE POLICY own ON digest FOR SELECT USING (
    EXISTS (SELECT 1 FROM recipient WHERE recipient.id = digest.recipient_id));
CREATE POLICY own ON message FOR SELECT USING (
    EXISTS (SELECT 1 FROM recipient WHERE recipient.id = message.recipient_id));
CREATE POLICY own_read ON message FOR UPDATE USING (
    EXISTS (SELECT 1 FROM recipient WHERE recipient.id = message.recipient_id));
