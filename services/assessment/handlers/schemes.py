"""Loading schemes and reading the one in force."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from services.assessment.domain.measures import NOBODY
from services.assessment.domain.schemes import Scheme, hash_definition, merge_definition, read_scheme
from services.assessment.domain.scores import UnknownScheme
from services.assessment.storage import marking, schemes, tallies
from services.assessment.storage.schemes import StoredScheme
from shared.audit.chain import Line, note
from shared.database import Connection, Pool, transaction
from shared.errors import Conflict
from shared.observability import correlation_id

_read: dict[bytes, Scheme] = {}  # by content hash; a place has a handful


class ChangedScheme(Conflict):
    """A definition differs from the one loaded under the same name and version."""

    code = "changed-scheme"


def load_schemes(pool: Pool, files: Iterable[Path], *, indicators_file: Path, now: datetime) -> list[str]:
    """Load what is not loaded yet and return its names; all is then scored anew. Raises BadScheme, ChangedScheme."""
    indicators_text = indicators_file.read_text("utf-8")
    loaded = []
    with transaction(pool) as connection:
        # A pass under way scores by the version it began with, and whom it scores first nobody can see to mark yet.
        tallies.lock_scoring(connection)
        for file in sorted(files):
            definition = merge_definition(file.read_text("utf-8"), indicators_text)
            scheme = read_scheme(definition)
            if _load(connection, scheme, definition):
                loaded.append(f"{scheme.name}-{scheme.version}")
        if loaded:
            marking.mark_all_subjects(connection, nobody=NOBODY, marked_at=now, correlation_id=correlation_id())
            note(connection, *(Line(action="scheme.loaded", object_type="scheme", object_id=name) for name in loaded))
    return loaded


def _load(connection: Connection, scheme: Scheme, definition: dict[str, object]) -> bool:
    content_hash = hash_definition(definition)
    if schemes.insert_scheme(connection, scheme.name, scheme.version, definition=definition, content_hash=content_hash):
        return True
    stored = schemes.find_scheme(connection, scheme.name, scheme.version)
    if stored is None or stored.content_hash != content_hash:
        raise ChangedScheme(
            f"scheme {scheme.name} {scheme.version} differs from what was loaded: give it a new version"
        )
    return False


def read_scheme_in_force(connection: Connection, name: str) -> Scheme:
    """The newest version of the scheme. Raises UnknownScheme."""
    content_hash = schemes.find_hash(connection, name)
    if content_hash is None:
        raise UnknownScheme("the scheme in force is not loaded")
    return read_scheme_of(connection, content_hash)


def read_scheme_of(connection: Connection, content_hash: bytes) -> Scheme:
    """Read once in a process: what stands under a hash never changes. Raises UnknownScheme."""
    scheme = _read.get(content_hash)
    if scheme is None:
        definition = schemes.find_definition(connection, content_hash)
        if definition is None:
            raise UnknownScheme("the scheme in force is not loaded")
        scheme = _read[content_hash] = read_scheme(definition)
    return scheme


def get_scheme(pool: Pool, name: str, version: int) -> StoredScheme:
    """Raises UnknownScheme."""
    with transaction(pool) as connection:
        stored = schemes.find_scheme(connection, name, version)
    if stored is None:
        raise UnknownScheme("there is no such scheme")
    return stored


def list_schemes(pool: Pool) -> list[StoredScheme]:
    with transaction(pool) as connection:
        return schemes.list_schemes(connection)
