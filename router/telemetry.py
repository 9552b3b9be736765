"""Telemetry for operators: JSON log lines, W3C trace context and Prometheus metrics."""

from __future__ import annotations

import logging
import random
import re
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

SERVICE = "router"

log = logging.getLogger("router")

# Bounds of a log line's values.
MAX_TEXT_BYTES = 1000
MAX_ENTRIES = 100
MAX_LEVELS = 5
MAX_INTEGER = 2**63
ELLIPSIS = "…".encode()

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
# The length that must at least be propagated (W3C Trace Context, section 3.3.1.5).
MAX_TRACESTATE_CHARACTERS = 512
_LEVELS = {"WARNING": "warn", "CRITICAL": "error"}
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


@dataclass(frozen=True, slots=True)
class Trace:
    """The W3C trace context of one request."""

    trace_id: str
    span_id: str
    flags: str = "01"
    tracestate: str = ""

    @classmethod
    def begin(cls, traceparent: str | None, tracestate: Sequence[str] = ()) -> Trace:
        """Continues the caller's trace, or starts a new one if the header is missing or invalid.

        `tracestate` is propagated unless it exceeds `MAX_TRACESTATE_CHARACTERS`.
        """
        match = _TRACEPARENT.fullmatch(traceparent.strip()) if traceparent else None
        if match is None:
            return cls(_generate_hex(16), _generate_hex(8))
        state = ",".join(tracestate)
        if len(state) > MAX_TRACESTATE_CHARACTERS:
            state = ""
        return cls(match[1], _generate_hex(8), match[3], state)

    @property
    def traceparent(self) -> str:
        """The `traceparent` header with which a subgraph continues this trace."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def _generate_hex(size: int) -> str:
    """A random number of `size` bytes; it need not be unpredictable, so no system call is made."""
    return random.getrandbits(8 * size).to_bytes(size).hex()


_Labelled = TypeVar("_Labelled", Counter, Gauge, Histogram)

current_trace: ContextVar[Trace | None] = ContextVar("current_trace", default=None)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: level, service, timestamp, traceId, message, metadata."""

    def format(self, record: logging.LogRecord) -> str:
        """Encodes a record; `extra={"metadata": {...}}` becomes its metadata."""
        trace = current_trace.get()
        metadata = dict(getattr(record, "metadata", {}))
        if record.exc_info:
            metadata["exception"] = self.formatException(record.exc_info).splitlines()[-MAX_ENTRIES:]
        level = _LEVELS.get(record.levelname, record.levelname.lower())
        trace_id = trace.trace_id if trace else ""
        return encode_line(level, record.created, trace_id, record.getMessage(), metadata).decode()


def encode_line(
    level: str, created: float, trace_id: str, message: str, metadata: Mapping[str, Any]
) -> bytes:
    """One log line, bounded in size and without terminal control characters.

    Values may come from clients and subgraphs, and operators read the log in terminals. `created` is in
    seconds since the epoch.
    """
    line: dict[str, Any] = {
        "level": level,
        "service": SERVICE,
        "timestamp": datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds"),
        "traceId": trace_id,
        "message": _sanitize_text(message),
    }
    if metadata:
        line["metadata"] = _sanitize({**metadata})
    return orjson.dumps(line)


def _sanitize(value: Any, levels: int = MAX_LEVELS) -> Any:
    """A JSON value with sanitised texts, bounded in entries and nesting."""
    if isinstance(value, str):
        return _sanitize_text(value)
    if value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < MAX_INTEGER):
        return value
    if isinstance(value, dict) and levels:
        items = islice(value.items(), MAX_ENTRIES)
        return {_sanitize_text(str(name)): _sanitize(each, levels - 1) for name, each in items}
    if isinstance(value, list | tuple) and levels:
        return [_sanitize(each, levels - 1) for each in value[:MAX_ENTRIES]]
    if isinstance(value, dict | list | tuple):
        return "…"
    return _sanitize_text(hex(value) if isinstance(value, int) else str(value))


def _sanitize_text(text: str) -> str:
    """At most `MAX_TEXT_BYTES` of a text, with control, bidirectional and invisible characters escaped."""
    if len(text) <= MAX_TEXT_BYTES and text.isascii() and text.isprintable():
        return text
    escaped = text[:MAX_TEXT_BYTES]
    if not escaped.isprintable():
        escaped = "".join(
            each if each.isprintable() else each.encode("unicode_escape").decode() for each in escaped
        )
    encoded = escaped.encode()
    if len(encoded) <= MAX_TEXT_BYTES and len(text) <= MAX_TEXT_BYTES:
        return escaped
    return encoded[: MAX_TEXT_BYTES - len(ELLIPSIS)].decode(errors="ignore") + ELLIPSIS.decode()


def configure_logging(level: str) -> None:
    """Sends every log record of the process to stdout as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel({"WARN": "WARNING"}.get(level.upper(), level.upper()))
    for noisy in ("uvicorn.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns about every malformed request, as often as clients send them.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def _get_child(metric: _Labelled, *labels: str) -> _Labelled:
    return metric.labels(*labels)


class Metrics:
    """The router's Prometheus metrics, in their own registry.

    `get_child` caches a metric's labelled children, because its own `labels` takes a lock.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.get_child = cache(_get_child)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

        counter, gauge, seconds = self._add_counter, self._add_gauge, self._add_seconds
        self.requests = counter("router_requests", "Completed GraphQL requests.", "operation", "outcome")
        self.request_seconds = seconds("router_request_seconds", "Duration of GraphQL requests.", "operation")
        self.operations = counter("router_operation_cache", "Look-ups in the operation cache.", "result")
        hung = "Operations whose preparation hung, so that its thread was replaced; alert on this."
        self.hung_preparations = counter("router_hung_preparations", hung)

        fetches = "Duration of subgraph fetches."
        self.fetch_seconds = seconds("router_subgraph_fetch_seconds", fetches, "subgraph", "outcome")
        self.retries = counter("router_subgraph_retries", "Retried subgraph fetches.", "subgraph")
        shared = "Fetches that shared the response of an identical fetch in flight."
        self.shared_fetches = counter("router_subgraph_shared_fetches", shared, "subgraph")
        breaker = "State of a subgraph's circuit breaker: 0 closed, 1 half-open, 2 open."
        self.breaker_state = gauge("router_subgraph_breaker_state", breaker, "subgraph")
        passed = (
            "Requests other than GraphQL, passed on to a subgraph, by the class of the response's status."
        )
        self.passed_requests = counter("router_passed_requests", passed, "subgraph", "outcome")

        self.subscriptions = gauge("router_subscriptions_active", "Open subscriptions.")
        self.events = counter("router_subscription_events", "Events sent to clients.")
        refused = "Connections refused at a limit: of all connections, or of one client's."
        self.refused_connections = counter("router_refused_connections", refused, "limit")
        dropped = "Operation log lines dropped because the output was too slow."
        self.dropped_lines = counter("router_dropped_log_lines", dropped)

    def _add_counter(self, name: str, description: str, *labels: str) -> Counter:
        return Counter(name, description, labels, registry=self.registry)

    def _add_gauge(self, name: str, description: str, *labels: str) -> Gauge:
        return Gauge(name, description, labels, registry=self.registry)

    def _add_seconds(self, name: str, description: str, *labels: str) -> Histogram:
        return Histogram(name, description, labels, buckets=_SECONDS, registry=self.registry)
