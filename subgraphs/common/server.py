"""Serving one subgraph with uvicorn."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import Final

import uvicorn
from prometheus_client import start_http_server

from subgraphs.common import garbage
from subgraphs.common.http_protocol import BoundedHttpProtocol
from subgraphs.common.settings import Settings
from subgraphs.common.telemetry import configure_logging

# How long the event loop waits for the interpreter while a thread prepares a document; Python's own is 5 ms.
_SWITCH_SECONDS: Final = 0.0002


def serve(domain: str) -> int:
    """Serve a domain on its own port until the process is told to stop, and its metrics on another."""
    settings = Settings.load(domain)
    configure_logging(domain, settings.log_level)
    start_http_server(settings.metrics_port_of(domain), addr=settings.metrics_host)
    app = import_module(f"subgraphs.{domain}.app").create_app(settings)
    garbage.tune()
    # graphql-core leaves such behind in an operation that is stopped, and Python would tell of each of them.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    sys.setswitchinterval(_SWITCH_SECONDS)
    uvicorn.run(
        app,
        host=settings.subgraph_host,
        port=settings.port(domain),
        http=BoundedHttpProtocol,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        ws="none",
    )
    return 0
