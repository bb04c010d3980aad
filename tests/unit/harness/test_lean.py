"""A process of the product that a test starts finds the packages that an installation has, and no others."""

import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

from tests.harness.suite import LEAN, ROOT

LOADING = """
import sys
import shared.http, shared.processes, shared.relay, shared.worker
print(*{name.partition(".")[0] for name, module in sys.modules.items() if module is not None})
"""
TOOLS = {"setuptools"}  # of every virtual environment; it sees to its own part of the standard library


def test_a_process_of_the_product_loads_what_an_installation_has():
    lock = (ROOT / "requirements.lock").read_text()
    locked = {_spelt(name) for name in re.findall(r"^([\w.-]+)(?:\[.*?\])?==", lock, re.MULTILINE)}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(LEAN)}

    run = subprocess.run([sys.executable, "-c", LOADING], cwd=ROOT, env=environment, capture_output=True, text=True)

    assert run.returncode == 0, run.stderr
    origins = packages_distributions()
    loaded = {name: {_spelt(one) for one in origins.get(name, ())} for name in run.stdout.split()}
    assert {name for name, found in loaded.items() if found and not found & (locked | TOOLS)} == set()


def _spelt(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
