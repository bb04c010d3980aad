"""Records of a small county with what was said of them, as SQL that older tables take as well as those of today.

Units take turns; some issues name no unit, some another that assists, some accuse a cadre of the neighbours, and much
is said at the same moment.
"""

from typing import Final

import psycopg

COUNT: Final = 84
FILL: Final = (
    """
    INSERT INTO organisation (id, code, name, level, parent_id, sequence, recorded_at)
    SELECT md5(code)::uuid, code, code, '61', md5(above)::uuid, 1, '2026-01-01'
      FROM (VALUES ('county', NULL), ('town', 'county'), ('street', 'town'), ('village', 'street'),
                   ('harbour', 'county'), ('market', 'county')) AS given (code, above)
    """,
    """
    INSERT INTO cadre (id, staff_number, name, sequence, recorded_at)
    SELECT md5('cadre-' || code)::uuid, 'S-' || code, code, 1, '2026-01-01' FROM organisation
    """,
    """
    INSERT INTO post (id, cadre_id, organisation_id, post_kind, post_level, from_on, until_on, sequence, recorded_at)
    SELECT md5('post-' || code)::uuid, md5('cadre-' || code)::uuid, id, 'clerk', '160', '2024-01-01',
           CASE WHEN code = 'market' THEN date '2025-11-30' END, 1, '2026-01-01'
      FROM organisation
    """,
    """
    INSERT INTO contact (id, source, cadre_id, organisation_id, owner_organisation_id, kind, occurred_at, recorded_at,
                         flags, content_hash, recorded_person)
    SELECT md5('contact-' || n)::uuid, 'lianxin', md5('cadre-' || unit)::uuid, md5(unit)::uuid, md5(unit)::uuid,
           'visit', '2026-01-02', '2026-01-02', '{{}}', decode(md5('x'), 'hex'), CASE WHEN n % 5 = 0 THEN 'recorder' END
      FROM {units}
    """,
    """
    INSERT INTO issue (id, source, type, category, channel, urgency, title, received_at, status, sequence, recorded_at,
                       flags, content_hash, progress_hash, organisation_id, cadre_id, owner_organisation_id, assisting,
                       subject_id)
    SELECT md5('issue-' || n)::uuid, 'lianxin', 'help', 'roads', 'phone', 'normal', 'x', '2026-01-02', 'assigned', 1,
           '2026-01-02', '{{}}', decode(md5('x'), 'hex'), decode(md5('x'), 'hex'),
           CASE WHEN n % 7 NOT IN (0, 3) THEN md5(unit)::uuid END,
           CASE WHEN n % 7 <> 3 THEN md5('cadre-' || unit)::uuid END, md5(unit)::uuid,
           CASE WHEN n % 11 = 0 THEN ARRAY[md5(beside)::uuid] ELSE '{{}}' END,
           CASE WHEN n % 13 = 0 AND beside <> unit THEN md5('cadre-' || beside)::uuid END
      FROM {units}
    """,
    """
    INSERT INTO issue_step (issue_id, sequence, kind, happened_at, recorded_at, actor_id, actor_person)
    SELECT md5('issue-' || n)::uuid, 1, 'replied', '2026-01-03', '2026-01-03', md5('account')::uuid, 'somebody'
      FROM {units}
     WHERE n % 8 = 0
    """,
    """
    INSERT INTO rating (id, source, issue_id, contact_id, level, method, rated_at, recorded_at, flags, content_hash,
                        owner_organisation_id)
    SELECT md5('rating-' || n)::uuid, 'lianxin', CASE WHEN n % 6 > 0 THEN md5('issue-' || n)::uuid END,
           CASE WHEN n % 6 = 0 THEN md5('contact-' || n)::uuid END, 2, 'link', '2026-01-04', '2026-01-04', '{{}}',
           decode(md5('x'), 'hex'), md5(unit)::uuid
      FROM {units}
    """,
    """
    INSERT INTO rating_comment (rating_id, text, is_accusation, recorded_at)
    SELECT md5('rating-' || n)::uuid, decode(repeat('5a', 90), 'hex'), n % 3 = 0,
           '2026-01-04'::timestamptz + n / 4 * interval '1 minute'
      FROM {units}
    """,
    """
    INSERT INTO rating_case (id, rating_id, kind, former_state, signals, rules, opened_at, state, decision,
                             decision_code, decision_reason, decided_by, decider_person, decided_at)
    SELECT md5('case-' || n)::uuid, md5('rating-' || n)::uuid, 'quarantine', 'counted', ARRAY['same_device'], 'rules-1',
           '2026-01-04'::timestamptz + n / 4 * interval '1 minute', CASE WHEN open THEN 'open' ELSE 'decided' END,
           CASE WHEN NOT open THEN 'count' END, CASE WHEN NOT open THEN 'genuine' END,
           CASE WHEN NOT open THEN decode(repeat('5a', 90), 'hex') END, CASE WHEN NOT open THEN md5('d')::uuid END,
           CASE WHEN NOT open THEN 'decider' END, CASE WHEN NOT open THEN '2026-01-05'::timestamptz END
      FROM (SELECT n, n % 2 = 0 AS open FROM {units}) AS cased
    """,
    """
    INSERT INTO citizen (ref, state, recorded_at) VALUES (md5('citizen')::uuid, 'active', '2026-01-01')
    """,
    """
    INSERT INTO citizen_message (id, event_id, citizen_ref, issue_id, kind, state, made_at, next_attempt_at,
                                 valid_until, settled_at)
    SELECT md5('message-' || n)::uuid, md5('event-' || n)::uuid, md5('citizen')::uuid, md5('issue-' || n)::uuid,
           'received', CASE WHEN n % 2 = 0 THEN 'sent' ELSE 'failed' END,
           '2026-01-03'::timestamptz + n / 4 * interval '1 minute', '2026-01-03', '2026-01-05', '2026-01-04'
      FROM {units}
    """,
    """
    INSERT INTO contact_review (contact_id, signals, other_contact_ids, noted_at, decision, decided_at)
    SELECT md5('contact-' || n)::uuid, ARRAY['similar_note'], '{{}}',
           '2026-01-03'::timestamptz + n / 4 * interval '1 minute', CASE WHEN n % 2 = 0 THEN 'counts' END,
           CASE WHEN n % 2 = 0 THEN '2026-01-04'::timestamptz END
      FROM {units}
    """,
    """
    INSERT INTO rating_sample (id, organisation_id, period, begins_at, ends_at, seed, algorithm, share, list_hash,
                               drawn_at)
    VALUES (md5('sample')::uuid, md5('county')::uuid, '2026', '2026-01-01', '2027-01-01', 'a-seed-of-sixteen', 'x',
            0.02, decode(repeat(md5('s'), 2), 'hex'), '2026-01-05')
    """,
    """
    INSERT INTO callback_task (id, issue_id, contact_id, origin, sample_id, state, created_at, ended_at)
    SELECT md5('task-' || n)::uuid, CASE WHEN n % 6 > 0 THEN md5('issue-' || n)::uuid END,
           CASE WHEN n % 6 = 0 THEN md5('contact-' || n)::uuid END, 'sample', md5('sample')::uuid,
           CASE WHEN n % 4 > 0 THEN 'open' ELSE 'done' END, '2026-01-05'::timestamptz + n / 4 * interval '1 minute',
           CASE WHEN n % 4 = 0 THEN '2026-01-06'::timestamptz END
      FROM {units}
    """,
    """
    INSERT INTO rating_invitation (id, issue_id, contact_id, owner_organisation_id, state, method, due_at, invited_at)
    SELECT md5('invitation-' || n)::uuid, CASE WHEN n % 6 > 0 THEN md5('issue-' || n)::uuid END,
           CASE WHEN n % 6 = 0 THEN md5('contact-' || n)::uuid END, md5(unit)::uuid,
           CASE WHEN n % 4 > 0 THEN 'due' ELSE 'made' END, CASE WHEN n % 4 = 0 THEN 'link' END,
           '2026-01-05'::timestamptz + n / 4 * interval '1 minute',
           CASE WHEN n % 4 = 0 THEN '2026-01-06'::timestamptz END
      FROM {units}
    """,
)
UNITS: Final = """
    (SELECT n, (ARRAY['town', 'street', 'village', 'harbour', 'market'])[n % 5 + 1] AS unit,
            (ARRAY['village', 'harbour', 'town', 'market'])[n / 2 % 4 + 1] AS beside
       FROM generate_series(1, {count}) AS n) AS units
"""


def fill(connection: psycopg.Connection) -> None:
    """As the system: what policies ask of who enters is not the question here."""
    units = UNITS.format(count=COUNT)
    for statement in FILL:
        connection.execute(statement.format(units=units).encode())


def hand_over(connection: psycopg.Connection) -> None:
    """Every third issue goes to the market after it was rated; what it was rated as stays its former unit's."""
    connection.execute(
        """
        UPDATE issue
           SET organisation_id = md5('market')::uuid, owner_organisation_id = md5('market')::uuid
         WHERE id IN (SELECT md5('issue-' || n)::uuid FROM generate_series(3, %s, 3) AS n)
        """,
        [COUNT],
    )
