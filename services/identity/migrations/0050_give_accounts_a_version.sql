-- Whoever changes an account may say which version they have read. Roles are given and taken one by one: they move none.
ALTER TABLE account ADD COLUMN version integer NOT NULL DEFAULT 1 CHECK (version BETWEEN 1 AND 1000000000);
