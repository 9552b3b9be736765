"""Serving one subgraph with uvicorn."""

from __future__ import annotations

from importlib import import_module

import uvicorn

from subgraphs.common.settings import Settings
from subgraphs.common.telemetry import configure_logging


def serve(domain: str) -> int:
    """Serve a domain on its own port until the process is told to stop."""
    settings = Settings.load()
    configure_logging(domain, settings.log_level)
    uvicorn.run(
        import_module(f"subgraphs.{domain}.app").create_app(settings),
        host=settings.host,
        port=settings.port(domain),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
    )
    return 0
