"""Compares the router with the oracle on any number of generated graphs: `make fuzz-router`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.router.oracle.fuzzing import Counts, fuzz
from tests.router.oracle.shrinking import format_report, shrink


def main() -> int:
    """Prints the first findings of each signature, shrunk, and the counts of what was compared."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1_000_000, help="the first graph")
    parser.add_argument("--graphs", type=int, default=400, help="how many graphs are generated")
    parser.add_argument("--operations", type=int, default=350, help="how many operations on each")
    parser.add_argument("--shown", type=int, default=1, help="how many findings of one signature are printed")
    options = parser.parse_args()
    counts, signatures = Counts(), Counter[tuple[str, str]]()
    for seed, graph, finding in fuzz(
        range(options.seed, options.seed + options.graphs), options.operations, counts
    ):
        signatures[finding.signature] += 1
        if signatures[finding.signature] <= options.shown:
            _print(f"Seed {seed}:\n{format_report(*shrink(graph, finding))}\n")
    _print(counts)
    for (kind, detail), number in signatures.most_common():
        _print(f"{number} {kind} {detail}")
    return 1 if signatures else 0


def _print(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
