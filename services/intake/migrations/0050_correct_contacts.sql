-- Who was met and who came along, on which days a stay lasted; and what was recorded before a correction.
ALTER TABLE contact
    ADD COLUMN people_by_group    jsonb,
    ADD COLUMN companion_ids      uuid[]  NOT NULL DEFAULT '{}',
    ADD COLUMN first_on           date    CHECK (first_on BETWEEN '1900-01-01' AND '2200-01-01'),
    ADD COLUMN last_on            date    CHECK (last_on BETWEEN '1900-01-01' AND '2200-01-01'),
    ADD COLUMN late_reason_sealed bytea   CHECK (length(late_reason_sealed) BETWEEN 34 AND 200000),
    ADD COLUMN sequence           integer NOT NULL DEFAULT 1 CHECK (sequence BETWEEN 1 AND 1000000000),
    ADD COLUMN counts             boolean NOT NULL DEFAULT true,
    ADD COLUMN voided_at          timestamptz CHECK (voided_at BETWEEN '1900-01-01' AND '2200-01-01'),
    ADD CONSTRAINT contact_stay CHECK (num_nonnulls(first_on, last_on) IN (0, 2) AND first_on <= last_on),
    ADD CONSTRAINT contact_voided_counts_nothing CHECK (voided_at IS NULL OR NOT counts),
    ADD CONSTRAINT contact_companions CHECK (cardinality(companion_ids) <= 20 AND NOT cadre_id = ANY (companion_ids));

CREATE INDEX issue_contact ON issue (contact_id) WHERE contact_id IS NOT NULL;

-- Each row is a contact as it stood at that version, and why it was replaced. Rows are only ever added.
CREATE TABLE contact_version (
    contact_id       uuid           NOT NULL REFERENCES contact (id),
    version          place_in_order NOT NULL,
    kind             text           NOT NULL,
    occurred_at      instant        NOT NULL,
    first_on         day,
    last_on          day,
    duration_minutes integer,
    population_group code,
    people_count     integer,
    people_by_group  jsonb,
    companion_ids    uuid[]         NOT NULL,
    place_code       code,
    note_sealed      sealed,
    counts           boolean        NOT NULL,
    change           text           NOT NULL CHECK (change IN ('amended', 'voided', 'reviewed')),
    replaced_at      instant        NOT NULL,
    replaced_by      uuid,
    reason_code      code           NOT NULL,
    reason_sealed    sealed,
    PRIMARY KEY (contact_id, version)
);
-- Whoever may see a contact may see what it was before; the policy of contact says who.
ALTER TABLE contact_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY seen ON contact_version FOR SELECT USING (
    (SELECT reaches_everything()) OR EXISTS (SELECT 1 FROM contact WHERE contact.id = contact_version.contact_id));
CREATE POLICY added ON contact_version FOR INSERT WITH CHECK (
    (SELECT reaches_everything()) OR EXISTS (SELECT 1 FROM contact WHERE contact.id = contact_version.contact_id));

-- A cadre corrects the own contacts; for how long, the handler says.
DROP POLICY changed ON contact;
CREATE POLICY changed ON contact FOR UPDATE USING (
    (SELECT reaches_everything()) OR is_within_reach(owner_organisation_id) OR cadre_id = (SELECT acting_cadre_id()));

-- The first day that a cadre is known to have served; no day where no post is registered.
CREATE FUNCTION served_since(cadre uuid) RETURNS date LANGUAGE plpgsql STABLE STRICT
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer date;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := (SELECT min(from_on) FROM post WHERE post.cadre_id = $1);
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

-- A place is a village or community by its 12 digits, or any organisation by its code, wherever it lies.
CREATE FUNCTION is_place(place text) RETURNS boolean LANGUAGE plpgsql STABLE STRICT
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    answer boolean;
BEGIN
    IF place ~ '^[0-9]{12}$' THEN
        RETURN true;
    END IF;
    PERFORM set_config('lianxin.reach', 'system', true);
    answer := EXISTS (SELECT 1 FROM organisation WHERE code = place);
    PERFORM set_config('lianxin.reach', given, true);
    RETURN answer;
END $$;

-- Whoever came along may serve anywhere; NULL stands where nobody has the number.
CREATE FUNCTION officials_of(staff_numbers text[]) RETURNS uuid[] LANGUAGE sql STABLE STRICT
    RETURN (SELECT coalesce(array_agg(official_of(number) ORDER BY number), '{}') FROM unnest(staff_numbers) AS number);
