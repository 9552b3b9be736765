"""`python -m router`: serves a supergraph."""

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
from router.server.health import metrics_app
from router.server.responses import security_headers
from router.server.serving import Server, SideServer, configured, raise_file_limit, run
from router.telemetry import configure_logging

# Connections that wait to be accepted while the event loop is busy.
BACKLOG = 2048
METRICS_CONNECTIONS = 50
# What requests allocate dies with them, without cycles: a search for cycles among it finds next to nothing.
# Everything waits for a search, so it is a short one of the young alone, after so many new objects that most
# requests see none. A search of all that is kept takes up to 20 ms, and pays after thousands of new
# operations at best.
GC_THRESHOLDS = (10_000, 10, 1_000)
# A request asks the interpreter back from the thread that prepares operations dozens of times, and waits as
# long as this each time. With Python's own 5 ms a warm query took 45 ms more while large ones were prepared.
SWITCH_SECONDS = 0.0002


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until the process is told to stop; 2 when it cannot start."""
    options = _parser().parse_args(arguments)
    try:
        settings = load(**_overrides(options))
        configure_logging(settings.log_level)
        serve(settings)
    except (InvalidSettingError, OSError, ValueError) as error:
        print(f"router: {error}", file=sys.stderr)  # noqa: T201 - what a command that cannot start says
        return 2
    return 0


def serve(settings: Settings) -> None:
    """Serves a supergraph until the process is told to stop."""
    app, capacity = create_app(settings), raise_file_limit()
    connections, metrics = settings.connections, app.metrics
    config = configured(
        app,
        connections,
        metrics,
        app.admission,
        capacity=capacity,
        headers=security_headers(settings),
        ws_max_size=settings.limits.max_body_bytes,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    side = configured(
        metrics_app(metrics), connections, metrics, Admission(), capacity=METRICS_CONNECTIONS, lifespan="off"
    )
    config.load()
    _tune_garbage_collection()
    sys.setswitchinterval(SWITCH_SECONDS)
    server = Server(config, drain=app.drain, delay=connections.shutdown_delay)
    with (
        _listening(settings.host, settings.api_port) as listener,
        _listening(settings.metrics_host, settings.metrics_at) as side_listener,
    ):
        run(server, listener, SideServer(side), side_listener)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def _tune_garbage_collection() -> None:
    """Takes what the start made, most of all the schema, out of every later collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m router", description=__doc__)
    parser.add_argument("--supergraph", type=Path, metavar="FILE", help="the supergraph (SUPERGRAPH)")
    parser.add_argument("--host", help="the address to listen on (HOST)")
    parser.add_argument("--port", metavar="N", help="the port to listen on (API_PORT)")
    parser.add_argument(
        "--subgraph",
        action="append",
        default=[],
        type=_name_and_url,
        metavar="NAME=URL",
        help="where a subgraph is, instead of where the supergraph says (NAME_URL)",
    )
    return parser


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    given = {"supergraph": options.supergraph, "host": options.host, "api_port": options.port}
    return {
        **{name: value for name, value in given.items() if value is not None},
        "subgraph_urls": dict(options.subgraph),
    }


def _name_and_url(text: str) -> tuple[str, str]:
    name, separator, url = text.partition("=")
    if not (name and separator and url):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=URL")
    return name, url


if __name__ == "__main__":
    sys.exit(main())
