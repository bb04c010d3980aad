"""Asks every route as every role about an object in every place, and says where the answer is not the expected one."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastapi import FastAPI
from httpx2 import Client, Response
from typing_extensions import override

from shared.access.principal import Role
from shared.http import list_actions
from tests.matrix.expectations import PLACES, ROLES, Place, places_allowed
from tests.matrix.probes import Probe, Shot

Route = tuple[str, str]
_VOLATILE = frozenset({"x-correlation-id", "date"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    route: Route
    role: str
    place: str
    expected: str
    met: str

    @override
    def __str__(self) -> str:
        method, path = self.route
        return f"{method} {path} as {self.role}, object {self.place}: expected {self.expected}, met {self.met}"


def routes_of(app: FastAPI) -> set[Route]:
    return {(method, route.path_format) for route, _ in list_actions(app) for method in (route.methods or ())}


def ask(client: Client, route: Route, shot: Shot, *, who: str | None) -> Response:
    method, path = route
    headers = dict(shot.headers)
    if who is not None:
        headers["Authorization"] = f"Bearer {who}"
    content = None if shot.body is None else json.dumps(shot.body).encode()
    if content is not None:
        headers.setdefault("Content-Type", "application/json")
    return client.request(
        method,
        path.format(**shot.path),
        params={name: str(value) for name, value in shot.query.items()},
        content=content,
        headers=headers,
    )


def check_route(
    client: Client, route: Route, probe: Probe, actors: Mapping[tuple[Role, Place], str]
) -> Iterator[Deviation]:
    """`actors` names who asks in a role about an object in a place."""
    if not probe.is_open:
        yield from _check_strangers(client, route, probe)
    for role in ROLES:
        allowed = places_allowed(probe.action, role)
        refused: dict[Place, Response] = {}
        for place in PLACES:
            shot = probe.aim(place)
            if shot is None:
                continue
            answer = ask(client, route, shot, who=actors[role, place])
            if probe.lists is not None and allowed is not None:
                yield from _check_list(route, role, answer, allowed, probe)
                continue
            expected, fits = _judge(answer, allowed, place, probe)
            if not fits:
                met = f"{answer.status_code} {answer.text[:120]}"
                yield Deviation(route=route, role=role, place=place, expected=expected, met=met)
            if allowed is not None and place not in allowed:
                refused[place] = answer
        yield from _compare(route, role, refused, probe)


def _judge(answer: Response, allowed: frozenset[Place] | None, place: Place, probe: Probe) -> tuple[str, bool]:
    if allowed is None:
        return "403", answer.status_code == 403
    if place in allowed:
        return f"one of {sorted(probe.fine)}", answer.status_code in probe.fine
    return str(probe.absent), answer.status_code == probe.absent


def _check_list(
    route: Route, role: Role, answer: Response, allowed: frozenset[Place], probe: Probe
) -> Iterator[Deviation]:
    for place, text in (probe.lists or {}).items():
        shown = answer.status_code == 200 and text in answer.text
        if shown != (place in allowed):
            expected = "shown" if place in allowed else "not shown"
            yield Deviation(route=route, role=role, place=place, expected=expected, met=str(answer.status_code))


def _check_strangers(client: Client, route: Route, probe: Probe) -> Iterator[Deviation]:
    shot = probe.aim("own") or Shot()
    for who in (None, "nobody-of-this-name"):
        answer = ask(client, route, shot, who=who)
        if answer.status_code != 401:
            yield Deviation(route=route, role="nobody", place="own", expected="401", met=str(answer.status_code))


def _compare(route: Route, role: Role, refused: Mapping[Place, Response], probe: Probe) -> Iterator[Deviation]:
    """What is out of reach must look exactly like what does not exist."""
    if "unknown" not in refused:
        return
    nothing = _visible(refused["unknown"])
    for place, answer in refused.items():
        if place not in probe.known and _visible(answer) != nothing:
            met = f"{answer.status_code} {answer.text[:120]}"
            yield Deviation(route=route, role=role, place=place, expected="the bytes of what does not exist", met=met)


def _visible(answer: Response) -> tuple[int, str, list[tuple[str, str]]]:
    """Everything that a caller sees, but for the codes that the caller sent."""
    headers = sorted((name, value) for name, value in answer.headers.items() if name not in _VOLATILE)
    return answer.status_code, re.sub(r"A-\w+|\d{6,12}", "#", answer.text), headers


def actor_name(role: Role, place: Place) -> str:
    """Who asks about a complaint is the one complained of; about all else, somebody who is no cadre of this world."""
    return f"{role}:{'subject' if place == 'subject' else 'usual'}"
