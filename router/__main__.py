"""The command `python -m router`, which serves a supergraph."""

from __future__ import annotations

import argparse
import gc
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from router.admission import Admission
from router.app import create_app
from router.config.settings import InvalidSettingError, Settings, load
from router.server.health import create_metrics_app
from router.server.responses import build_security_headers
from router.server.serving import Server, SideServer, configure, raise_file_limit, run
from router.telemetry import configure_logging

# Connections that wait to be accepted while the event loop is busy.
BACKLOG = 2048
METRICS_CONNECTIONS = 50
# Requests allocate almost no reference cycles, so collections find next to nothing, and everything waits for
# them. A young collection is short, and rare enough that most requests see none. A full collection takes up
# to 20 ms, and pays off after thousands of new operations at best.
GC_THRESHOLDS = (10_000, 10, 1_000)
# A request reacquires the GIL dozens of times from the thread that prepares operations, and waits this long
# each time. With Python's default of 5 ms, a cached query took 45 ms longer while large ones were prepared.
SWITCH_SECONDS = 0.0002


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until the process is stopped; returns the exit status, which is 2 if it cannot start."""
    options = _build_parser().parse_args(arguments)
    try:
        settings = load(**_collect_overrides(options))
        configure_logging(settings.log_level)
        serve(settings)
    except (InvalidSettingError, OSError, ValueError) as error:
        print(f"router: {error}", file=sys.stderr)  # noqa: T201 - the command's error message
        return 2
    return 0


def serve(settings: Settings) -> None:
    """Serves a supergraph until the process is stopped."""
    app, capacity = create_app(settings), raise_file_limit()
    connections, metrics = settings.connections, app.metrics
    config = configure(
        app,
        connections,
        metrics,
        app.admission,
        capacity=capacity,
        headers=build_security_headers(settings),
        ws_max_size=settings.limits.max_body_bytes,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    side = configure(
        create_metrics_app(metrics),
        connections,
        metrics,
        Admission(),
        capacity=METRICS_CONNECTIONS,
        lifespan="off",
    )
    config.load()
    _tune_garbage_collection()
    sys.setswitchinterval(SWITCH_SECONDS)
    server = Server(config, drain=app.drain, delay=connections.shutdown_delay)
    with (
        _listen(settings.host, settings.api_port) as listener,
        _listen(settings.metrics_host, settings.effective_metrics_port) as side_listener,
    ):
        run(server, listener, SideServer(side), side_listener)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def _tune_garbage_collection() -> None:
    """Excludes what was created at startup, above all the schema, from later collections."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m router", description=__doc__)
    parser.add_argument("--supergraph", type=Path, metavar="FILE", help="the supergraph's file (SUPERGRAPH)")
    parser.add_argument("--host", help="the address to listen on (HOST)")
    parser.add_argument("--port", metavar="N", help="the port to listen on (API_PORT)")
    parser.add_argument(
        "--subgraph",
        action="append",
        default=[],
        type=_parse_subgraph_url,
        metavar="NAME=URL",
        help="a subgraph's URL, instead of the supergraph's (NAME_URL)",
    )
    return parser


def _collect_overrides(options: argparse.Namespace) -> dict[str, Any]:
    given = {"supergraph": options.supergraph, "host": options.host, "api_port": options.port}
    return {
        **{name: value for name, value in given.items() if value is not None},
        "subgraph_urls": dict(options.subgraph),
    }


def _parse_subgraph_url(text: str) -> tuple[str, str]:
    name, separator, url = text.partition("=")
    if not (name and separator and url):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=URL")
    return name, url


if __name__ == "__main__":
    sys.exit(main())
