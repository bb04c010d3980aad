"""Wordings in the place of those shipped: written by one person, put into force by another."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.notify.domain.messages import Language
from services.notify.domain.templates import OwnTemplate, Template, UnknownTemplate
from services.notify.rendering.notices import Wording, Wordings, check_wording, topics
from services.notify.storage import templates as storage
from services.notify.storage.templates import NewTemplate
from shared.access.principal import Principal
from shared.audit.chain import Line, note
from shared.database import Pool, transaction


def list_templates(pool: Pool, topic: str | None = None) -> list[Template]:
    """What is shipped is version 0, in force where nothing else is. Raises UnknownTemplate."""
    if topic is not None and topic not in topics():
        raise UnknownTemplate("there is no such topic")
    with transaction(pool) as connection:
        given = storage.list_templates(connection, topic)
    replaced = {(one.topic, one.language) for one in given if one.is_active}
    shipped = [
        Template(
            topic=name,
            language=language,
            version=0,
            subject=wording.subject,
            text=wording.text,
            is_active=(name, language) not in replaced,
            written_at=None,
            activated_at=None,
        )
        for name, known in topics().items()
        for language, wording in known.shipped.items()
        if topic in {None, name}
    ]
    return sorted([*shipped, *given], key=lambda one: (one.topic, one.language, one.version))


def write_template(
    pool: Pool, topic: str, language: Language, wording: Wording, *, by: Principal, now: datetime
) -> tuple[int, bool]:
    """Return its version, and whether it is new; nobody is told by it yet. Raises UnknownTopic, BadTemplate."""
    check_wording(topic, wording)
    template = NewTemplate(
        topic=topic,
        language=language,
        subject=wording.subject,
        text=wording.text,
        written_by=by.person_id,
        written_at=now,
    )
    with transaction(pool) as connection:
        repeated = storage.find_repeated(connection, template)
        if repeated is not None:
            return repeated, False
        version = storage.insert_template(connection, template)
        details = {"version": version}
        note(
            connection,
            Line(action="template.write", object_type="template", object_id=f"{topic}/{language}", details=details),
        )
        return version, True


def activate_template(
    pool: Pool, topic: str, language: Language, version: int, *, by: Principal, now: datetime
) -> None:
    """Tell by this version from now on; 0 is what is shipped. A repeat changes nothing.

    Raises UnknownTemplate, OwnTemplate.
    """
    if topic not in topics():
        raise UnknownTemplate("there is no such topic")
    with transaction(pool) as connection:
        if version:
            author = storage.find_author(connection, topic, language, version)
            if author is None:
                raise UnknownTemplate("there is no such version")
            if author == by.person_id:
                raise OwnTemplate("another person than its author puts a wording into force")
        storage.retire_active(connection, topic, language)
        if version:
            storage.activate(connection, topic, language, version, by=by.person_id, at=now)
        details = {"version": version}
        note(
            connection,
            Line(action="template.activate", object_type="template", object_id=f"{topic}/{language}", details=details),
        )


def load_wordings(pool: Pool, *, zone: ZoneInfo, desk_url: str | None) -> Wordings:
    """What notices are told by now."""
    with transaction(pool) as connection:
        active = storage.list_active(connection)
    return Wordings(
        {(one.topic, one.language): Wording(subject=one.subject, text=one.text) for one in active},
        zone=zone,
        desk_url=desk_url,
    )
