-- No foreign keys between these tables: events arrive in any order, and a fact may be here before what it points to.
CREATE TABLE organisation (
    organisation_id uuid           PRIMARY KEY,
    code            code           NOT NULL,
    name            title          NOT NULL,
    level           code           NOT NULL,
    parent_id       uuid,
    region_type     code,
    sequence        place_in_order NOT NULL
);
CREATE INDEX organisation_code ON organisation (code);
CREATE INDEX organisation_parent ON organisation (parent_id);

CREATE TABLE cadre (
    cadre_id     uuid           PRIMARY KEY,
    staff_number code           NOT NULL,
    name         title          NOT NULL,
    sequence     place_in_order NOT NULL
);
CREATE INDEX cadre_staff_number ON cadre (staff_number);

CREATE TABLE post (
    post_id         uuid           PRIMARY KEY,
    cadre_id        uuid           NOT NULL,
    organisation_id uuid           NOT NULL,
    post_kind       code           NOT NULL,
    post_level      code           NOT NULL,
    from_on         day            NOT NULL,
    until_on        day,
    sequence        place_in_order NOT NULL
);
CREATE INDEX post_cadre ON post (cadre_id, from_on);
CREATE INDEX post_kind ON post (post_kind);

CREATE TABLE duty (
    duty_id        uuid           PRIMARY KEY,
    post_kind      code           NOT NULL,
    contact_kind   code           NOT NULL,
    required_count integer        NOT NULL CHECK (required_count BETWEEN 1 AND 10000),
    per            text           NOT NULL CHECK (per IN ('month', 'quarter', 'year')),
    valid_from     day            NOT NULL,
    valid_until    day,
    sequence       place_in_order NOT NULL
);
CREATE INDEX duty_post_kind ON duty (post_kind);

-- Where a fact names no organisation or no cadre the column holds the nil UUID, which nobody has: a key cannot hold
-- NULL, and joins on IS NOT DISTINCT FROM use no index.
CREATE TABLE contact_fact (
    contact_id       uuid           PRIMARY KEY,
    organisation_id  uuid           NOT NULL,
    cadre_id         uuid           NOT NULL,
    kind             code           NOT NULL,
    occurred_at      instant        NOT NULL,
    recorded_at      instant        NOT NULL,
    duration_minutes integer        CHECK (duration_minutes BETWEEN 0 AND 525600),
    population_group code,
    people_count     integer        CHECK (people_count BETWEEN 0 AND 100000),
    place_code       code,
    sequence         place_in_order NOT NULL
);
CREATE INDEX contact_fact_cadre ON contact_fact (cadre_id, occurred_at);

-- One row an issue, filled by the parts as their events come, in whatever order. `denied`: a rating says it is not solved.
CREATE TABLE issue_fact (
    issue_id            uuid    PRIMARY KEY,
    issue_type          code,
    category            code,
    channel             code,
    urgency             code,
    source              code,
    contact_id          uuid,
    received_at         instant,
    respond_by          instant,
    due_at              instant,
    organisation_id     uuid    NOT NULL,
    cadre_id            uuid    NOT NULL,
    assignment_sequence integer NOT NULL CHECK (assignment_sequence BETWEEN 0 AND 1000000000),
    responded_at        instant,
    closed_at           instant,
    outcome             code,
    closure_sequence    integer NOT NULL CHECK (closure_sequence BETWEEN 0 AND 1000000000),
    denied              boolean NOT NULL,
    CHECK ((closed_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX issue_fact_cell ON issue_fact (organisation_id, cadre_id, received_at);
CREATE INDEX issue_fact_due ON issue_fact (due_at) WHERE closed_at IS NULL;
CREATE INDEX issue_fact_respond ON issue_fact (respond_by) WHERE closed_at IS NULL AND responded_at IS NULL;

-- `organisation_id` and `cadre_id` are copied from what was rated and follow it; nil until that is known.
CREATE TABLE rating_fact (
    rating_id       uuid           PRIMARY KEY,
    issue_id        uuid,
    contact_id      uuid,
    level           smallint       NOT NULL CHECK (level BETWEEN 1 AND 5),
    solved          boolean,
    method          code           NOT NULL,
    rated_at        instant        NOT NULL,
    organisation_id uuid           NOT NULL,
    cadre_id        uuid           NOT NULL,
    sequence        place_in_order NOT NULL,
    CHECK (num_nonnulls(issue_id, contact_id) = 1)
);
CREATE INDEX rating_fact_issue ON rating_fact (issue_id) WHERE issue_id IS NOT NULL;
CREATE INDEX rating_fact_contact ON rating_fact (contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX rating_fact_cell ON rating_fact (organisation_id, cadre_id, rated_at);
