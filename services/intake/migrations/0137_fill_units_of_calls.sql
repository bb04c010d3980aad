-- By itself, as for the lists before. Calls that are over have a unit, too, so that one without is known to be rare; of
-- invitations only those are changed that wait, and whose issue went on.
SET LOCAL statement_timeout = 0;
UPDATE callback_task AS task
   SET owner_organisation_id = issue.owner_organisation_id
  FROM issue
 WHERE issue.id = task.issue_id;
UPDATE callback_task AS task
   SET owner_organisation_id = contact.owner_organisation_id
  FROM contact
 WHERE contact.id = task.contact_id;
UPDATE rating_invitation AS invitation
   SET owner_organisation_id = issue.owner_organisation_id
  FROM issue
 WHERE invitation.state = 'due'
   AND issue.id = invitation.issue_id
   AND issue.owner_organisation_id IS DISTINCT FROM invitation.owner_organisation_id;
UPDATE rating_invitation AS invitation
   SET owner_organisation_id = contact.owner_organisation_id
  FROM contact
 WHERE invitation.state = 'due'
   AND contact.id = invitation.contact_id
   AND contact.owner_organisation_id IS DISTINCT FROM invitation.owner_organisation_id;
-- What is planned before autovacuum comes by has to know how few rows a unit has.
ANALYZE callback_task, rating_invitation;
