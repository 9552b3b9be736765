"""Serve one subgraph: `python -m subgraphs books`."""

from __future__ import annotations

import sys

from subgraphs.common.server import serve
from subgraphs.domains import DOMAINS, load_subgraph_settings


def main() -> int:
    """Serve the domain that the command line names; exit code 2 when it names none."""
    if len(sys.argv) != 2 or sys.argv[1] not in DOMAINS:
        sys.stderr.write(f"usage: python -m subgraphs {{{','.join(DOMAINS)}}}\n")
        return 2
    domain = DOMAINS[sys.argv[1]]
    serve(domain, load_subgraph_settings(domain))
    return 0


if __name__ == "__main__":
    sys.exit(main())
