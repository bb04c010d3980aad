"""Keys of access tokens: published before they sign, accepted until their last token has ended, and never readable."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from services.identity.__main__ import rotate_token_keys
from services.identity.domain.token_keys import ACCEPTED_AFTER_USE, PUBLISHED_BEFORE_USE, SIGNS_FOR, TOKEN_LIFE
from services.identity.handlers.token_keys import KeyChoice, list_public_keys, rotate_due_keys, rotate_keys
from services.identity.settings import IdentitySettings
from services.identity.signing.access_tokens import issue_token
from services.identity.storage import token_keys
from shared.access.store import IdentityStore
from shared.access.tokens import verify
from shared.ciphers import Undecipherable
from shared.database import transaction
from shared.errors import Unauthenticated
from shared.reach import SYSTEM
from tests.integration.identity.machines import INTAKE, ISSUER

pytestmark = pytest.mark.integration
SECOND = timedelta(seconds=1)


@pytest.fixture
def choice(pool, keys):
    return KeyChoice(pool, keys, issuer=ISSUER, believed=timedelta(0))


@pytest.fixture
def now():
    return datetime.now(UTC)


def sign(choice, now):
    return issue_token(choice.choose(now), client_id="hotline", audience=INTAKE, scopes=["intake.read"], now=now)


def kids(pool, now):
    return [kid for kid, _ in list_public_keys(pool, now=now)]


def is_accepted(pool, token, now):
    with transaction(pool, reach=SYSTEM) as connection:
        published: Any = token_keys.list_keys(connection, now=now)
    try:
        return verify(token, published, audience=INTAKE, now=now) is not None
    except Unauthenticated:
        return False


def test_the_first_key_is_made_when_it_is_needed_and_signs_at_once(pool, choice, now):
    assert kids(pool, now) == []

    token = sign(choice, now)

    assert len(kids(pool, now)) == 1
    assert is_accepted(pool, token, now)


def test_a_new_key_is_published_before_it_signs_and_the_old_one_lasts_as_long_as_its_tokens(pool, keys, choice, now):
    old = choice.choose(now).kid
    new = rotate_keys(pool, keys, issuer=ISSUER, now=now)

    assert kids(pool, now) == [old, new]
    assert choice.choose(now + PUBLISHED_BEFORE_USE - SECOND).kid == old
    last = sign(choice, now + PUBLISHED_BEFORE_USE - SECOND)
    assert choice.choose(now + PUBLISHED_BEFORE_USE).kid == new
    assert is_accepted(pool, last, now + PUBLISHED_BEFORE_USE + TOKEN_LIFE - 2 * SECOND)
    assert kids(pool, now + PUBLISHED_BEFORE_USE + ACCEPTED_AFTER_USE) == [new]


def test_no_moment_of_a_rotation_leaves_a_token_unaccepted(pool, keys, choice, now):
    sign(choice, now)
    rotate_keys(pool, keys, issuer=ISSUER, now=now)

    for seconds in range(0, 1_200, 45):
        signed_at = now + timedelta(seconds=seconds)
        token = sign(choice, signed_at)
        assert is_accepted(pool, token, signed_at)
        assert is_accepted(pool, token, signed_at + TOKEN_LIFE - SECOND)


def test_several_that_rotate_at_once_make_one_key(pool, keys, choice, now):
    choice.choose(now)

    with ThreadPoolExecutor(6) as several:
        made = list(several.map(lambda _: rotate_keys(pool, keys, issuer=ISSUER, now=now), range(6)))

    assert len([kid for kid in made if kid is not None]) == 1
    assert len(kids(pool, now)) == 2


def test_keeping_rotates_once_a_month(pool, keys, choice, now):
    assert rotate_due_keys(pool, keys, issuer=ISSUER, now=now) is not None
    first = choice.choose(now).kid

    assert rotate_due_keys(pool, keys, issuer=ISSUER, now=now + SIGNS_FOR - timedelta(hours=1)) is None
    second = rotate_due_keys(pool, keys, issuer=ISSUER, now=now + SIGNS_FOR)
    assert rotate_due_keys(pool, keys, issuer=ISSUER, now=now + SIGNS_FOR + SECOND) is None

    assert choice.choose(now + SIGNS_FOR + PUBLISHED_BEFORE_USE).kid == second != first
    rotate_due_keys(pool, keys, issuer=ISSUER, now=now + SIGNS_FOR + timedelta(days=2))
    with transaction(pool, reach=SYSTEM) as connection:
        assert connection.execute("SELECT kid FROM token_key").fetchall() == [(second,)]


def test_a_key_that_others_may_know_ends_at_once_and_its_tokens_with_it(pool, keys, choice, now):
    token = sign(choice, now)
    rotate_keys(pool, keys, issuer=ISSUER, now=now)  # one waits for its turn: it goes too

    new = rotate_keys(pool, keys, issuer=ISSUER, now=now, at_once=True)

    assert kids(pool, now) == [new]
    assert not is_accepted(pool, token, now)
    assert is_accepted(pool, sign(choice, now), now)


def test_the_command_rotates(database, reader_url, pool, keys, choice, capsys):
    settings = IdentitySettings(
        mode="test", database_url=database.url, identity_database_url=reader_url, keys_directory=keys.directory
    )
    choice.choose(datetime.now(UTC))

    assert rotate_token_keys(settings, pool, []) == 0
    assert capsys.readouterr().out.strip() in kids(pool, datetime.now(UTC))
    assert rotate_token_keys(settings, pool, []) == 0
    assert "waits" in capsys.readouterr().out


def test_who_resolves_names_reads_public_halves_alone(choice, now, reader_pool, reader_url):
    choice.choose(now)

    (published,) = IdentityStore(reader_pool).list_token_keys()

    assert (len(published.public_key), published.issuer) == (32, ISSUER)
    with psycopg.connect(reader_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT sealed_private_key FROM token_key")


def test_no_request_of_anybody_sees_the_keys_table(pool, choice, now):
    choice.choose(now)

    with transaction(pool) as connection:
        assert connection.execute("SELECT count(*) FROM token_key").fetchone() == (0,)


def test_what_is_stored_of_a_private_key_is_sealed_and_bound_to_its_place(pool, choice, now, keys):
    private = choice.choose(now).private_key
    other = rotate_keys(pool, keys, issuer=ISSUER, now=now)
    with transaction(pool, reach=SYSTEM) as connection:
        sealed = connection.execute("SELECT sealed_private_key FROM token_key").fetchall()
        assert all(isinstance(row[0], bytes) and private not in row[0] for row in sealed)
        connection.execute(
            "UPDATE token_key SET sealed_private_key = (SELECT sealed_private_key FROM token_key WHERE kid <> %s) "
            "WHERE kid = %s",
            [other, other],
        )

    with pytest.raises(Undecipherable):
        choice.choose(now + PUBLISHED_BEFORE_USE)


def test_another_issuer_signs_with_keys_of_its_own(pool, keys, choice, now):
    ours = choice.choose(now)
    theirs = KeyChoice(pool, keys, issuer="https://other.example.org", believed=timedelta(0)).choose(now)

    assert theirs.kid != ours.kid
    assert choice.choose(now).kid == ours.kid
