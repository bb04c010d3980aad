-- Domains carry the bounds that every column of a kind shares. Both bounds always: 'infinity' passes a lower one.
CREATE DOMAIN instant AS timestamptz CHECK (VALUE >= '1900-01-01 00:00:00+00' AND VALUE <= '2200-01-01 00:00:00+00');
CREATE DOMAIN day AS date CHECK (VALUE >= '1900-01-01' AND VALUE <= '2200-01-01');
CREATE DOMAIN code AS text CHECK (length(VALUE) BETWEEN 1 AND 64);
CREATE DOMAIN title AS text CHECK (length(VALUE) BETWEEN 1 AND 200);
CREATE DOMAIN free_text AS text CHECK (length(VALUE) BETWEEN 1 AND 20000);
CREATE DOMAIN digest AS bytea CHECK (length(VALUE) = 16);
CREATE DOMAIN place_in_order AS integer CHECK (VALUE BETWEEN 1 AND 1000000000);

CREATE TABLE organisation (
    id          uuid           PRIMARY KEY,
    code        code           NOT NULL UNIQUE,
    name        title          NOT NULL,
    level       code           NOT NULL,
    parent_id   uuid           REFERENCES organisation (id),
    region_type code,
    sequence    place_in_order NOT NULL,
    recorded_at instant        NOT NULL,
    CHECK (parent_id <> id)
);

CREATE TABLE cadre (
    id           uuid           PRIMARY KEY,
    staff_number code           NOT NULL UNIQUE,
    name         title          NOT NULL,
    sequence     place_in_order NOT NULL,
    recorded_at  instant        NOT NULL
);

CREATE TABLE post (
    id              uuid           PRIMARY KEY,
    cadre_id        uuid           NOT NULL REFERENCES cadre (id),
    organisation_id uuid           NOT NULL REFERENCES organisation (id),
    post_kind       code           NOT NULL,
    post_level      code           NOT NULL,
    from_on         day            NOT NULL,
    until_on        day,
    sequence        place_in_order NOT NULL,
    recorded_at     instant        NOT NULL,
    CHECK (until_on >= from_on),
    UNIQUE (cadre_id, organisation_id, post_kind, from_on)
);

CREATE TABLE duty (
    id             uuid           PRIMARY KEY,
    post_kind      code           NOT NULL,
    contact_kind   text           NOT NULL,
    required_count integer        NOT NULL CHECK (required_count BETWEEN 1 AND 10000),
    per            text           NOT NULL CHECK (per IN ('month', 'quarter', 'year')),
    valid_from     day            NOT NULL,
    valid_until    day,
    sequence       place_in_order NOT NULL,
    recorded_at    instant        NOT NULL,
    CHECK (valid_until >= valid_from),
    CONSTRAINT duty_contact_kind CHECK (contact_kind IN (
        'visit', 'reception', 'outreach_reception', 'field_stay', 'paired_assistance', 'discussion_meeting',
        'field_study', 'volunteer_service', 'online', 'hotline_duty')),
    UNIQUE (post_kind, contact_kind, per, valid_from)
);

CREATE TABLE contact (
    id               uuid    PRIMARY KEY,
    source           code    NOT NULL,
    source_number    code,
    cadre_id         uuid    NOT NULL REFERENCES cadre (id),
    organisation_id  uuid    REFERENCES organisation (id),
    kind             text    NOT NULL,
    occurred_at      instant NOT NULL,
    recorded_at      instant NOT NULL,
    duration_minutes integer CHECK (duration_minutes BETWEEN 0 AND 525600),
    population_group code,
    people_count     integer CHECK (people_count BETWEEN 0 AND 100000),
    place_code       code,
    note             free_text,
    flags            text[]  NOT NULL,
    content_hash     digest  NOT NULL,
    CONSTRAINT contact_kind CHECK (kind IN (
        'visit', 'reception', 'outreach_reception', 'field_stay', 'paired_assistance', 'discussion_meeting',
        'field_study', 'volunteer_service', 'online', 'hotline_duty'))
);
CREATE UNIQUE INDEX contact_source_number ON contact (source, source_number) WHERE source_number IS NOT NULL;

CREATE TABLE issue (
    id              uuid           PRIMARY KEY,
    source          code           NOT NULL,
    source_number   code,
    type            text           NOT NULL CHECK (
        type IN ('enquiry', 'help', 'complaint', 'report', 'suggestion', 'thanks')),
    category        code           NOT NULL,
    channel         text           NOT NULL CHECK (
        channel IN ('phone', 'web', 'app', 'mailbox', 'contact', 'reception', 'staff', 'social_media', 'other_system')),
    urgency         text           NOT NULL CHECK (urgency IN ('normal', 'urgent', 'critical')),
    title           title          NOT NULL,
    description     free_text,
    received_at     instant        NOT NULL,
    respond_by      instant,
    due_at          instant,
    contact_id      uuid           REFERENCES contact (id),
    organisation_id uuid           REFERENCES organisation (id),
    cadre_id        uuid           REFERENCES cadre (id),
    assigned_at     instant,
    responded_at    instant,
    closed_at       instant,
    outcome         text           CHECK (
        outcome IN ('resolved', 'explained_policy', 'not_accepted', 'withdrawn', 'merged')),
    reply           free_text,
    status          text           NOT NULL CHECK (status IN ('received', 'assigned', 'responded', 'closed')),
    sequence        place_in_order NOT NULL,
    recorded_at     instant        NOT NULL,
    flags           text[]         NOT NULL,
    content_hash    digest         NOT NULL,
    progress_hash   digest         NOT NULL,
    CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    CHECK ((status = 'closed') = (closed_at IS NOT NULL))
);
CREATE UNIQUE INDEX issue_source_number ON issue (source, source_number) WHERE source_number IS NOT NULL;

CREATE TABLE rating (
    id            uuid     PRIMARY KEY,
    source        code     NOT NULL,
    source_number code,
    issue_id      uuid     REFERENCES issue (id),
    contact_id    uuid     REFERENCES contact (id),
    level         smallint NOT NULL CHECK (level BETWEEN 1 AND 5),
    solved        boolean,
    method        text     NOT NULL CHECK (method IN ('link', 'callback', 'kiosk', 'app', 'import')),
    rated_at      instant  NOT NULL,
    recorded_at   instant  NOT NULL,
    flags         text[]   NOT NULL,
    content_hash  digest   NOT NULL,
    CHECK (num_nonnulls(issue_id, contact_id) = 1)
);
CREATE UNIQUE INDEX rating_source_number ON rating (source, source_number) WHERE source_number IS NOT NULL;

CREATE TABLE idempotency_key (
    caller      text    NOT NULL CHECK (length(caller) BETWEEN 1 AND 255),
    key         text    NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint digest  NOT NULL,
    record_id   uuid    NOT NULL,
    created_at  instant NOT NULL,
    PRIMARY KEY (caller, key)
);
