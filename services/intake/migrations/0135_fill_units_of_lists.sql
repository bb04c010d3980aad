-- By itself, so that the tables are read and written meanwhile: only a row that is filled already waits for the end. Of
-- messages there are by far the most, and of what may wait there the least: what citizens say of ratings comes last.
SET LOCAL statement_timeout = 0;
UPDATE citizen_message
   SET owner_organisation_id = issue.owner_organisation_id
  FROM issue
 WHERE issue.id = citizen_message.issue_id;
UPDATE contact_review
   SET owner_organisation_id = contact.owner_organisation_id
  FROM contact
 WHERE contact.id = contact_review.contact_id;
UPDATE rating_case
   SET owner_organisation_id = rating.owner_organisation_id
  FROM rating
 WHERE rating.id = rating_case.rating_id;
UPDATE rating_comment
   SET owner_organisation_id = rating.owner_organisation_id
  FROM rating
 WHERE rating.id = rating_comment.rating_id;
-- What is planned before autovacuum comes by has to know how few rows a unit has.
ANALYZE citizen_message, contact_review, rating_case, rating_comment;
