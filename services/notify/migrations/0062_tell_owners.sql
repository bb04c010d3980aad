-- Who is told of an endpoint: the person who proposed it, or who looked after it last where a machine did; and of an
-- agreement the person who proposed it, to whom endpoints of machines fall. By account, with the staff number if there is one.
ALTER TABLE webhook_endpoint
    ADD COLUMN owner_account_id   uuid,
    ADD COLUMN owner_staff_number text CHECK (length(owner_staff_number) BETWEEN 1 AND 64),
    ADD CONSTRAINT webhook_endpoint_owner CHECK (owner_account_id IS NOT NULL OR owner_staff_number IS NULL);
ALTER TABLE agreement
    ADD COLUMN owner_account_id   uuid,
    ADD COLUMN owner_staff_number text CHECK (length(owner_staff_number) BETWEEN 1 AND 64),
    ADD CONSTRAINT agreement_owner CHECK (owner_account_id IS NOT NULL OR owner_staff_number IS NULL);
-- `owner_told_at` said so when an endpoint was disabled, and nobody had been told. From now on it says so when it is so.
UPDATE webhook_endpoint SET owner_told_at = NULL;
CREATE INDEX webhook_key_ending ON webhook_key (retires_at) WHERE retires_at IS NOT NULL;
