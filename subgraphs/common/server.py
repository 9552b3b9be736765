"""Serving one subgraph with uvicorn."""

from __future__ import annotations

import sys
import warnings
from typing import Final

import uvicorn
from prometheus_client import start_http_server

from subgraphs.common import garbage
from subgraphs.common.http_protocol import BoundedHttpProtocol
from subgraphs.common.manifest import Domain
from subgraphs.common.settings import DomainSettings
from subgraphs.common.telemetry import configure_logging

# How long the event loop waits for the interpreter while a thread prepares a document; 5 ms by default.
_SWITCH_SECONDS: Final = 0.0002


def serve(domain: Domain, settings: DomainSettings) -> None:
    """Serve a domain on its own port until a signal stops the process, and its metrics on another."""
    configure_logging(domain.name, settings.log_level)
    start_http_server(settings.subgraph_metrics_port, addr=settings.metrics_host)
    app = domain.create_app(settings)
    garbage.tune()
    # graphql-core leaves such coroutines in a cancelled operation, and Python would warn of each.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    sys.setswitchinterval(_SWITCH_SECONDS)
    uvicorn.run(
        app,
        host=settings.subgraph_host,
        port=settings.port,
        http=BoundedHttpProtocol,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        ws="none",
    )
