"""Invented registers and facts in the database of assessment, and what is made of them in DuckDB: statements alone."""

# Half issues, three tenths contacts, two tenths ratings; towns of 50 cadres below one county.
FILL = (
    """
    INSERT INTO organisation (organisation_id, code, name, level, parent_id, sequence)
    SELECT md5('o' || n)::uuid, 'T' || n, 'T' || n, '60', CASE WHEN n > 0 THEN md5('o0')::uuid END, 1
      FROM generate_series(0, %(cadres)s / 50) AS n
    """,
    """
    INSERT INTO parentage (organisation_id, sequence, from_on, parent_id)
    SELECT organisation_id, 1, '1900-01-01', parent_id FROM organisation
    """,
    """
    INSERT INTO cadre (cadre_id, staff_number, name, sequence)
    SELECT md5('c' || n)::uuid, 'S' || lpad(n::text, 7, '0'), 'S' || n, 1 FROM generate_series(1, %(cadres)s) AS n
    """,
    """
    INSERT INTO post (post_id, cadre_id, organisation_id, post_kind, post_level, from_on, sequence)
    SELECT md5('p' || n)::uuid, md5('c' || n)::uuid, md5('o' || (n - 1) / 50 + 1)::uuid, 'head', '141', '2024-01-01', 1
      FROM generate_series(1, %(cadres)s) AS n
    """,
    """
    INSERT INTO duty (duty_id, post_kind, contact_kind, required_count, per, valid_from, sequence)
    VALUES (md5('d')::uuid, 'head', 'visit', 2, 'month', '2025-01-01', 1)
    """,
    """
    INSERT INTO issue_fact (issue_id, issue_type, category, channel, urgency, source, received_at, due_at, respond_by,
                            organisation_id, cadre_id, assignment_sequence, responded_at, closed_at, outcome,
                            closure_sequence, denied)
    SELECT md5('i' || n)::uuid, 'complaint', 'roads', 'phone', 'normal', 'bench', at, at + interval '5 days',
           at + interval '1 day', md5('o' || who / 50 + 1)::uuid, md5('c' || who + 1)::uuid, 1,
           at + (n %% 50) * interval '1 hour', CASE WHEN n %% 9 > 0 THEN at + (n %% 7) * interval '1 day' END,
           CASE WHEN n %% 9 > 0 THEN 'resolved' END, 1, n %% 31 = 0
      FROM generate_series(1, %(facts)s / 2) AS n
     CROSS JOIN LATERAL (SELECT n %% %(cadres)s AS who,
                                '2025-01-01'::timestamptz
                                + (7919::bigint * n + 104729::bigint * (n / %(cadres)s)) %% 500000
                                  * interval '1 minute' AS at) AS drawn
    """,
    """
    INSERT INTO contact_fact (contact_id, organisation_id, cadre_id, kind, occurred_at, recorded_at, counts, sequence)
    SELECT md5('k' || n)::uuid, md5('o' || who / 50 + 1)::uuid, md5('c' || who + 1)::uuid,
           (ARRAY['visit', 'reception', 'online'])[n %% 3 + 1], at, at, true, 1
      FROM generate_series(1, %(facts)s * 3 / 10) AS n
     CROSS JOIN LATERAL (SELECT n %% %(cadres)s AS who,
                                '2025-01-01'::timestamptz
                                + (6007::bigint * n + 104729::bigint * (n / %(cadres)s)) %% 500000
                                  * interval '1 minute' AS at) AS drawn
    """,
    """
    INSERT INTO rating_fact (rating_id, issue_id, level, method, rated_at, organisation_id, cadre_id, sequence)
    SELECT md5('r' || n)::uuid, md5('i' || n)::uuid, n %% 5 + 1, 'link', at, md5('o' || who / 50 + 1)::uuid,
           md5('c' || who + 1)::uuid, 1
      FROM generate_series(1, %(facts)s / 5) AS n
     CROSS JOIN LATERAL (SELECT n %% %(cadres)s AS who,
                                '2025-01-01'::timestamptz
                                + (7919::bigint * n + 104729::bigint * (n / %(cadres)s)) %% 500000
                                  * interval '1 minute' AS at) AS drawn
    """,
    """
    INSERT INTO tally_due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
    SELECT DISTINCT organisation_id, cadre_id, month::date, now(), 1, 'bench'
      FROM post
     CROSS JOIN generate_series('2025-01-01'::timestamp, '2025-12-01'::timestamp, interval '1 month') AS month
    """,
)
# What 1,000 cadres did: an issue each, received, closed and rated in November, and their cells due as by its events.
CHANGE = (
    """
    INSERT INTO issue_fact (issue_id, issue_type, category, channel, urgency, source, received_at, due_at, respond_by,
                            organisation_id, cadre_id, assignment_sequence, responded_at, closed_at, outcome,
                            closure_sequence, denied)
    SELECT gen_random_uuid(), 'complaint', 'roads', 'phone', 'normal', 'bench', '2025-11-10T03:00Z',
           '2025-11-15T03:00Z', '2025-11-11T03:00Z', organisation_id, cadre_id, 1, '2025-11-10T05:00Z',
           '2025-11-12T03:00Z', 'resolved', 1, false
      FROM tally
     WHERE month = '2025-11-01'
     ORDER BY md5(cadre_id::text || %(round)s)
     LIMIT %(changed)s
    """,
    """
    INSERT INTO tally_due (organisation_id, cadre_id, month, marked_at, revision, correlation_id)
    SELECT organisation_id, cadre_id, month, now(), 1, 'bench'
      FROM tally
     WHERE month = '2025-11-01'
     ORDER BY md5(cadre_id::text || %(round)s)
     LIMIT %(changed)s
    """,
)
# Cadres beyond those with facts, for the lists: with a post, some months counted, and a score of the year.
LISTED = (
    """
    INSERT INTO cadre (cadre_id, staff_number, name, sequence)
    SELECT md5('c' || n)::uuid, 'S' || lpad(n::text, 7, '0'), 'S' || n, 1
      FROM generate_series(%(cadres)s + 1, %(listed)s) AS n
    """,
    """
    INSERT INTO post (post_id, cadre_id, organisation_id, post_kind, post_level, from_on, sequence)
    SELECT md5('p' || n)::uuid, md5('c' || n)::uuid, md5('o' || n %% (%(cadres)s / 50) + 1)::uuid, 'head', '141',
           '2024-01-01', 1
      FROM generate_series(%(cadres)s + 1, %(listed)s) AS n
    """,
    """
    INSERT INTO score (score_id, subject_kind, subject_id, subject_code, organisation_id, peer_group, period_kind,
                       period_start, scheme_name, scheme_version, composite, present_weight, counts, as_of,
                       computed_at, revision, correlation_id, announced_composite)
    SELECT md5('s' || n)::uuid, 'cadre', md5('c' || n)::uuid, 'S' || lpad(n::text, 7, '0'),
           md5('o' || n %% (%(cadres)s / 50) + 1)::uuid, '141.head', 'year', '2025-01-01', 'basic', 1, composite, 100,
           counts, now(), now(), 1, 'bench', composite
      FROM generate_series(%(cadres)s + 1, %(listed)s) AS n
     CROSS JOIN LATERAL (SELECT ARRAY[n %% 24, 24, n %% 41, 41, n %% 37, 37, n %% 29, 29, n %% 11, 11]) AS told (counts)
     CROSS JOIN LATERAL (
               SELECT round(25.0 * counts[1] / counts[2] + 10.0 * counts[3] / counts[4] + 30.0 * counts[5] / counts[6]
                            + 15.0 * counts[7] / counts[8] + 20.0 * counts[9] / counts[10], 2) AS composite) AS worth
    """,
    """
    INSERT INTO tally (organisation_id, cadre_id, month, {columns})
    SELECT md5('o' || n %% (%(cadres)s / 50) + 1)::uuid, md5('c' || n)::uuid, month::date, {ones}
      FROM generate_series(%(cadres)s + 1, %(listed)s) AS n
     CROSS JOIN generate_series('2025-10-01'::timestamp, '2025-12-01'::timestamp, interval '1 month') AS month
    """,
)
IN_DUCKDB = (
    """
    CREATE OR REPLACE TABLE issues AS
    SELECT organisation_id, cadre_id, date_trunc('month', received_at) AS month,
           count(*) FILTER (is_counted) AS issues_received,
           count(*) FILTER ((closed_at IS NOT NULL OR responded_at IS NOT NULL) AND is_counted) AS responded,
           count(*) FILTER (closed_at IS NULL AND responded_at IS NULL
                            AND coalesce(respond_by, due_at) < now()) AS response_overdue,
           count(*) FILTER (closed_at IS NOT NULL AND is_counted) AS closed,
           count(*) FILTER (closed_at <= due_at AND is_counted) AS closed_on_time,
           count(*) FILTER (closed_at > due_at AND is_counted) AS closed_late,
           count(*) FILTER (closed_at IS NULL AND due_at < now()) AS open_overdue,
           count(*) FILTER (outcome = 'resolved' AND NOT denied) AS resolved,
           count(*) FILTER (outcome = 'resolved' AND denied) AS denied,
           count(*) FILTER (outcome = 'explained_policy') AS explained_policy,
           count(*) FILTER (outcome = 'not_accepted') AS not_accepted,
           count(*) FILTER (outcome = 'withdrawn') AS withdrawn, count(*) FILTER (outcome = 'merged') AS merged,
           count(*) FILTER (least(responded_at, closed_at) <= respond_by AND is_counted) AS contacted_on_time,
           count(*) FILTER (least(responded_at, closed_at) > respond_by AND is_counted) AS contacted_late,
           count(*) FILTER (responded_at IS NULL AND closed_at IS NULL AND respond_by < now()) AS contact_overdue,
           count(*) FILTER (closed_at IS NOT NULL AND replied_at IS NOT NULL AND is_counted) AS replied,
           count(*) FILTER ((closed_at IS NOT NULL OR is_reopened OR is_redone) AND is_counted) AS ended,
           count(*) FILTER (is_reopened AND is_counted) AS reopened,
           count(*) FILTER (is_redone AND is_counted) AS redone,
           count(*) FILTER (closed_at IS NOT NULL AND NOT is_reopened AND NOT is_redone
                            AND is_counted) AS closed_first_time,
           count(*) FILTER (is_returned AND is_counted) AS returned,
           count(*) FILTER (issue_type = 'suggestion' AND is_counted) AS suggestions,
           count(*) FILTER (issue_type = 'suggestion' AND suggestion_answered_at IS NOT NULL
                            AND is_counted) AS suggestions_answered
      FROM (SELECT *, merged_into IS NULL OR outcome IS DISTINCT FROM 'merged' AS is_counted
              FROM issue_fact
             WHERE excluded IS DISTINCT FROM 'all')
     GROUP BY ALL
    """,
    """
    CREATE OR REPLACE TABLE contacts AS
    SELECT organisation_id, cadre_id, date_trunc('month', occurred_at) AS month, count(*) AS contacts,
           count(*) FILTER (kind IN ('visit', 'paired_assistance')) AS household_visits,
           sum(coalesce(date_diff('day', first_on::date, last_on::date) + 1,
                        greatest(ceil(duration_minutes::double / 1440), 1)::integer))
               FILTER (kind = 'field_stay') AS field_stay_days
      FROM contact_fact
     WHERE counts
     GROUP BY ALL
    """,
    """
    CREATE OR REPLACE TABLE ratings AS
    SELECT organisation_id, cadre_id, date_trunc('month', rated_at) AS month, count(*) AS ratings,
           count(*) FILTER (level >= 3) AS satisfied, sum(level) AS rating_level_sum, count(attitude) AS attitudes,
           count(*) FILTER (attitude::integer >= 3) AS attitude_satisfied, count(speed) AS speeds,
           count(*) FILTER (speed::integer >= 3) AS speed_satisfied
      FROM rating_fact
     WHERE NOT is_set_aside AND NOT is_excluded
     GROUP BY ALL
    """,
    """
    CREATE OR REPLACE TABLE sums AS
    SELECT cadre_id, size, year(month) AS year, (month(month) - 1) // size AS place,
           sum(COLUMNS(* EXCLUDE (organisation_id, cadre_id, month, size)))
      FROM issues
      FULL JOIN contacts USING (organisation_id, cadre_id, month)
      FULL JOIN ratings USING (organisation_id, cadre_id, month)
     CROSS JOIN (VALUES (1), (3), (6), (12)) AS period (size)
     GROUP BY cadre_id, size, year(month), (month(month) - 1) // size
    """,
)
