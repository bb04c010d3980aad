-- Reception days that citizens can book. What is announced is public; who comes, and about what, is not.
CREATE TABLE reception_day (
    id              uuid           PRIMARY KEY,
    organisation_id uuid           NOT NULL REFERENCES organisation (id),
    cadre_id        uuid           NOT NULL REFERENCES cadre (id),
    place           title          NOT NULL,
    topic           title,
    from_at         instant        NOT NULL,
    until_at        instant        NOT NULL,
    slot_minutes    integer        NOT NULL CHECK (slot_minutes BETWEEN 5 AND 240),
    state           text           NOT NULL CHECK (state IN ('offered', 'held', 'cancelled')),
    reason_code     code,
    visitor_count   integer        CHECK (visitor_count BETWEEN 0 AND 1000000),
    sequence        place_in_order NOT NULL,
    recorded_at     instant        NOT NULL,
    CHECK (until_at >= from_at + make_interval(mins => slot_minutes) AND until_at <= from_at + interval '24 hours'),
    CHECK ((state = 'cancelled') = (reason_code IS NOT NULL)),
    CHECK ((state = 'held') = (visitor_count IS NOT NULL))
);
CREATE INDEX reception_day_coming ON reception_day (from_at, id) WHERE state = 'offered';
CREATE INDEX reception_day_organisation ON reception_day (organisation_id, from_at);

-- A booking ends with the day, so its citizen is no entry in the register of citizens: name, phone and topic lie here,
-- sealed, and are emptied soon afterwards. The handle of the phone bounds how much one phone can book.
CREATE TABLE reception_booking (
    id               uuid    PRIMARY KEY,
    reception_day_id uuid    NOT NULL REFERENCES reception_day (id),
    slot             integer NOT NULL CHECK (slot BETWEEN 1 AND 288),
    digest           bytea   NOT NULL UNIQUE CHECK (octet_length(digest) = 32), -- of the citizen's token
    state            text    NOT NULL CHECK (state IN ('booked', 'came', 'absent', 'cancelled')),
    name_sealed      sealed,
    phone_sealed     sealed,
    topic_sealed     sealed,
    phone_handle     bytea   CHECK (length(phone_handle) = 38),
    person_handle    bytea   CHECK (length(person_handle) = 38), -- of phone and name together: erasure finds it
    booked_at        instant NOT NULL,
    forgotten_at     instant,
    CHECK (forgotten_at IS NULL OR num_nonnulls(name_sealed, phone_sealed, topic_sealed, phone_handle, person_handle) = 0)
);
CREATE UNIQUE INDEX reception_booking_slot ON reception_booking (reception_day_id, slot) WHERE state <> 'cancelled';
CREATE INDEX reception_booking_phone ON reception_booking (phone_handle) WHERE phone_handle IS NOT NULL;
CREATE INDEX reception_booking_person ON reception_booking (person_handle) WHERE person_handle IS NOT NULL;
CREATE INDEX reception_booking_known ON reception_booking (booked_at) WHERE forgotten_at IS NULL;

-- Announced is announced to everybody; citizens, who have no account, ask as the system.
ALTER TABLE reception_day ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON reception_day FOR SELECT USING ((SELECT acting_reach()) IS NOT NULL);
CREATE POLICY offered ON reception_day FOR INSERT
    WITH CHECK ((SELECT reaches_everything()) OR is_within_reach(organisation_id));
CREATE POLICY changed ON reception_day FOR UPDATE
    USING ((SELECT reaches_everything()) OR is_within_reach(organisation_id) OR cadre_id = (SELECT acting_cadre_id()));

ALTER TABLE reception_booking ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY kept ON reception_booking USING (
    (SELECT reaches_everything())
    OR EXISTS (SELECT 1
                 FROM reception_day AS received
                WHERE received.id = reception_booking.reception_day_id
                  AND (is_within_reach(received.organisation_id) OR received.cadre_id = (SELECT acting_cadre_id()))));
