"""What the private PostgreSQL is told depends on what the server that was found can do."""

import pytest

from embedded import postgres
from embedded.packages import Postgres
from embedded.postgres import PrivatePostgres

SERVER = """#!/bin/sh
case "$*" in *" -c wal_compression=lz4 -C wal_compression") exit {code};; esac
exit 9
"""


@pytest.mark.parametrize(("code", "compression"), [(0, "lz4"), (1, "on")], ids=["with lz4", "without"])
def test_whole_pages_in_the_log_are_compressed_by_lz4_where_the_server_has_it(tmp_path, monkeypatch, code, compression):
    server = tmp_path / "bin" / "postgres"
    server.parent.mkdir()
    server.write_text(SERVER.format(code=code))
    server.chmod(0o755)
    monkeypatch.setattr(postgres, "find_postgres", lambda: Postgres(folder=server.parent, major=15))
    monkeypatch.setattr(postgres, "service_account", lambda _: None)
    data = tmp_path / "cluster" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("15\n")

    PrivatePostgres(tmp_path / "cluster", port=5999).prepare()

    assert f"\nwal_compression = {compression}\n" in (data / "lianxin.conf").read_text("utf-8")
