"""Wordings of notices, over HTTP: read, tried out, written, and put into force."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import Field

from services.notify.api.doors import AppSettings
from services.notify.domain.messages import Language
from services.notify.domain.templates import Template
from services.notify.handlers import templates
from services.notify.rendering.notices import LONGEST_TEMPLATE, Wording, preview
from shared.access.principal import Principal
from shared.answers import Listing, Shown, refuses, shows
from shared.http import AppPool, Body, describe_body, json_body, json_response, permit

router = APIRouter(prefix="/v1/templates", tags=["templates"])
TopicName = Annotated[str, Path(pattern=r"^[a-z][a-z_]{0,63}$")]
Source = Annotated[str, Field(min_length=1, max_length=LONGEST_TEMPLATE)]
Version = Annotated[int, Path(ge=0, le=1_000_000)]


class WordingBody(Body):
    subject: Source
    text: Source


class Preview(Shown):
    subject: str
    text: str


class Written(Shown):
    topic: str
    language: Language
    version: int


class InForce(Written):
    is_active: bool


@router.get("", responses=shows(Listing[Template]))
def list_templates(_: Annotated[Principal, Depends(permit("template.read"))], pool: AppPool) -> Response:
    """Every version of every topic in both languages; version 0 is what is shipped."""
    return json_response({"items": templates.list_templates(pool)})


@router.get("/{topic}", responses=shows(Listing[Template]))
def list_versions(
    topic: TopicName, _: Annotated[Principal, Depends(permit("template.read"))], pool: AppPool
) -> Response:
    return json_response({"items": templates.list_templates(pool, topic)})


@router.post("/{topic}/{language}/preview", openapi_extra=describe_body(WordingBody), responses=shows(Preview))
def preview_template(
    topic: TopicName,
    language: Language,
    _: Annotated[Principal, Depends(permit("template.preview"))],
    settings: AppSettings,
    body: Annotated[WordingBody, Depends(json_body(WordingBody))],
) -> Response:
    """How it would read of an example. Nothing is kept."""
    shown = preview(topic, language, Wording(subject=body.subject, text=body.text), zone=settings.zone)
    return json_response({"subject": shown.subject, "text": shown.text_body})


@router.post(
    "/{topic}/{language}",
    status_code=201,
    openapi_extra=describe_body(WordingBody),
    responses=shows(Written, status=201) | shows(Written, description="The author wrote just that last."),
)
def write_template(
    topic: TopicName,
    language: Language,
    principal: Annotated[Principal, Depends(permit("template.write"))],
    pool: AppPool,
    body: Annotated[WordingBody, Depends(json_body(WordingBody))],
) -> Response:
    """A new version, by which nobody is told before another person puts it into force. A repeat makes none."""
    wording = Wording(subject=body.subject, text=body.text)
    version, is_new = templates.write_template(pool, topic, language, wording, by=principal, now=datetime.now(UTC))
    document = {"topic": topic, "language": language, "version": version}
    return json_response(document, status=201 if is_new else 200)


@router.post(
    "/{topic}/{language}/{version}/activate",
    responses=shows(InForce) | refuses(_409="Another person than its author puts a wording into force."),
)
def activate_template(
    topic: TopicName,
    language: Language,
    version: Version,
    principal: Annotated[Principal, Depends(permit("template.activate"))],
    pool: AppPool,
) -> Response:
    """Version 0 goes back to what is shipped."""
    templates.activate_template(pool, topic, language, version, by=principal, now=datetime.now(UTC))
    return json_response({"topic": topic, "language": language, "version": version, "is_active": True})
