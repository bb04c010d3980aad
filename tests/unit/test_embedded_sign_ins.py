"""What `make run` tells of the sign-ins, and to whom."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from embedded.errors import EmbeddedError
from embedded.layout import Layout
from embedded.process import Command
from embedded.sign_ins import SignIns

if TYPE_CHECKING:
    from embedded.applications import Applications
    from embedded.supervisor import Supervisor


class Administration:
    """Stands in for the application's commands and the supervisor that runs them."""

    def __init__(self) -> None:
        self.told = '{"event": "starting"}\n23abc-defgh-jkmnp-qrstu\nThis password is shown once.\n'
        self.ran: list[str] = []

    def administrator(self, name: str, *, told_in: Path) -> Command:
        return Command(name=f"administrator {name}", arguments=(), environment={}, folder=told_in.parent, log=told_in)

    def run_to_the_end(self, commands: Sequence[Command], **_: Any) -> None:
        for command in commands:
            self.ran.append(command.name)
            assert command.log is not None
            command.log.write_text(self.told)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(root=tmp_path)
    layout.create()
    layout.accounts.mkdir()
    return layout


@pytest.fixture
def administration() -> Administration:
    return Administration()


@pytest.fixture
def sign_ins(layout: Layout, administration: Administration) -> SignIns:
    applications, supervisor = cast("Applications", administration), cast("Supervisor", administration)
    return SignIns(layout, applications, supervisor, account=None, where="private")


def test_the_first_administrator_is_made_once(
    sign_ins: SignIns, layout: Layout, administration: Administration
) -> None:
    for _ in range(2):
        sign_ins.make_administrator(lambda _: None)

    lines = sign_ins.write_down()

    assert administration.ran == ["administrator administrator"]
    assert [line.split()[:2] for line in lines] == [["administrator", "23abc-defgh-jkmnp-qrstu"]]
    assert layout.sign_ins.stat().st_mode & 0o777 == 0o600
    assert [file.stat().st_mode & 0o777 for file in layout.accounts.iterdir()] == [0o600]


def test_a_command_that_told_no_password_is_an_error(sign_ins: SignIns, administration: Administration) -> None:
    administration.told = "there is a security administrator, who makes every further account\n"

    with pytest.raises(EmbeddedError, match="no one-time password"):
        sign_ins.make_administrator(lambda _: None)


def test_the_sign_ins_of_the_demo_take_the_place_of_the_first_one(sign_ins: SignIns, layout: Layout) -> None:
    sign_ins.make_administrator(lambda _: None)
    (file,) = layout.accounts.iterdir()
    known = {
        "passwords": {"administrator": "own-word"},
        "clients": {"kiosk": "lxs_word"},
        "purposes": {"kiosk": "rates"},
    }
    file.write_text(json.dumps(json.loads(file.read_text()) | known))

    sign_ins.write_down()

    words = [line.split() for line in layout.sign_ins.read_text().splitlines()]
    assert words == [["administrator", "own-word"], ["kiosk", "lxs_word", "rates"]]
