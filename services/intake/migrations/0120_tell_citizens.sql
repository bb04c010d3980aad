-- Whether a citizen wants to be told by messages, where anybody asked. Without a row nobody did.
CREATE TABLE citizen_wish (
    citizen_ref    uuid    PRIMARY KEY REFERENCES citizen (ref) ON DELETE CASCADE,
    wants_messages boolean NOT NULL,
    set_at         instant NOT NULL,
    set_by         uuid
);

-- What citizens are to be told. The text is sealed under the citizen's own key, and no phone stands here: it is opened
-- from where it is kept, at the moment of the call.
CREATE TABLE citizen_message (
    id              uuid    PRIMARY KEY,
    event_id        uuid    NOT NULL UNIQUE, -- of one event a citizen is told once
    citizen_ref     uuid    NOT NULL REFERENCES citizen (ref) ON DELETE CASCADE,
    issue_id        uuid    NOT NULL REFERENCES issue (id),
    kind            text    NOT NULL CHECK (kind IN ('received', 'answered')),
    text_sealed     sealed,
    state           text    NOT NULL CHECK (state IN ('due', 'claimed', 'sent', 'failed', 'expired', 'withdrawn')),
    made_at         instant NOT NULL,
    next_attempt_at instant NOT NULL,
    valid_until     instant NOT NULL,
    attempts        integer NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 100000),
    attempts_before integer NOT NULL DEFAULT 0 CHECK (attempts_before BETWEEN 0 AND attempts), -- a replay
    settled_at      instant,
    reason          text    CHECK (length(reason) <= 200),
    reference       text    CHECK (length(reference) <= 200), -- what the gateway calls it
    receipt         text    CHECK (receipt IN ('delivered', 'undelivered')),
    receipt_at      instant,
    CHECK ((state IN ('due', 'claimed')) = (settled_at IS NULL)),
    CHECK ((receipt IS NULL) = (receipt_at IS NULL)),
    CHECK (text_sealed IS NOT NULL OR settled_at IS NOT NULL)
);
CREATE INDEX citizen_message_open ON citizen_message (next_attempt_at) WHERE state IN ('due', 'claimed');
CREATE INDEX citizen_message_issue ON citizen_message (issue_id, made_at);
CREATE INDEX citizen_message_citizen ON citizen_message (citizen_ref, made_at);
CREATE INDEX citizen_message_reference ON citizen_message (reference) WHERE reference IS NOT NULL;
CREATE INDEX citizen_message_settled ON citizen_message (settled_at, id) WHERE settled_at IS NOT NULL;

-- Every attempt, entered before the call is made. `lost`: nobody ever heard what became of it.
CREATE TABLE citizen_message_attempt (
    message_id uuid    NOT NULL REFERENCES citizen_message ON DELETE CASCADE,
    number     integer NOT NULL CHECK (number BETWEEN 1 AND 100000),
    begun_at   instant NOT NULL,
    ended_at   instant,
    outcome    text    CHECK (outcome IN ('sent', 'retry', 'failed', 'lost')),
    reason     text    CHECK (length(reason) <= 200),
    PRIMARY KEY (message_id, number),
    CHECK ((outcome IS NULL) = (ended_at IS NULL))
);

-- What the gateway told afterwards, in whatever order and however often.
CREATE TABLE citizen_message_receipt (
    message_id  uuid    NOT NULL REFERENCES citizen_message ON DELETE CASCADE,
    state       text    NOT NULL CHECK (state IN ('delivered', 'undelivered')),
    reported_at instant NOT NULL,
    heard_at    instant NOT NULL,
    PRIMARY KEY (message_id, state, reported_at)
);

-- How the gateway has answered lately, how fast it may be called, and how far the log of events has been gone through.
CREATE TABLE citizen_gateway (
    is_the_one      boolean PRIMARY KEY DEFAULT true CHECK (is_the_one),
    failures        integer NOT NULL DEFAULT 0 CHECK (failures BETWEEN 0 AND 1000000000),
    openings        integer NOT NULL DEFAULT 0 CHECK (openings BETWEEN 0 AND 1000000000),
    open_until      instant,
    room            integer CHECK (room BETWEEN 1 AND 100000),
    paced_until     instant,
    read_until_transaction bigint CHECK (read_until_transaction >= 0),
    read_until_event       bigint CHECK (read_until_event >= 0),
    CHECK (num_nonnulls(read_until_transaction, read_until_event) IN (0, 2))
);
INSERT INTO citizen_gateway DEFAULT VALUES;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['citizen_wish', 'citizen_message', 'citizen_message_attempt',
                                'citizen_message_receipt', 'citizen_gateway']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY kept ON %I USING ((SELECT acting_reach()) = ''system'')', name);
    END LOOP;
END $$;
-- Whoever sees an issue sees what its citizen was told of it: that, when and how, and not with which words.
CREATE POLICY seen ON citizen_message FOR SELECT USING (
    EXISTS (SELECT 1 FROM issue WHERE issue.id = citizen_message.issue_id));
