"""Logs, metrics and the trace id that joins them across processes."""

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

from subgraphs.common.redaction import redact

REQUESTS = Counter("graphql_requests_total", "GraphQL requests by outcome.", ["service", "outcome"])
REQUEST_SECONDS = Histogram("graphql_request_seconds", "Time to answer a GraphQL request.", ["service"])
SQL_STATEMENTS = Counter("sql_statements_total", "SQL statements sent.", ["service"])
JOBS = Counter("jobs_total", "Jobs run by outcome.", ["job", "outcome"])
JOB_SECONDS = Histogram("job_seconds", "Time to run a job.", ["job"])

_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")
_trace_id: ContextVar[str] = ContextVar("trace_id", default="")
_LEVELS = {"warning": "warn", "critical": "error", "exception": "error"}


def start_trace(traceparent: str | None) -> str:
    """Take the trace of a W3C `traceparent`, or begin one; return its 32-hex id."""
    match = _TRACEPARENT.match(traceparent or "")
    trace_id = match[1] if match and match[1].strip("0") else secrets.token_hex(16)
    _trace_id.set(trace_id)
    return trace_id


def trace_id() -> str:
    """The id of the current trace, or an empty string outside of one."""
    return _trace_id.get()


def traceparent() -> str:
    """A `traceparent` for the next hop of the current trace."""
    return f"00-{_trace_id.get() or secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def _system_form(service: str) -> structlog.typing.Processor:
    """Arrange an event in the log format of the platform: metadata apart, traceId always present."""

    def arrange(_: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        timestamp, message = event.pop("timestamp"), event.pop("event")
        record: dict[str, Any] = {
            "level": _LEVELS.get(level, level),
            "service": service,
            "timestamp": timestamp,
            "traceId": trace_id(),
            "message": message,
        }
        event.pop("level", None)
        if event:
            record["metadata"] = dict(event)
        return record

    return arrange


def configure_logging(service: str, level: str) -> None:
    """Send the logs of this process, libraries' included, to stdout as one JSON object a line."""
    threshold = logging.getLevelName({"warn": "WARNING"}.get(level, level.upper()))
    shared: list[structlog.typing.Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
        _system_form(service),
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
            processors=[_foreign_level, *shared, structlog.processors.JSONRenderer(serializer=_dump)],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.INFO), force=True)


def _foreign_level(logger: Any, _: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Turn a library's record into an event of ours, with the record's own level."""
    del logger
    record = event.pop("_record")
    event.pop("_from_structlog", None)
    event["logger"] = record.name
    return event


def _dump(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def logger() -> structlog.typing.FilteringBoundLogger:
    """The logger of this process."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return log
