"""Row-level security in the catalogues: every table of every service is forced, or is excepted here with its reason."""

import pytest

from shared.database import transaction

pytestmark = pytest.mark.integration

EXCEPTED = {"migration": "only the owner writes it, before any service runs; it says which files were applied"}
SERVICES = ("intake", "assessment", "notify", "identity")


@pytest.fixture(params=SERVICES)
def catalogue(new_pool, request):
    def ask(query):
        with transaction(pool) as connection:
            return connection.execute(query).fetchall()

    pool = new_pool(request.param)
    return ask


def test_every_table_is_forced_or_excepted_with_a_reason(catalogue):
    rows = catalogue(
        """
        SELECT relname, relrowsecurity AND relforcerowsecurity
          FROM pg_class
         WHERE relkind IN ('r', 'p')
           AND relnamespace = 'public'::regnamespace
        """
    )

    assert [name for name, forced in rows if not forced and name not in EXCEPTED] == []
    assert [name for name, forced in rows if forced and name in EXCEPTED] == []


def test_a_forced_table_has_a_policy(catalogue):
    rows = catalogue(
        """
        SELECT relname
          FROM pg_class
         WHERE relforcerowsecurity
           AND NOT EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid)
        """
    )

    assert rows == []


def test_views_do_not_get_around_the_policies_of_their_tables(catalogue):
    rows = catalogue(
        """
        SELECT relname
          FROM pg_class
         WHERE relkind IN ('v', 'm')
           AND relnamespace = 'public'::regnamespace
           AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)
        """
    )

    assert rows == []


def test_the_running_service_is_no_owner_and_goes_around_nothing(catalogue):
    [(is_super, goes_around)] = catalogue("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    owned = catalogue("SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = current_user")

    assert (is_super, goes_around, owned) == (False, False, [])
