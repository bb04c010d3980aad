-- The steps of issues that older releases took in, from the events they gave rise to. Of an event that was removed
-- after its time, the step is gone as well; an event that was emptied was the first one, and the issue knows its time.
INSERT INTO issue_step (issue_id, sequence, kind, happened_at, recorded_at, details, reply_sealed)
SELECT issue.id, outbox.sequence,
       CASE outbox.event_type WHEN 'cn.lianxin.issue.received.v1' THEN 'received'
                              WHEN 'cn.lianxin.issue.assigned.v1' THEN 'assigned'
                              WHEN 'cn.lianxin.issue.responded.v1' THEN 'contacted'
                              WHEN 'cn.lianxin.issue.closed.v1' THEN 'closed' END,
       coalesce((outbox.payload ->> 'assigned_at')::timestamptz, (outbox.payload ->> 'responded_at')::timestamptz,
                (outbox.payload ->> 'closed_at')::timestamptz, issue.received_at),
       outbox.recorded_at,
       jsonb_strip_nulls(jsonb_build_object('organisation_id', outbox.payload -> 'organisation_id',
                                            'cadre_id', outbox.payload -> 'cadre_id',
                                            'outcome', outbox.payload -> 'outcome')),
       CASE WHEN outbox.event_type = 'cn.lianxin.issue.closed.v1' THEN issue.reply_sealed END
  FROM outbox
  JOIN issue ON issue.id = outbox.aggregate_id
 WHERE outbox.aggregate = 'issue';
