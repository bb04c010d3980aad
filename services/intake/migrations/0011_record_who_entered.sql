-- Whose request entered a record: the account that the transaction acts for. Imports act for nobody in particular; who
-- asked for one is in import_run and in the audit.
ALTER TABLE contact ADD COLUMN recorded_by uuid DEFAULT nullif(current_setting('lianxin.account', true), '')::uuid;
ALTER TABLE issue ADD COLUMN recorded_by uuid DEFAULT nullif(current_setting('lianxin.account', true), '')::uuid;
ALTER TABLE rating ADD COLUMN recorded_by uuid DEFAULT nullif(current_setting('lianxin.account', true), '')::uuid;
