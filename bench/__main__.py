"""python -m bench [name ... | one of PROGRAMS]: measure, print, write to bench/results."""

import sys
import tempfile
from pathlib import Path

from bench import cheating, fair_size, fairness, listing, rescoring
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
# These bring a server of their own, or invent what they measure and need none.
PROGRAMS = {
    "fairness": fairness.run,
    "cheating": cheating.run,
    "fair-size": fair_size.run,
    "rescoring": rescoring.run,
    "listing": listing.run,
}


def main(wanted: list[str]) -> int:
    if wanted and wanted[0] in PROGRAMS:
        return PROGRAMS[wanted[0]](wanted[1:])
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
