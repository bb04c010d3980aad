"""python -m bench [name ... | fairness | cheating | fair-size | rescoring]: measure, print, write to bench/results."""

import sys
import tempfile
from pathlib import Path

from bench import cheating, fair_size, fairness, rescoring
from bench.authorisation import measure_authorisation
from bench.bulk import measure_bulk
from bench.delivering import measure_delivering
from bench.flat import measure_flat
from bench.handing_over import measure_handing_over
from bench.latency import measure_latency
from bench.posting import measure_posting
from bench.real_file import measure_real_file
from bench.report import Figure, print_table, write_json
from tests.harness.servers import Servers
from tests.harness.suite import ROOT, Suite

BENCHMARKS = {
    "posting": measure_posting,
    "authorisation": measure_authorisation,
    "bulk": measure_bulk,
    "flat": measure_flat,
    "latency": measure_latency,
    "real-file": measure_real_file,
    "delivering": measure_delivering,
    "handing-over": measure_handing_over,
}


def main(wanted: list[str]) -> int:
    if wanted[:1] == ["fairness"]:  # invents what it measures, and needs no servers
        return fairness.run(wanted[1:])
    if wanted[:1] == ["cheating"]:
        return cheating.run(wanted[1:])
    if wanted[:1] == ["fair-size"]:
        return fair_size.run(wanted[1:])
    if wanted[:1] == ["rescoring"]:
        return rescoring.run(wanted[1:])
    unknown = set(wanted) - set(BENCHMARKS)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="lianxin-bench-") as folder:
        servers = Servers(Path(folder) / "servers")
        servers.start()
        try:
            for name in wanted or BENCHMARKS:
                print(f"measuring {name} ...", flush=True)
                with Suite(servers, Path(folder) / name, name=f"bench_{name.replace('-', '_')}") as suite:
                    figures += BENCHMARKS[name](suite)
        finally:
            servers.remove()
    print_table(figures)
    write_json(figures, ROOT / "bench" / "results" / "latest.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
