-- Calls and invitations that wait are found by the unit as well: docs/decisions/0144-calls-and-invitations-go-by-units.md. Who
-- sees them is for their policies to say, as before.

-- The unit of the issue or contact as long as the call waits; afterwards the one that it ended with. It refers to none: what
-- it is taken from does.
ALTER TABLE callback_task ADD COLUMN owner_organisation_id uuid;
CREATE INDEX callback_task_owner ON callback_task (owner_organisation_id, created_at, id) WHERE state = 'open';
CREATE INDEX rating_invitation_owner ON rating_invitation (owner_organisation_id, due_at, id) WHERE state = 'due';

CREATE FUNCTION take_owner_of_matter() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    IF NEW.issue_id IS NOT NULL THEN
        SELECT owner_organisation_id INTO NEW.owner_organisation_id FROM issue WHERE id = NEW.issue_id;
    ELSE
        SELECT owner_organisation_id INTO NEW.owner_organisation_id FROM contact WHERE id = NEW.contact_id;
    END IF;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN NEW;
END $$;
CREATE TRIGGER take_owner BEFORE INSERT ON callback_task FOR EACH ROW EXECUTE FUNCTION take_owner_of_matter();
CREATE TRIGGER take_owner BEFORE INSERT ON rating_invitation
    FOR EACH ROW WHEN (NEW.state = 'due') EXECUTE FUNCTION take_owner_of_matter();

-- What is handed over just then has no unit, and whoever lists asks its policy. Nobody is waited for: whoever makes calls about
-- the issues of a cadre has one of them locked, and somebody else another. Else the issue is held for a moment.
CREATE FUNCTION keep_owner_of_matter() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
    owner uuid;
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    IF NEW.issue_id IS NOT NULL THEN
        SELECT owner_organisation_id INTO owner FROM issue WHERE id = NEW.issue_id FOR SHARE SKIP LOCKED;
    ELSE
        SELECT owner_organisation_id INTO owner FROM contact WHERE id = NEW.contact_id FOR SHARE SKIP LOCKED;
    END IF;
    IF owner IS DISTINCT FROM NEW.owner_organisation_id THEN
        IF TG_TABLE_NAME = 'callback_task' THEN
            UPDATE callback_task SET owner_organisation_id = owner WHERE id = NEW.id AND state = 'open';
        ELSE
            UPDATE rating_invitation SET owner_organisation_id = owner WHERE id = NEW.id AND state = 'due';
        END IF;
    END IF;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER keep_owner AFTER INSERT ON callback_task DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION keep_owner_of_matter();
CREATE CONSTRAINT TRIGGER keep_owner AFTER INSERT ON rating_invitation DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'due') EXECUTE FUNCTION keep_owner_of_matter();

-- As before, but what waits goes on with the issue and the contact, too. An invitation that is made stays where it was made.
CREATE OR REPLACE FUNCTION pass_owner_on() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text := current_setting('lianxin.reach', true);
BEGIN
    PERFORM set_config('lianxin.reach', 'system', true);
    CASE TG_TABLE_NAME
        WHEN 'issue' THEN
            UPDATE citizen_message SET owner_organisation_id = NEW.owner_organisation_id WHERE issue_id = NEW.id;
            UPDATE callback_task SET owner_organisation_id = NEW.owner_organisation_id
             WHERE issue_id = NEW.id AND state = 'open';
            UPDATE rating_invitation SET owner_organisation_id = NEW.owner_organisation_id
             WHERE issue_id = NEW.id AND state = 'due';
        WHEN 'contact' THEN
            UPDATE contact_review SET owner_organisation_id = NEW.owner_organisation_id WHERE contact_id = NEW.id;
            UPDATE callback_task SET owner_organisation_id = NEW.owner_organisation_id
             WHERE contact_id = NEW.id AND state = 'open';
            UPDATE rating_invitation SET owner_organisation_id = NEW.owner_organisation_id
             WHERE contact_id = NEW.id AND state = 'due';
        ELSE
            UPDATE rating_comment SET owner_organisation_id = NEW.owner_organisation_id WHERE rating_id = NEW.id;
            UPDATE rating_case SET owner_organisation_id = NEW.owner_organisation_id WHERE rating_id = NEW.id;
    END CASE;
    PERFORM set_config('lianxin.reach', given, true);
    RETURN NULL;
END $$;
