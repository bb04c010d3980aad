-- What the desk lists: what an account recorded, and what a cadre led, the newest first.
CREATE INDEX contact_recorded_by ON contact (recorded_by, recorded_at) WHERE recorded_by IS NOT NULL;
CREATE INDEX contact_cadre ON contact (cadre_id, recorded_at);
