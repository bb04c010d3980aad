"""The demo county from the command line: `generate` writes its files, `load` also brings them into a running suite."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from demo.county import DEFAULT_SEED, build_year, write_files
from demo.loader import Doors, Loader, LoadFailed

VARIABLES = {
    "intake_url": "LIANXIN_DEMO_INTAKE_URL",
    "intake_token": "LIANXIN_DEMO_TOKEN",
    "assessment_url": "LIANXIN_DEMO_ASSESSMENT_URL",
    "officer_token": "LIANXIN_DEMO_OFFICER_TOKEN",
}


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.command == "generate":
        counts = write_files(build_year(seed=arguments.seed, scale=arguments.scale), arguments.folder)
        for name, count in counts.items():
            tell(f"{name}.csv: {count} rows")
        return 0
    try:
        _load(arguments)
    except LoadFailed as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    return 0


def _load(arguments: argparse.Namespace) -> None:
    missing = [variable for variable in VARIABLES.values() if not os.environ.get(variable)]
    if missing:
        raise LoadFailed(f"not set in the environment: {', '.join(missing)}")
    doors = Doors(**{field: os.environ[variable] for field, variable in VARIABLES.items()})
    loader = Loader(doors, tell=tell, time_limit_seconds=arguments.time_limit)
    year = build_year(seed=arguments.seed, scale=arguments.scale)
    with tempfile.TemporaryDirectory(prefix="lianxin-demo-") as folder:
        write_files(year, Path(folder))
        loader.load(Path(folder))
    loader.wait_for_scores(set(year.roster.cadres))
    tell("the demo county is in, and every cadre has a score")


def tell(line: str) -> None:
    # Flushed, because the caller shows the progress while this still runs.
    print(f"demo: {line}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    generate = commands.add_parser("generate", help="write the CSV files to a folder")
    generate.add_argument("folder", type=Path)
    load = commands.add_parser("load", help="generate, upload to intake, wait for the scores")
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
