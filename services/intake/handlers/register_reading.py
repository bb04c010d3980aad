"""Reading the registers of organisations and cadres, as they stand or as they stood on a day."""

from dataclasses import dataclass, replace
from datetime import date

from services.intake.storage import posts, standing, versions
from services.intake.storage import registers as storage
from services.intake.storage.standing import Kind
from shared.database import Pool, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class CadreRecord:
    cadre: storage.Cadre
    posts: list[tuple[posts.Post, str]]  # each with its organisation's code
    names: list[versions.CadreVersion]
    departures: list[versions.Departure]


def find_version(pool: Pool, kind: Kind, key: str) -> int | None:
    """To be asked before the entry is read: a tag must not promise a later version than what it stands on."""
    with transaction(pool) as connection:
        return standing.find_version(connection, kind, [key])


def list_organisations(pool: Pool, *, after_code: str, limit: int, on: date) -> list[storage.Organisation]:
    """List what the register says of that day."""
    with transaction(pool) as connection:
        return versions.list_organisations_on(connection, on, after_code=after_code, limit=limit)


def get_organisation(pool: Pool, code: str, *, on: date | None = None) -> storage.Organisation:
    """As it stands, or as it stood that day. Raises OrganisationNotFound, also where it did not stand yet."""
    with transaction(pool) as connection:
        if on is None:
            return storage.get_organisation(connection, code)
        found = versions.find_organisation_on(connection, code, on)
    if found is None:
        raise storage.OrganisationNotFound("no organisation had this code then")
    return found


def list_organisation_versions(pool: Pool, code: str) -> list[versions.OrganisationVersion]:
    """Raises OrganisationNotFound."""
    with transaction(pool) as connection:
        organisation = storage.get_organisation(connection, code)
        return versions.list_organisation_versions(connection, organisation.id)


def list_cadres(pool: Pool, *, after_number: str, limit: int, on: date) -> list[storage.Cadre]:
    with transaction(pool) as connection:
        return versions.list_cadres_on(connection, on, after_number=after_number, limit=limit)


def get_cadre(pool: Pool, staff_number: str, *, on: date | None = None) -> CadreRecord:
    """With everything known, or by the name and posts of one day. Raises CadreNotFound."""
    with transaction(pool) as connection:
        cadre = storage.get_cadre(connection, staff_number)
        record = CadreRecord(
            cadre=cadre,
            posts=posts.list_posts_of(connection, cadre.id),
            names=versions.list_cadre_versions(connection, cadre.id),
            departures=versions.list_departures(connection, cadre.id),
        )
    return record if on is None else _as_of(record, on)


def _as_of(record: CadreRecord, on: date) -> CadreRecord:
    """Raises CadreNotFound for a cadre who had no name in the register that day."""
    names = [name for name in record.names if name.from_on is None or name.from_on <= on]
    if not names:
        raise storage.CadreNotFound("no cadre had this staff number then")
    newest = max(names, key=lambda name: (name.from_on or date.min, name.sequence))
    return CadreRecord(
        cadre=replace(record.cadre, name=newest.name, from_on=newest.from_on),
        posts=[
            (post, code)
            for post, code in record.posts
            if post.from_on <= on and (post.until_on is None or post.until_on >= on)
        ],
        names=names,
        departures=[departure for departure in record.departures if departure.left_on <= on],
    )
