"""The rows of intake that a measurement of its lists invents: a tree of units, and what citizens raised and said there.

Units are of unequal size: of five hundred the largest has some thirteen times what the smallest has. A citizen has four
issues, every other issue a message, and three in ten a rating; every other rating has a comment, one comment in thirty
accuses, and one rating in seventeen has a case. Steps are invented of rated issues alone: nobody asks for others'.
"""

from typing import Final

SEALED: Final = b"\x5a" * 90  # as long as a sealed sentence or two
# Ids as version 7 has them: the millisecond, what kind it is of, and what makes each its own.
PREPARE: Final = (
    """
    CREATE FUNCTION invented_id(kind integer, number bigint, at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE
        RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
                || lpad(to_hex(kind), 3, '0') || '8' || lpad(to_hex(number), 15, '0'))::uuid
    """,
    """
    INSERT INTO organisation (id, code, name, level, parent_id, sequence, recorded_at)
    SELECT md5('o' || n)::uuid, 'U' || n, 'U' || n, CASE n WHEN 0 THEN 'province' ELSE 'county' END,
           CASE WHEN n > 0 THEN md5('o0')::uuid END, 1, '2025-01-01'
      FROM generate_series(0, {counties}) AS n
     ORDER BY n
    """,
    """
    INSERT INTO organisation (id, code, name, level, parent_id, sequence, recorded_at)
    SELECT md5('u' || n)::uuid, 'U' || n % {counties} + 1 || '-' || n, 'U' || n, 'township',
           md5('o' || n % {counties} + 1)::uuid, 1, '2025-01-01'
      FROM generate_series(0, {units} - 1) AS n
    """,
    """
    INSERT INTO cadre (id, staff_number, name, sequence, recorded_at)
    SELECT md5('c' || n)::uuid, 'S' || n, 'S' || n, 1, '2025-01-01' FROM generate_series(0, {units} * 10 - 1) AS n
    """,
    """
    INSERT INTO post (id, cadre_id, organisation_id, post_kind, post_level, from_on, sequence, recorded_at)
    SELECT md5('p' || n)::uuid, md5('c' || n)::uuid, md5('u' || n / 10)::uuid, 'clerk', '160', '2024-01-01', 1,
           '2025-01-01'
      FROM generate_series(0, {units} * 10 - 1) AS n
    """,
    """
    CREATE UNLOGGED TABLE invented AS
    SELECT n, at, invented_id(1, n, at) AS id, unit, unit * 10 + n % 10 AS cadre,
           md5('z' || n % ({issues} / 4 + 1))::uuid AS citizen, at + interval '3 days' AS closed_at
      FROM generate_series(1::bigint, {issues}) AS n
     CROSS JOIN LATERAL (
           SELECT '2025-01-01'::timestamptz + interval '365 days' * (n::float8 / {issues}) AS at,
                  floor({units} * power(n * 7919 % 100003 / 100003.0, 1.6))::integer AS unit) AS drawn
    """,
)
FILL: Final = (
    """
    INSERT INTO citizen (ref, state, name, phone, recorded_at)
    SELECT md5('z' || n)::uuid, 'active', {sealed}, {sealed}, '2025-01-01'
      FROM generate_series(0, {issues} / 4) AS n
    """,
    """
    INSERT INTO citizen_key (citizen_ref, epoch, wrapped)
    SELECT ref, 202501, {sealed} FROM citizen
    """,
    # Nine in ten are closed.
    """
    INSERT INTO issue (id, source, source_number, type, category, channel, urgency, title_sealed, received_at,
                       respond_by, due_at, organisation_id, cadre_id, assigned_at, responded_at, closed_at, outcome,
                       status, sequence, recorded_at, flags, content_hash, progress_hash, owner_organisation_id,
                       citizen_ref, updated_at, is_sketched)
    SELECT id, 'lianxin', n::text, (ARRAY['complaint', 'help', 'enquiry', 'suggestion'])[1 + n % 4],
           'category-' || n * 31 % 40, 'phone', CASE WHEN n % 50 = 0 THEN 'urgent' ELSE 'normal' END, {sealed}, at,
           at + interval '1 day', at + interval '15 days', md5('u' || unit)::uuid, md5('c' || cadre)::uuid, at,
           at + interval '4 hours', CASE WHEN n % 10 > 0 THEN closed_at END, CASE WHEN n % 10 > 0 THEN 'resolved' END,
           CASE WHEN n % 10 > 0 THEN 'closed' ELSE 'in_progress' END, 5, at, '{{}}',
           decode(md5(n::text), 'hex'), decode(md5(n::text), 'hex'), md5('u' || unit)::uuid, citizen,
           CASE WHEN n % 10 > 0 THEN closed_at ELSE at + interval '4 hours' END, true
      FROM invented
     ORDER BY n
    """,
    """
    INSERT INTO issue_step (issue_id, sequence, kind, happened_at, recorded_at, actor_id, actor_person)
    SELECT id, step, (ARRAY['received', 'assigned', 'contacted', 'closed'])[step], at, at, md5('a' || unit)::uuid,
           'person-' || unit
      FROM invented
     CROSS JOIN generate_series(1, 4) AS step
     WHERE n % 10 IN (1, 3, 5)
     ORDER BY n
    """,
    """
    INSERT INTO contact (id, source, cadre_id, organisation_id, owner_organisation_id, kind, occurred_at, recorded_at,
                         duration_minutes, people_count, note_sealed, flags, content_hash, is_examined)
    SELECT invented_id(2, n, at), 'lianxin', md5('c' || cadre)::uuid, md5('u' || unit)::uuid, md5('u' || unit)::uuid,
           'visit', at, at, 45, 3, {sealed}, '{{}}', decode(md5('v' || n), 'hex'), true
      FROM invented
     WHERE n % 4 = 0
     ORDER BY n
    """,
    """
    INSERT INTO rating (id, source, source_number, issue_id, level, solved, method, rated_at, recorded_at, flags,
                        content_hash, owner_organisation_id, rater_ref)
    SELECT invented_id(3, n, closed_at), 'lianxin', n::text, id, 1 + n % 5, n % 5 > 1, 'link', closed_at, closed_at,
           '{{}}', decode(md5('r' || n), 'hex'), md5('u' || unit)::uuid, citizen
      FROM invented
     WHERE n % 10 IN (1, 3, 5)
     ORDER BY n
    """,
    """
    INSERT INTO rating_invitation (id, issue_id, owner_organisation_id, state, method, due_at, invited_at)
    SELECT invented_id(5, n, closed_at), id, md5('u' || unit)::uuid, CASE WHEN n % 100 = 7 THEN 'due' ELSE 'made' END,
           CASE WHEN n % 100 <> 7 THEN 'link' END, closed_at, CASE WHEN n % 100 <> 7 THEN closed_at END
      FROM invented
     WHERE n % 10 IN (1, 3, 5, 7)
     ORDER BY n
    """,
    """
    INSERT INTO rating_sample (id, organisation_id, period, begins_at, ends_at, seed, algorithm, share, list_hash,
                               drawn_at)
    SELECT md5('s' || n)::uuid, md5('o' || n)::uuid, '2025', '2025-01-01', '2026-01-01', 'seed-of-the-bench', 'bench',
           0.02, decode(repeat(md5('s'), 2), 'hex'), '2026-01-02'
      FROM generate_series(1, {counties}) AS n
    """,
    """
    INSERT INTO callback_task (id, issue_id, origin, sample_id, state, created_at, ended_at)
    SELECT invented_id(6, n, closed_at), id, 'sample', md5('s' || unit % {counties} + 1)::uuid,
           CASE WHEN n % 200 = 9 THEN 'open' ELSE 'done' END, closed_at, CASE WHEN n % 200 <> 9 THEN closed_at END
      FROM invented
     WHERE n % 50 = 9
     ORDER BY n
    """,
    """
    INSERT INTO callback_attempt (id, issue_id, task_id, result, attempted_at, recorded_at, caller_id, caller_person)
    SELECT invented_id(7, n, closed_at), id, invented_id(6, n, closed_at), 'not_reached', closed_at, closed_at,
           md5('caller')::uuid, 'caller'
      FROM invented
     WHERE n % 50 = 9
     ORDER BY n
    """,
    """
    INSERT INTO outbox (event_id, event_type, routing_key, aggregate, aggregate_id, sequence, recorded_at,
                        correlation_id, payload, sent_at, written_by)
    SELECT invented_id(10, n, at), 'cn.lianxin.issue.closed.v1', 'intake.issue.closed.v1', 'issue', id, 5, at, id::text,
           '{{"is": "invented"}}', at, (3 + n * 500 / {issues})::text::xid8
      FROM invented
     WHERE n % 2 = 0
     ORDER BY n
    """,
    # These have triggers that say whose they are.
    "SET session_replication_role = origin",
    """
    INSERT INTO rating_comment (rating_id, text, is_accusation, recorded_at)
    SELECT invented_id(3, n, closed_at), {sealed}, n % 331 < 10, closed_at
      FROM invented
     WHERE n % 20 IN (1, 3, 5)
     ORDER BY n
    """,
    """
    INSERT INTO rating_case (id, rating_id, kind, former_state, signals, rules, opened_at, state, decision,
                             decision_code, decision_reason, decided_by, decider_person, decided_at)
    SELECT invented_id(4, n, closed_at), invented_id(3, n, closed_at), 'quarantine', 'counted', ARRAY['same_device'],
           'rules-1', closed_at, CASE WHEN is_open THEN 'open' ELSE 'decided' END,
           CASE WHEN NOT is_open THEN 'count' END, CASE WHEN NOT is_open THEN 'genuine' END,
           CASE WHEN NOT is_open THEN {sealed} END, CASE WHEN NOT is_open THEN md5('decider')::uuid END,
           CASE WHEN NOT is_open THEN 'decider' END, CASE WHEN NOT is_open THEN closed_at END
      FROM (SELECT n, closed_at, n % 170 < 17 AS is_open
              FROM invented
             WHERE n % 10 IN (1, 3, 5) AND n % 17 = 1) AS cased
     ORDER BY n
    """,
    """
    INSERT INTO citizen_message (id, event_id, citizen_ref, issue_id, kind, state, made_at, next_attempt_at,
                                 valid_until, attempts, settled_at)
    SELECT invented_id(8, n, at), invented_id(9, n, at), citizen, id, 'received',
           CASE WHEN n % 200 = 2 THEN 'failed' ELSE 'sent' END, at, at, at + interval '1 day', 1, at
      FROM invented
     WHERE n % 2 = 0
     ORDER BY n
    """,
    """
    INSERT INTO contact_review (contact_id, signals, other_contact_ids, noted_at, decision, decided_at)
    SELECT invented_id(2, n, at), ARRAY['similar_note'], '{{}}', at, CASE WHEN n % 200 > 0 THEN 'counts' END,
           CASE WHEN n % 200 > 0 THEN at END
      FROM invented
     WHERE n % 40 = 0
     ORDER BY n
    """,
    "DROP TABLE invented",
)
TABLES: Final = (
    "citizen_message",
    "contact",
    "issue",
    "outbox",
    "rating",
    "rating_case",
    "rating_comment",
    "rating_invitation",
)
