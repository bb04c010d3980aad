-- What is owed where: a duty holds for an organisation and what stands below it, for posts of one level, in days or
-- households as well as in times, and by the half-year.
ALTER TABLE duty
    ADD COLUMN organisation_id uuid REFERENCES organisation (id),
    ADD COLUMN post_level      code,
    ADD COLUMN unit            text NOT NULL DEFAULT 'count' CHECK (unit IN ('count', 'days', 'households')),
    DROP CONSTRAINT duty_per_check,
    ADD CONSTRAINT duty_per CHECK (per IN ('month', 'quarter', 'half_year', 'year')),
    DROP CONSTRAINT duty_post_kind_contact_kind_per_valid_from_key,
    ADD CONSTRAINT duty_natural_key
        UNIQUE NULLS NOT DISTINCT (organisation_id, post_kind, post_level, contact_kind, unit, per, valid_from);
