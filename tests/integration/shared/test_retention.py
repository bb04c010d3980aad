"""Retention against real tables: at the limit to the second, held, repeated, broken off, and by whom it is agreed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import orjson
import psycopg
import pytest

from services.assessment.handlers import retention as assessment
from services.identity.handlers import retention as identity
from services.intake.handlers import retention as intake
from services.notify.handlers import retention as notify
from shared.audit.chain import Line, note
from shared.database import DatabaseAway, transaction
from shared.retention import jobs
from shared.retention.jobs import approve, release_hold, report, run, run_daily, set_hold
from shared.retention.records import audit_classes
from shared.schedule import Period, Schedule, load_schedule

pytestmark = pytest.mark.integration
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SCHEDULE = load_schedule()


def execute(pool, statement, *parameters):
    with transaction(pool) as connection:
        cursor = connection.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else cursor.rowcount


def only(classes, name):
    return [kind for kind in classes if kind.name == name]


def add_key(pool, at):
    name = uuid4().hex
    execute(pool, "INSERT INTO idempotency_key VALUES ('c', %s, %s, %s, %s)", name, bytes(16), uuid4(), at)
    return name


def add_event(pool, at, *, sequence=2, aggregate_id=None):
    event_id = uuid4()
    execute(
        pool,
        "INSERT INTO outbox (event_id, event_type, routing_key, aggregate, aggregate_id, sequence, recorded_at,"
        " correlation_id, payload, sent_at) VALUES (%s, 't', 'k', 'a', %s, %s, %s, 'c', '{\"a\": 1}', %s)",
        *(event_id, aggregate_id or uuid4(), sequence, at, at),
    )
    return event_id


def add_import(pool, at):
    run_id = uuid4()
    execute(
        pool,
        "INSERT INTO import_run (id, profile, file_name, storage_name, sha256, byte_count, dry_run, requested_by,"
        " correlation_id, state, reason, created_at, finished_at)"
        " VALUES (%s, 'p', 'f', %s, %s, 1, false, 'r', 'c', 'failed', 'x', %s, %s)",
        *(run_id, run_id.hex, bytes(32), at, at),
    )
    return run_id


def add_link(pool, expires_at):
    issue_id = uuid4()
    execute(
        pool,
        "INSERT INTO issue (id, source, type, category, channel, urgency, title_sealed, received_at, closed_at,"
        " outcome, status, sequence, recorded_at, flags, content_hash, progress_hash)"
        " VALUES (%s, 's', 'help', 'c', 'web', 'normal', %s, %s, %s, 'resolved', 'closed', 1, now(), '{}', %s, %s)",
        *(issue_id, bytes(40), NOW - timedelta(days=900), NOW - timedelta(days=800), bytes(16), bytes(16)),
    )
    execute(
        pool,
        "INSERT INTO citizen_link (id, digest, purpose, issue_id, issued_at, expires_at)"
        " VALUES (%s, %s, 'rating', %s, %s, %s)",
        *(uuid4(), issue_id.bytes * 2, issue_id, expires_at - timedelta(days=14), expires_at),
    )


def add_rating(pool, at):
    rating_id, contact_id, cadre_id = uuid4(), uuid4(), uuid4()
    execute(
        pool,
        "INSERT INTO cadre (id, staff_number, name, sequence, recorded_at) VALUES (%s, %s, 'x', 1, now())",
        *(cadre_id, cadre_id.hex),
    )
    execute(
        pool,
        "INSERT INTO contact (id, source, cadre_id, kind, occurred_at, recorded_at, flags, content_hash)"
        " VALUES (%s, 's', %s, 'visit', %s, %s, '{}', %s)",
        *(contact_id, cadre_id, at, at, bytes(16)),
    )
    execute(
        pool,
        "INSERT INTO rating (id, source, contact_id, level, method, rated_at, recorded_at, flags, content_hash)"
        " VALUES (%s, 's', %s, 5, 'link', %s, %s, '{}', %s)",
        *(rating_id, contact_id, at, at, bytes(16)),
    )
    return rating_id


def add_trace(pool, at):
    execute(
        pool,
        "INSERT INTO rating_trace (rating_id, network, recorded_at) VALUES (%s, %s, %s)",
        *(add_rating(pool, NOW), bytes(38), at),
    )


def add_score(pool, at):
    score_id = uuid4()
    execute(
        pool,
        "INSERT INTO scheme VALUES ('s', 1, '{}', %s, now()) ON CONFLICT DO NOTHING",
        bytes(32),
    )
    execute(
        pool,
        "INSERT INTO score (score_id, subject_kind, subject_id, period_kind, period_start, scheme_name,"
        " scheme_version, present_weight, counts, as_of, computed_at, revision, correlation_id)"
        " VALUES (%s, 'cadre', %s, 'month', %s, 's', 1, 0, %s, %s, %s, 1, 'c')",
        *(score_id, uuid4(), at.date(), [], at, at),
    )
    return score_id


def add_delivery(pool, at, *, in_inbox=False):
    subscription_id, digest_id, delivery_id = uuid4(), uuid4(), uuid4()
    execute(
        pool,
        "INSERT INTO subscription (id, name, recipient_name, email, language, channels)"
        " VALUES (%s, %s, '王', 'a@b.cn', 'zh', '{email}')",
        *(subscription_id, subscription_id.hex),
    )
    execute(
        pool,
        "INSERT INTO digest VALUES (%s, %s, %s, 1, 1, 'zh', 's', 'text', '<p>', 'c')",
        *(digest_id, subscription_id, at),
    )
    execute(
        pool,
        "INSERT INTO delivery (id, digest_id, channel, recipient_name, address, message_id, status, next_attempt_at,"
        " valid_until, created_at, settled_at) VALUES (%s, %s, 'email', '王', 'a@b.cn', %s, 'sent', %s, %s, %s, %s)",
        *(delivery_id, digest_id, delivery_id.hex, at, at, at, at),
    )
    if in_inbox:
        execute(pool, "INSERT INTO message (id, subscription_id, digest_id) VALUES (%s, %s, %s)",
                *(delivery_id, subscription_id, digest_id))  # fmt: skip
    return delivery_id


def add_message(pool, at):
    return add_delivery(pool, at, in_inbox=True)


def add_session(pool, at):
    session_id, account_id = uuid4(), uuid4()
    execute(
        pool,
        "INSERT INTO account (id, name, display_name, person_id, status, created_at, changed_at)"
        " VALUES (%s, %s, 'x', 'p', 'active', %s, %s)",
        *(account_id, account_id.hex, at, at),
    )
    execute(
        pool,
        "INSERT INTO session (id, account_id, digest, method, created_at, last_seen_at, idle_seconds, expires_at)"
        " VALUES (%s, %s, %s, 'password', %s, %s, 900, %s)",
        *(session_id, account_id, uuid4().bytes * 2, at - SECOND, at - SECOND, at),
    )
    return session_id


def add_citizen(pool, at):
    ref, sealed = uuid4(), bytes(40)
    execute(
        pool,
        "INSERT INTO citizen (ref, state, name, phone, recorded_at) VALUES (%s, 'active', %s, %s, %s)",
        *(ref, sealed, sealed, at - timedelta(days=900)),
    )
    execute(pool, "INSERT INTO citizen_key VALUES (%s, 202601, %s)", ref, sealed)
    execute(pool, "INSERT INTO citizen_handle VALUES ('phone', %s, %s)", uuid4().bytes * 2 + bytes(6), ref)
    add_issue(pool, ref, at)
    return ref


def add_issue(pool, ref, closed_at, *, subject_id=None, issue_id=None):
    execute(
        pool,
        "INSERT INTO issue (id, source, type, category, channel, urgency, title, received_at, closed_at, outcome,"
        " status, sequence, recorded_at, flags, content_hash, progress_hash, citizen_ref, subject_id)"
        " VALUES (%s, 's', 'help', 'c', 'web', 'normal', %s, %s, %s, %s, %s, 1, now(), '{}', %s, %s, %s, %s)",
        *(issue_id or uuid4(), bytes(40), NOW - timedelta(days=900), closed_at, "resolved" if closed_at else None),
        *("closed" if closed_at else "received", bytes(16), bytes(16), ref, subject_id),
    )


def add_booking(pool, ended_at):
    day_id, organisation_id, cadre_id = uuid4(), uuid4(), uuid4()
    execute(
        pool,
        "INSERT INTO organisation (id, code, name, level, sequence, recorded_at) VALUES (%s, %s, 'o', '50', 1, now())",
        *(organisation_id, organisation_id.hex),
    )
    execute(
        pool,
        "INSERT INTO cadre (id, staff_number, name, sequence, recorded_at) VALUES (%s, %s, 'c', 1, now())",
        *(cadre_id, cadre_id.hex),
    )
    execute(
        pool,
        "INSERT INTO reception_day (id, organisation_id, cadre_id, place, from_at, until_at, slot_minutes, state,"
        " visitor_count, sequence, recorded_at) VALUES (%s, %s, %s, 'p', %s, %s, 30, 'held', 1, 2, now())",
        *(day_id, organisation_id, cadre_id, ended_at - timedelta(hours=2), ended_at),
    )
    execute(
        pool,
        "INSERT INTO reception_booking (id, reception_day_id, slot, digest, state, name_sealed, phone_sealed,"
        " booked_at) VALUES (%s, %s, 1, %s, 'came', %s, %s, %s)",
        *(uuid4(), day_id, day_id.bytes * 2, bytes(40), bytes(40), ended_at - timedelta(days=2)),
    )
    return day_id


def add_citizen_message(pool, settled_at):
    citizen_ref, issue_id, message_id = uuid4(), uuid4(), uuid4()
    execute(pool, "INSERT INTO citizen (ref, state, recorded_at) VALUES (%s, 'active', now())", citizen_ref)
    add_issue(pool, citizen_ref, None, issue_id=issue_id)
    execute(
        pool,
        "INSERT INTO citizen_message (id, event_id, citizen_ref, issue_id, kind, text_sealed, state, made_at,"
        " next_attempt_at, valid_until, settled_at) VALUES (%s, %s, %s, %s, 'received', %s, 'sent', %s, %s, %s, %s)",
        *(message_id, uuid4(), citizen_ref, issue_id, bytes(40), settled_at, settled_at, settled_at, settled_at),
    )
    return issue_id


def add_opinion(pool, ended_at):
    consultation_id, organisation_id = uuid4(), uuid4()
    execute(
        pool,
        "INSERT INTO organisation (id, code, name, level, sequence, recorded_at) VALUES (%s, %s, 'o', '50', 1, now())",
        *(organisation_id, organisation_id.hex),
    )
    execute(
        pool,
        "INSERT INTO consultation (id, organisation_id, title, question, opens_at, closes_at, state, sequence,"
        " recorded_at) VALUES (%s, %s, 't', 'q', %s, %s, 'announced', 1, now())",
        *(consultation_id, organisation_id, ended_at - timedelta(days=30), ended_at),
    )
    execute(
        pool,
        "INSERT INTO opinion (id, consultation_id, channel, text_sealed, given_at) VALUES (%s, %s, 'web', %s, %s)",
        *(uuid4(), consultation_id, bytes(40), ended_at - timedelta(days=1)),
    )
    return consultation_id


# By class: its service, how an item of an age is made, and a statement that counts what is left of them.
CLASSES = {
    "citizen_identifiers": ("intake", intake.CLASSES, add_citizen, "SELECT count(name) FROM citizen"),
    "citizen_links": ("intake", intake.CLASSES, add_link, "SELECT count(digest) FROM citizen_link"),
    "idempotency_keys": ("intake", intake.CLASSES, add_key, "SELECT count(*) FROM idempotency_key"),
    "sent_events": ("intake", intake.CLASSES, add_event, "SELECT count(*) FROM outbox"),
    "import_files": ("intake", intake.CLASSES, add_import, "SELECT count(storage_name) FROM import_run"),
    "rating_traces": ("intake", intake.CLASSES, add_trace, "SELECT count(*) FROM rating_trace"),
    "rating_links": ("intake", intake.CLASSES, add_rating, "SELECT count(contact_id) FROM rating"),
    "opinions": ("intake", intake.CLASSES, add_opinion, "SELECT count(text_sealed) FROM opinion"),
    "reception_bookings": (
        "intake",
        intake.CLASSES,
        add_booking,
        "SELECT count(name_sealed) FROM reception_booking",
    ),
    "citizen_message_texts": (
        "intake",
        intake.CLASSES,
        add_citizen_message,
        "SELECT count(text_sealed) FROM citizen_message",
    ),
    "citizen_messages": ("intake", intake.CLASSES, add_citizen_message, "SELECT count(*) FROM citizen_message"),
    "inbox_messages": ("notify", notify.CLASSES, add_message, "SELECT count(*) FROM message"),
    "notification_content": ("notify", notify.CLASSES, add_delivery, "SELECT count(address) FROM delivery"),
    "notification_status": ("notify", notify.CLASSES, add_delivery, "SELECT count(*) FROM delivery"),
    "sessions": ("identity", identity.CLASSES, add_session, "SELECT count(*) FROM session"),
}


@pytest.mark.parametrize("name", CLASSES)
def test_what_is_over_by_a_second_goes_and_what_has_a_second_left_stays(new_pool, name):
    service, classes, add, count = CLASSES[name]
    pool, classes = new_pool(service), only(classes, name)
    limit = SCHEDULE.keep[name].before(NOW)
    add(pool, limit - SECOND)
    add(pool, limit)
    add(pool, limit + SECOND)

    (before,) = report(pool, SCHEDULE, classes, now=NOW)
    (found,) = run(pool, SCHEDULE, classes, now=NOW)
    (again,) = run(pool, SCHEDULE, classes, now=NOW)

    assert (before.count, before.oldest, before.state) == (1, limit - SECOND, "dry_run")
    assert (found.state, found.removed) == ("removed", 1)
    assert (again.count, again.removed) == (0, 0)
    assert execute(pool, count) == [(2,)]
    assert execute(pool, "SELECT action, object_type, details ->> 'count' FROM audit_record") == [
        ("retention.removed", name, "1")
    ]


def test_a_score_is_kept_for_ten_years_after_its_period_began(new_pool):
    pool = new_pool("assessment")
    for day in (datetime(2016, 3, 30, tzinfo=UTC), datetime(2016, 3, 31, tzinfo=UTC)):
        add_score(pool, day)

    findings = {one.name: one for one in run(pool, SCHEDULE, assessment.CLASSES, now=NOW)}

    assert findings["scores"].removed == 1
    assert execute(pool, "SELECT period_start::text FROM score") == [("2016-03-31",)]


def test_a_signal_ends_three_years_after_its_decision_and_never_while_it_is_open(new_pool):
    pool = new_pool("assessment")
    old = NOW - timedelta(days=3 * 366)
    for number, (state, at) in enumerate([("open", old), ("lapsed", old), ("cleared", old), ("cleared", NOW)]):
        is_decided = state == "cleared"
        execute(
            pool,
            """
            INSERT INTO signal (signal_id, cadre_id, staff_number, check_name, starts_on, ends_on, odds, evidence,
                                record_ids, found_at, state, decided_at, decided_by, grounds)
            VALUES (gen_random_uuid(), gen_random_uuid(), 'S1', 'empty_replies', '2020-01-01', '2020-12-31', %s, '{}',
                    '{}', %s, %s, %s, %s, %s)
            """,
            number,
            old,
            state,
            at if is_decided else None,
            "li" if is_decided else None,
            "local_custom" if is_decided else None,
        )

    findings = {one.name: one for one in run(pool, SCHEDULE, assessment.CLASSES, now=NOW)}

    assert findings["signals"].removed == 2
    assert execute(pool, "SELECT odds FROM signal ORDER BY odds") == [(0,), (3,)]


HELD = {
    "citizen_identifiers": "citizen",
    "import_files": "import",
    "rating_links": "rating",
    "opinions": "consultation",
    "reception_bookings": "reception_day",
    "citizen_message_texts": "issue",
    "citizen_messages": "issue",
    "inbox_messages": "message",
    "notification_content": "delivery",
    "notification_status": "delivery",
}


@pytest.mark.parametrize("name", HELD)
def test_what_is_held_stays_until_it_is_released(new_pool, name):
    service, classes, add, count = CLASSES[name]
    pool, classes = new_pool(service), only(classes, name)
    item = str(add(pool, SCHEDULE.keep[name].before(NOW) - timedelta(days=400)))
    with transaction(pool) as connection:
        assert HELD[name] in classes[0].held_as
        assert set_hold(connection, HELD[name], item, reason="a court asks for it", set_by="li.wei")
        assert not set_hold(connection, HELD[name], item, reason="again", set_by="li.wei")

    (held,) = run(pool, SCHEDULE, classes, now=NOW)
    left = execute(pool, count)
    with transaction(pool) as connection:
        assert release_hold(connection, HELD[name], item)
    (released,) = run(pool, SCHEDULE, classes, now=NOW)

    assert (held.count, held.removed, left) == (0, 0, [(1,)])
    assert released.removed == 1
    assert [row[0] for row in execute(pool, "SELECT action FROM audit_record ORDER BY seq")] == [
        *("hold.set", "hold.released", "retention.removed")
    ]


def test_who_has_an_open_case_or_complained_of_an_official_or_is_restricted_is_not_forgotten(new_pool):
    pool, kind = new_pool("intake"), only(intake.CLASSES, "citizen_identifiers")
    long_ago = NOW - timedelta(days=800)
    forgotten, busy, complainant, restricted = (add_citizen(pool, long_ago) for _ in range(4))
    add_issue(pool, busy, None)
    official = uuid4()
    execute(
        pool,
        "INSERT INTO cadre (id, staff_number, name, sequence, recorded_at) VALUES (%s, 'S9', 'x', 1, now())",
        official,
    )
    add_issue(pool, complainant, long_ago, subject_id=official)
    execute(
        pool,
        "UPDATE citizen SET state = 'restricted', restricted_at = now(), review_on = '2027-01-01' WHERE ref = %s",
        restricted,
    )

    (found,) = run(pool, SCHEDULE, kind, now=NOW)

    assert found.removed == 1
    assert execute(pool, "SELECT ref FROM citizen WHERE name IS NULL AND phone IS NULL") == [(forgotten,)]
    assert forgotten not in {row[0] for row in execute(pool, "SELECT citizen_ref FROM citizen_handle")}
    assert execute(pool, "SELECT count(*) FROM citizen_key") == [(4,)]


def test_the_text_goes_only_when_it_lies_in_nobodys_inbox_any_more(new_pool):
    pool, long_ago = new_pool("notify"), NOW - timedelta(days=100)
    add_delivery(pool, long_ago)
    add_delivery(pool, long_ago, in_inbox=True)
    texts = "SELECT text_body, html_body FROM digest ORDER BY 1"

    run(pool, SCHEDULE, notify.CLASSES, now=NOW)
    assert execute(pool, texts) == [("", ""), ("text", "<p>")]

    run(pool, SCHEDULE, notify.CLASSES, now=NOW + timedelta(days=800))
    assert execute(pool, texts) == [("", ""), ("", "")]


def test_the_first_event_of_an_aggregate_stays_without_what_it_said(new_pool):
    pool, aggregate_id, old = new_pool("intake"), uuid4(), NOW - timedelta(days=36)
    first = add_event(pool, old, sequence=1, aggregate_id=aggregate_id)
    add_event(pool, old, sequence=2, aggregate_id=aggregate_id)
    execute(pool, "UPDATE outbox SET sent_at = NULL WHERE event_id = %s", add_event(pool, old, sequence=9))
    kind = only(intake.CLASSES, "sent_events")

    (found,) = run(pool, SCHEDULE, kind, now=NOW)
    (again,) = run(pool, SCHEDULE, kind, now=NOW)

    assert (found.removed, again.removed) == (2, 0)
    rows = execute(pool, "SELECT event_id, payload FROM outbox ORDER BY id")
    assert rows[0] == (first, {})
    assert rows[1][1] == {"a": 1}
    assert len(rows) == 2


def test_much_is_removed_in_small_commits_and_what_broke_off_is_gone_on_with(new_pool, monkeypatch):
    pool, kind = new_pool("intake"), only(intake.CLASSES, "idempotency_keys")
    monkeypatch.setattr(jobs, "BATCH", 10)
    for _ in range(35):
        add_key(pool, NOW - timedelta(days=4))
    taken = []

    def break_off(connection, before, batch, after):
        step = kind[0].remove(connection, before, batch, after)
        taken.append(step.removed)
        if len(taken) == 3:
            raise DatabaseAway("killed")
        return step

    (broken,) = run_daily(pool, SCHEDULE, [replace(kind[0], remove=break_off)], now=NOW)
    left = execute(pool, "SELECT count(*) FROM idempotency_key")
    (after,) = run_daily(pool, SCHEDULE, kind, now=NOW + timedelta(minutes=10))

    assert (broken.state, left) == ("failed", [(15,)])
    assert (after.state, after.removed) == ("removed", 15)
    counts = execute(pool, "SELECT (details ->> 'count')::int FROM audit_record ORDER BY seq")
    assert [row[0] for row in counts] == [10, 10, 10, 5]


def test_a_class_is_gone_through_once_a_day(new_pool):
    pool, kind = new_pool("intake"), only(intake.CLASSES, "idempotency_keys")

    assert len(run_daily(pool, SCHEDULE, kind, now=NOW)) == 1
    assert run_daily(pool, SCHEDULE, kind, now=NOW + timedelta(hours=11)) == []
    assert len(run_daily(pool, SCHEDULE, kind, now=NOW + timedelta(hours=12))) == 1


def test_a_changed_period_waits_for_two_persons(new_pool):
    pool, kind = new_pool("intake"), only(intake.CLASSES, "idempotency_keys")
    shorter = Period(24, "hours")
    schedule = Schedule(keep={**SCHEDULE.keep, "idempotency_keys": shorter}, changed=frozenset({"idempotency_keys"}))
    add_key(pool, NOW - timedelta(hours=25))
    states = []

    def agree(person, keep=shorter):
        with transaction(pool) as connection:
            approve(connection, "idempotency_keys", keep, person_id=person, account_id=None)
        (found,) = run(pool, schedule, kind, now=NOW)
        states.append(found.state)

    agree("p1")
    agree("p1")
    agree("p2", Period(48, "hours"))
    agree("p2")

    assert states == ["waits_for_approval", "waits_for_approval", "waits_for_approval", "removed"]
    assert execute(pool, "SELECT count(*) FROM idempotency_key") == [(0,)]


def test_files_of_records_go_and_checkpoints_stay(new_pool, tmp_path):
    pool, limit = new_pool("intake"), SCHEDULE.keep["audit_files"].before(NOW)
    kind = only(audit_classes(tmp_path), "audit_files")
    for number, at in enumerate((limit - SECOND, limit, limit + SECOND)):
        line = orjson.dumps({"at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")})
        (tmp_path / f"records-{number}.jsonl").write_bytes(b"{}\n" + line + b"\n")
        (tmp_path / f"checkpoint-{number}.json").write_bytes(b"{}\n")

    (found,) = run(pool, SCHEDULE, kind, now=NOW)

    assert (found.count, found.removed) == (1, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("checkpoint-0.json", "checkpoint-1.json", "checkpoint-2.json", "records-1.jsonl", "records-2.jsonl")
    ]


def test_audit_records_leave_the_database_only_when_they_lie_in_files(new_pool, postgres_admin_url):
    pool = new_pool("intake")
    with transaction(pool) as connection:
        (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
        note(connection, Line(action="old"), Line(action="new"))
    with psycopg.connect(psycopg.conninfo.make_conninfo(postgres_admin_url, dbname=str(name))) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute("UPDATE audit_record SET at = now() - interval '366 days' WHERE seq = 1")
    kind, now = only(audit_classes(None), "audit_records"), datetime.now(UTC)

    (unexported,) = run(pool, SCHEDULE, kind, now=now)
    execute(pool, "INSERT INTO audit_checkpoint VALUES (1, 1, 1, 'x', 1, %s, now(), now())", bytes(64))
    (exported,) = run(pool, SCHEDULE, kind, now=now)

    assert (unexported.count, unexported.removed) == (1, 0)
    assert exported.removed == 1
    assert execute(pool, "SELECT action FROM audit_record ORDER BY seq") == [("new",), ("retention.removed",)]
