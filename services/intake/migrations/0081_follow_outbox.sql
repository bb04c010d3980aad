-- The order in which events can be followed without a gap: by the transaction that wrote them, and then by id. A reader is
-- shown only transactions before which none is under way any more. What stood before this file comes first, by id.
ALTER TABLE outbox ADD COLUMN written_by xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX outbox_followed ON outbox (written_by, id);

-- An event is seen by who sees what it tells of, as it stands now; the policies of these tables say who that is.
CREATE POLICY followed ON outbox FOR SELECT USING (
    (SELECT acting_reach()) IN ('everywhere', 'scoped')
    AND CASE aggregate
             WHEN 'issue' THEN EXISTS (SELECT 1 FROM issue WHERE issue.id = outbox.aggregate_id)
             WHEN 'contact' THEN EXISTS (SELECT 1 FROM contact WHERE contact.id = outbox.aggregate_id)
             WHEN 'rating' THEN EXISTS (SELECT 1 FROM rating WHERE rating.id = outbox.aggregate_id)
             WHEN 'organisation' THEN EXISTS (SELECT 1 FROM organisation WHERE organisation.id = outbox.aggregate_id)
             WHEN 'cadre' THEN EXISTS (SELECT 1 FROM cadre WHERE cadre.id = outbox.aggregate_id)
             WHEN 'post' THEN EXISTS (SELECT 1 FROM post WHERE post.id = outbox.aggregate_id)
             WHEN 'duty' THEN EXISTS (SELECT 1 FROM duty WHERE duty.id = outbox.aggregate_id)
             ELSE false END);
