"""The server of a subgraph: uvicorn."""

from __future__ import annotations

import resource
import sys
import warnings
from contextlib import suppress
from inspect import CORO_CREATED, getcoroutinestate, iscoroutine
from typing import TYPE_CHECKING, Final

import uvicorn
from prometheus_client import start_http_server

from subgraphs.common.garbage import tune_garbage_collector
from subgraphs.common.http_protocol import BoundedHttpProtocol
from subgraphs.common.manifest import Domain
from subgraphs.common.settings import DomainSettings
from subgraphs.common.telemetry import configure_logging
from subgraphs.common.tracing import record_spans

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

# How long the event loop waits for the GIL while a thread prepares a document; Python's default is 5 ms.
_SWITCH_SECONDS: Final = 0.0002


def ignore_unawaited_coroutines() -> None:
    """Ignore coroutines that are never awaited: graphql-core leaves some when an operation is cancelled.

    Python warns of each when it is collected. If that happens in a function without builtins, such as the
    constructor of a named tuple, the warning itself fails and is reported as an error of the coroutine.
    """
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    report = sys.unraisablehook

    def report_unless_unawaited(error: UnraisableHookArgs) -> None:
        never_ran = iscoroutine(error.object) and getcoroutinestate(error.object) == CORO_CREATED
        if not never_ran:
            report(error)

    sys.unraisablehook = report_unless_unawaited


def raise_file_limit() -> None:
    """Raise the limit of open files to the maximum: usually it is 1024, and each live stream needs one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def serve(domain: Domain, settings: DomainSettings) -> None:
    """Serve a domain on its own port until a signal stops the process, and its metrics on another."""
    configure_logging(domain.name, settings.log_level)
    start_http_server(settings.subgraph_metrics_port, addr=settings.metrics_host)
    raise_file_limit()
    app = domain.create_app(settings)
    tune_garbage_collector()
    ignore_unawaited_coroutines()
    sys.setswitchinterval(_SWITCH_SECONDS)
    with record_spans(domain.name):
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
