"""Links to PostgreSQL: encrypted, and only to the server that the certificate names."""

import psycopg
import pytest

from shared.database import DatabaseAway, open_pool, transaction
from tests.integration.links.conftest import PASSWORD

pytestmark = pytest.mark.integration


@pytest.fixture
def url_of(secure_postgres, certificates):
    def make(*, role="shows_none", host="localhost", address="::1", ca=None, **more):
        query = {"sslmode": "verify-full", "sslrootcert": ca or certificates.ca, "hostaddr": address} | more
        options = "&".join(f"{name}={value}" for name, value in query.items())
        return f"postgresql://{role}:{PASSWORD}@{host}:{secure_postgres.port}/postgres?{options}"

    return make


def ask(url):
    pool = open_pool(url, size=1, application="test", system=True)
    pool.timeout = 3
    try:
        with transaction(pool) as connection:
            return connection.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    finally:
        pool.close()


def test_a_verified_server_is_talked_to_over_tls(url_of):
    assert ask(url_of()) in {("TLSv1.3",), ("TLSv1.2",)}


def test_a_client_certificate_is_shown_where_it_is_asked_for(url_of, certificates):
    url = url_of(role="shows_card", sslcert=certificates.client, sslkey=certificates.client_key)

    assert ask(url) in {("TLSv1.3",), ("TLSv1.2",)}


def test_who_shows_no_certificate_or_a_foreign_one_is_refused(url_of, certificates):
    foreign = {"sslcert": certificates.foreign_client, "sslkey": certificates.foreign_client_key}

    for url in (url_of(role="shows_card"), url_of(role="shows_card", **foreign)):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"host": "127.0.0.1"}, "does not match host name"),
        ({"ca": "FOREIGN"}, "certificate verify failed"),
        ({"sslmode": "disable"}, "no pg_hba.conf entry"),
    ],
    ids=["wrong-name", "wrong-authority", "plain-text"],
)
def test_a_doubtful_link_is_refused(url_of, certificates, changes, reason):
    if changes.get("ca"):
        changes = {"ca": certificates.foreign_ca}

    with pytest.raises(psycopg.OperationalError, match=reason):
        psycopg.connect(url_of(**changes))


def test_a_pool_over_a_doubtful_link_reports_the_database_away(url_of, certificates):
    with pytest.raises(DatabaseAway):
        ask(url_of(ca=certificates.foreign_ca))


def connect_again_and_again(url):
    """The server reads its files a moment after it was told to."""
    for _ in range(50):
        psycopg.connect(url).close()


def test_an_expired_certificate_is_refused_and_its_successor_believed_without_a_restart(
    secure_postgres, certificates, url_of
):
    def show(certificate, key):
        secure_postgres.give(certificate, "server.pem")
        secure_postgres.give(key, "server.key")
        with psycopg.connect(secure_postgres.admin_url) as admin:
            admin.execute("SELECT pg_reload_conf()")

    show(certificates.expired, certificates.expired_key)
    try:
        with pytest.raises(psycopg.OperationalError, match=r"expired|verify failed"):
            connect_again_and_again(url_of())
    finally:
        show(certificates.server, certificates.server_key)
    for attempt in range(50):
        try:
            psycopg.connect(url_of()).close()
            break
        except psycopg.OperationalError:
            assert attempt < 49
