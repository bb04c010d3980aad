-- One hash over all that the schemes of places made of a closed period; none of what was scored before there was one.
ALTER TABLE place_pass ADD COLUMN content_hash bytea CHECK (length(content_hash) = 32);

CREATE POLICY readers ON place_pass FOR SELECT USING ((SELECT acting_reach()) = 'everywhere');
