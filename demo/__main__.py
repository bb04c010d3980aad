"""The demo county from the command line: `generate` writes its files, `sign-ins` opens accounts, `load` loads it,
`decide` decides about one of the signals that were found since.
"""

import argparse
import os
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import httpx

from demo import chance
from demo.county import DEFAULT_SEED, Years, build_years, write_files
from demo.credentials import Machine, NotLetIn, Person, identity_client
from demo.decision import decide_one
from demo.loader import Doors, Loader, LoadFailed, open_door
from demo.present import Hands, Present, Unwilling
from demo.sign_ins import SignIns, make_sign_ins
from demo.turns import Callers, Turns
from demo.workdays import ZONE

DECIDED_SECONDS = 240.0
SERVICES = ("identity", "intake", "assessment")


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.command == "generate":
        counts = write_files(_build(arguments), arguments.folder)
        for name, count in counts.items():
            tell(f"{name}.csv: {count} rows")
        return 0
    try:
        if arguments.command == "sign-ins":
            make_sign_ins(_addresses()["identity"], arguments.file)
        elif arguments.command == "decide":
            _decide(arguments)
        else:
            _load(arguments)
    except (LoadFailed, NotLetIn, Unwilling, httpx.TransportError) as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    return 0


def _load(arguments: argparse.Namespace) -> None:
    addresses = _addresses()
    known = SignIns.read(arguments.sign_ins)
    identity = identity_client(addresses["identity"])
    doors = Doors(
        intake_url=addresses["intake"],
        importer=Machine(identity, client_id="importer", secret=known.clients["importer"], service="intake"),
        assessment_url=addresses["assessment"],
        officer=Person(identity, name="officer", password=known.passwords["officer"]),
    )
    years = _build(arguments)
    with Loader(doors, tell=tell, time_limit_seconds=arguments.time_limit) as loader:
        with tempfile.TemporaryDirectory(prefix="lianxin-demo-") as folder:
            write_files(years, Path(folder))
            loader.load(Path(folder))
        loader.wait_for_scores(set(years.roster.cadres), period=str(years.timeline.last_year))
    _enter_today(addresses["intake"], identity, known, years)
    _take_turns(addresses["intake"], identity, known, years, chance.stream(arguments.seed, "turns"))
    tell("the demo county is in, and every cadre has a score")


def _enter_today(intake_url: str, identity: httpx.Client, known: SignIns, years: Years) -> None:
    """After the files: their issues have the deadlines that came with them."""
    head = next(post for post in years.roster.posts if post.kind == "township_head" and post.until_on is None)
    officer, approver = (
        Person(identity, name=name, password=known.passwords[name]) for name in ("officer", "approver")
    )
    programs = {
        name: open_door(intake_url, Machine(identity, client_id=name, secret=secret, service="intake")).request
        for name, secret in known.clients.items()
    }
    hands = Hands(
        officer=open_door(intake_url, officer).request,
        approver=open_door(intake_url, approver).request,
        importer=programs["importer"],
        app=programs.get("app"),
        step_up=approver.step_up,
    )
    present = Present(hands, now=datetime.now(UTC), township=head.organisation.code, staff_number=head.staff_number)
    present.enter()
    tell("today: time limits, a reception day, a consultation and a request over Open311")


def _take_turns(intake_url: str, identity: httpx.Client, known: SignIns, years: Years, random: Random) -> None:
    clerk, officer = (
        open_door(intake_url, Person(identity, name=name, password=known.passwords[name])).request
        for name in ("county-clerk", "officer")
    )
    importer = Machine(identity, client_id="importer", secret=known.clients["importer"], service="intake")
    callers = Callers(importer=open_door(intake_url, importer).request, clerk=clerk, officer=officer)
    taken = Turns(callers, years, random).take()
    tell(f"of late: {', '.join(f'{count} {step}' for step, count in taken.items())}")


def _decide(arguments: argparse.Namespace) -> None:
    addresses = _addresses()
    known = SignIns.read(arguments.sign_ins)
    identity = identity_client(addresses["identity"])
    officer = Person(identity, name="officer", password=known.passwords["officer"])
    asked = open_door(addresses["assessment"], officer).request
    until = time.monotonic() + DECIDED_SECONDS
    while not (is_decided := decide_one(asked)) and time.monotonic() < until:
        time.sleep(2)
    # What is still on its way is found by a later look, and stays to be decided by whoever tries the demo.
    tell("one of the signals is decided" if is_decided else "none of the signals is decided yet")


def _build(arguments: argparse.Namespace) -> Years:
    today = arguments.today or datetime.now(ZONE).date()
    return build_years(today=today, seed=arguments.seed, scale=arguments.scale)


def _addresses() -> dict[str, str]:
    variables = {service: f"LIANXIN_DEMO_{service.upper()}_URL" for service in SERVICES}
    missing = [variable for variable in variables.values() if not os.environ.get(variable)]
    if missing:
        raise LoadFailed(f"not set in the environment: {', '.join(missing)}")
    return {service: os.environ[variable] for service, variable in variables.items()}


def tell(line: str) -> None:
    # Flushed, because the caller shows the progress while this still runs.
    print(f"demo: {line}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    generate = commands.add_parser("generate", help="write the CSV files to a folder")
    generate.add_argument("folder", type=Path)
    accounts = commands.add_parser("sign-ins", help="open the accounts of the demo")
    accounts.add_argument("file", type=Path, help="remembers their passwords; holds the administrator's first one")
    load = commands.add_parser("load", help="generate, upload to intake, wait for the scores")
    load.add_argument("sign_ins", type=Path, help="the file that `sign-ins` completed")
    load.add_argument("--time-limit", type=float, default=240.0, metavar="SECONDS")
    decide = commands.add_parser("decide", help="decide about one of the signals that were found")
    decide.add_argument("sign_ins", type=Path, help="the file that `sign-ins` completed")
    for command in (generate, load):
        told = "the county as it stands on the morning of this day, in China; the same day gives the same county"
        command.add_argument("--today", type=date.fromisoformat, metavar="YYYY-MM-DD", help=told)
        command.add_argument("--seed", type=int, default=DEFAULT_SEED)
        command.add_argument("--scale", type=_scale, default=1.0, help="above 0, up to 1: how much of the county")
    return parser


def _scale(text: str) -> float:
    scale = float(text)
    if not 0 < scale <= 1:
        raise argparse.ArgumentTypeError("the scale must be above 0 and at most 1")
    return scale


if __name__ == "__main__":
    sys.exit(main())
