"""The Celery door: when digests are composed and what is due goes out. Each task calls one handler."""

import random
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from services.notify.channels.registry import open_channels, open_robots
from services.notify.channels.robots import Robot
from services.notify.handlers.delivering import Chances, DeliveryRules
from services.notify.handlers.digests import DigestRules, compose_digests
from services.notify.handlers.dispatching import Dispatcher
from services.notify.handlers.noticing import NoticeRules, note_events
from services.notify.handlers.owners import note_owners
from services.notify.handlers.periods import note_periods
from services.notify.handlers.rules import load_rules
from services.notify.handlers.telling import TellingRules, tell_some
from services.notify.handlers.templates import load_wordings
from services.notify.rendering.digests import Renderer
from services.notify.settings import NotifySettings
from services.notify.storage.directory import Directory
from shared.calendars import load_calendar
from shared.database import Pool
from shared.errors import Transient
from shared.identifiers import new_id
from shared.observability import get_logger
from shared.worker import RELIABLE, make_celery, nudge

COMPOSE = "notify.compose_digests"
DELIVER = "notify.deliver"
NOTE = "notify.note_events"

log = get_logger()


class OneAtATime:
    """Does a piece of work on one thread of this process at a time; who comes meanwhile has it done once more after.

    Nudges come several a second, and threads that do the same work at once only wait for each other's locks.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._is_running = False
        self._is_wanted = False

    def run(self) -> None:
        with self._lock:
            self._is_wanted = True
            if self._is_running:
                return
            self._is_running = True
        try:
            while self._takes_up():
                self._work()
        except BaseException:
            with self._lock:
                self._is_running = False
            raise

    def _takes_up(self) -> bool:
        with self._lock:
            self._is_running, self._is_wanted = self._is_wanted, False
            return self._is_running


def create_worker(settings: NotifySettings, pool: Pool, directory: Directory) -> Any:  # noqa: ANN401 - a Celery app, and Celery has no types
    app = make_celery("notify")
    renderer = Renderer(settings.zone)
    digest_rules = DigestRules(
        interval=timedelta(seconds=settings.digest_interval_seconds),
        valid_for=timedelta(hours=settings.delivery_valid_hours),
        mail_domain=settings.sender.domain,
    )
    channels = open_channels(settings)
    rules = load_rules(settings.rules)
    calendar = load_calendar(settings.calendar_file, zone=settings.zone)
    notice_rules = NoticeRules(rules=rules, calendar=calendar, groups=_groups(open_robots(settings).values()))
    dispatcher = Dispatcher(
        pool,
        channels,
        DeliveryRules(attempts_max=settings.delivery_attempts_max),
        Chances(clock=_now, draw=random.random),
    )

    @app.task(name=COMPOSE, **RELIABLE)
    def compose() -> None:
        if compose_digests(pool, renderer, digest_rules, now=_now(), new_id=new_id):
            nudge(app, DELIVER)

    def note_and_tell() -> None:
        now = _now()
        _note(pool, notice_rules, directory, now=now)
        telling = TellingRules(
            calendar=calendar,
            channels=channels,
            while_open=frozenset(rule.code for rule in rules if rule.while_open),
            wordings=load_wordings(pool, zone=settings.zone, desk_url=settings.desk_url),
            mail_domain=settings.sender.domain,
        )
        while (told := tell_some(pool, telling, now=now, new_id=new_id)) is not None:
            if told:
                nudge(app, DELIVER)  # at once, while the next are told

    noting = OneAtATime(note_and_tell)

    @app.task(name=NOTE, **RELIABLE)
    def note() -> None:
        """Go through what was heard, and tell what is due: both are rows, so whoever is faster does the rest."""
        noting.run()

    @app.task(name=DELIVER, **RELIABLE)
    def deliver() -> None:
        """Hands out what is due to threads of its own: a server that hangs must not hold the threads of the worker."""
        dispatcher.sweep()

    app.conf.beat_schedule = {
        name: {"task": name, "schedule": settings.sweep_seconds, "options": {"expires": settings.sweep_seconds}}
        for name in (COMPOSE, NOTE, DELIVER)
    }
    return app


def _note(pool: Pool, rules: NoticeRules, directory: Directory, *, now: datetime) -> None:
    try:
        note_owners(pool, rules, now=now, new_id=new_id)
        while note_events(pool, rules, directory, now=now, new_id=new_id):
            pass
        note_periods(pool, rules, directory, now=now, new_id=new_id)
    except Transient as error:
        # Identity may be away, which is no reason to keep back what has been noted.
        log.warning("noting_postponed", code=error.code)


def _groups(robots: Iterable[Robot]) -> dict[str, list[str]]:
    """The names of robots by the code of the unit whose group they speak to."""
    named: dict[str, list[str]] = {}
    for robot in robots:
        named.setdefault(robot.organisation_code, []).append(robot.name)
    return named


def _now() -> datetime:
    return datetime.now(UTC)
