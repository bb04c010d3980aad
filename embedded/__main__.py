"""The commands behind `make`: python3 -m embedded run | stop | status | logs | clean | setup | servers."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from embedded import control
from embedded.console import Progress, complain
from embedded.environment import OLDEST_PYTHON
from embedded.errors import EmbeddedError
from embedded.layout import Layout, this_checkout
from embedded.run import run, set_up
from embedded.servers import serve
from embedded.settings import read_given
from embedded.supervisor import StopRequested, stop_signals


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "run": "set up what is missing, start everything, stop at Ctrl-C",
        "stop": "stop what runs in this checkout",
        "status": "show each process",
        "clean": "stop, and remove data, servers and environment",
    }.items():
        commands.add_parser(name, help=text)
    commands.add_parser("logs", help="follow the logs").add_argument("name", nargs="?")
    setup = commands.add_parser("setup", help="get what is missing, and start nothing")
    setup.add_argument("--dev", action="store_true", help="with the tools of development and the tests")
    servers = commands.add_parser("servers", help="run PostgreSQL and RabbitMQ alone, and print their URLs")
    servers.add_argument("--folder", type=Path, required=True)
    servers.add_argument("--not-durable", action="store_true", help="faster, for tests")
    try:
        return perform(parser.parse_args(arguments), this_checkout())
    except EmbeddedError as error:
        complain(str(error))
        return 1
    except PermissionError as error:
        complain(f"{error}: does this checkout belong to another user, who ran it before?")
        return 1
    except (KeyboardInterrupt, StopRequested):
        return 130


def perform(options: argparse.Namespace, layout: Layout) -> int:
    if sys.version_info < OLDEST_PYTHON:
        raise EmbeddedError(f"Python 3.11 or later is needed, and this is {sys.version.split()[0]}")
    commands: dict[str, Callable[[], int]] = {
        "run": lambda: run(layout),
        "stop": lambda: control.stop(layout),
        "status": lambda: control.status(layout),
        "clean": lambda: control.clean(layout),
        "logs": lambda: control.logs(layout, options.name or None),
        "setup": lambda: only_set_up(layout, development=options.dev),
        "servers": lambda: serve(options.folder.resolve(), durable=not options.not_durable),
    }
    return commands[options.command]()


def only_set_up(layout: Layout, *, development: bool) -> int:
    with stop_signals():
        set_up(layout, development=development, given=read_given(), tell=Progress())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
