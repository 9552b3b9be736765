"""Logs and metrics, and the trace id that connects logs across processes."""

from __future__ import annotations

import logging
import re
import secrets
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

import orjson
import structlog
from prometheus_client import Counter, Histogram

from subgraphs.common import tracing
from subgraphs.common.redaction import redact

REQUESTS = Counter("graphql_requests_total", "GraphQL requests by outcome.", ["service", "outcome"])
REQUEST_SECONDS = Histogram("graphql_request_seconds", "Time to answer a GraphQL request.", ["service"])
SQL_STATEMENTS = Counter("sql_statements_total", "SQL statements sent.", ["service"])
JOBS = Counter("jobs_total", "Jobs run by outcome.", ["job", "outcome"])
JOB_SECONDS = Histogram("job_seconds", "Time to run a job.", ["job"])

_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")
_NOT_SAMPLED = "00"
_trace: ContextVar[tuple[str, str]] = ContextVar("trace", default=("", _NOT_SAMPLED))
_LEVELS = {"warning": "warn", "critical": "error", "exception": "error"}


def start_trace(traceparent: str | None) -> str:
    """Continue the trace of a W3C `traceparent`, or begin one; return its id, 32 hex digits."""
    match = _TRACEPARENT.match(traceparent or "")
    is_valid = match is not None and match[1].strip("0") and match[2].strip("0")
    trace_id, flags = (match[1], match[3]) if match and is_valid else (secrets.token_hex(16), _NOT_SAMPLED)
    _trace.set((trace_id, flags))
    return trace_id


def get_trace_id() -> str:
    """Return the id of the current trace; empty outside of a trace."""
    return _trace.get()[0]


def build_traceparent() -> str:
    """Build a W3C `traceparent` that continues the current span, or else the current trace."""
    if traceparent := tracing.build_traceparent():
        return traceparent
    trace_id, flags = _trace.get()
    return f"00-{trace_id or secrets.token_hex(16)}-{secrets.token_hex(8)}-{flags}"


def _create_arranger(service: str) -> structlog.typing.Processor:
    """Create a processor that arranges an event in the platform's log format."""

    def arrange(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        timestamp, message = event.pop("timestamp"), event.pop("event")
        record: dict[str, Any] = {
            "level": _LEVELS.get(level, level),
            "service": service,
            "timestamp": timestamp,
            "traceId": get_trace_id(),
            "message": message,
        }
        event.pop("level", None)
        if event:
            record["metadata"] = dict(event)
        return record

    return arrange


def configure_logging(service: str, level: str) -> None:
    """Write the logs of this process and its libraries to stdout, one JSON object per line."""
    threshold = logging.getLevelName({"warn": "WARNING"}.get(level, level.upper()))
    shared: list[structlog.typing.Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
        _create_arranger(service),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_dump)],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level],
            processors=[
                _convert_library_record,
                *shared,
                structlog.processors.JSONRenderer(serializer=_dump),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.INFO), force=True)
    # The HTTP client would log the address of each request, with the ids and queries in it.
    logging.getLogger("httpx2").setLevel(logging.WARNING)


def _convert_library_record(logger: Any, _: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Convert a library's log record to an event, with the name of its logger."""
    del logger
    record = event.pop("_record")
    event.pop("_from_structlog", None)
    event["logger"] = record.name
    return event


def _dump(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """Return the logger of this process."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return log
