"""The demo county from the command line: `generate` writes its files, `sign-ins` opens accounts, `load` loads it."""

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import httpx

from demo.county import DEFAULT_SEED, Year, build_year, write_files
from demo.credentials import Machine, NotLetIn, Person, identity_client
from demo.loader import Doors, Loader, LoadFailed, open_door
from demo.present import Hands, Present, Unwilling
from demo.sign_ins import SignIns, make_sign_ins

SERVICES = ("identity", "intake", "assessment")


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.command == "generate":
        counts = write_files(build_year(seed=arguments.seed, scale=arguments.scale), arguments.folder)
        for name, count in counts.items():
            tell(f"{name}.csv: {count} rows")
        return 0
    try:
        if arguments.command == "sign-ins":
            make_sign_ins(_addresses()["identity"], arguments.file)
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
    year = build_year(seed=arguments.seed, scale=arguments.scale)
    with Loader(doors, tell=tell, time_limit_seconds=arguments.time_limit) as loader:
        with tempfile.TemporaryDirectory(prefix="lianxin-demo-") as folder:
            write_files(year, Path(folder))
            loader.load(Path(folder))
        loader.wait_for_scores(set(year.roster.cadres))
    _enter_today(addresses["intake"], identity, known, year)
    tell("the demo county is in, and every cadre has a score")


def _enter_today(intake_url: str, identity: httpx.Client, known: SignIns, year: Year) -> None:
    """After the year: its issues have the deadlines that came with them."""
    head = next(post for post in year.roster.posts if post.kind == "township_head" and post.until_on is None)
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
    for command in (generate, load):
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
