"""What the router tells its operators: JSON log lines, W3C trace context and Prometheus metrics."""

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

MAX_BYTES = 1000
MAX_ENTRIES = 100
MAX_LEVELS = 5
LARGE = 2**63
CUT = "…".encode()

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
MAX_TRACESTATE = 512
_LEVELS = {"WARNING": "warn", "CRITICAL": "error"}
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


@dataclass(frozen=True, slots=True)
class Trace:
    """One request's place in a distributed trace."""

    trace_id: str
    span_id: str
    flags: str = "01"
    tracestate: str = ""

    @classmethod
    def begin(cls, traceparent: str | None, tracestate: Sequence[str] = ()) -> Trace:
        """Continues the caller's trace, or starts one when the header is missing or not valid.

        What tracing systems add to it goes along, as long as W3C's recommendation has everybody pass it on.
        """
        match = _TRACEPARENT.fullmatch(traceparent.strip()) if traceparent else None
        if match is None:
            return cls(_random_hex(16), _random_hex(8))
        state = ",".join(tracestate)
        return cls(match[1], _random_hex(8), match[3], state if len(state) <= MAX_TRACESTATE else "")

    @property
    def traceparent(self) -> str:
        """The header that lets a subgraph continue this trace."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def _random_hex(size: int) -> str:
    """A number of so many bytes; nobody is kept from guessing it, so the system need not be asked."""
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
        return encoded(level, record.created, trace_id, record.getMessage(), metadata).decode()


def encoded(level: str, created: float, trace_id: str, message: str, metadata: Mapping[str, Any]) -> bytes:
    """A line of the log, in which nothing is long and nothing does more than to be read.

    Values may come from clients and from subgraphs, and lines are read in terminals.
    """
    line: dict[str, Any] = {
        "level": level,
        "service": SERVICE,
        "timestamp": datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds"),
        "traceId": trace_id,
        "message": _harmless_text(message),
    }
    if metadata:
        line["metadata"] = _harmless({**metadata})
    return orjson.dumps(line)


def _harmless(value: Any, levels: int = MAX_LEVELS) -> Any:
    """A value for the log: its texts harmless, and not many of them."""
    if isinstance(value, str):
        return _harmless_text(value)
    if value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) < LARGE):
        return value
    if isinstance(value, dict) and levels:
        items = islice(value.items(), MAX_ENTRIES)
        return {_harmless_text(str(name)): _harmless(each, levels - 1) for name, each in items}
    if isinstance(value, list | tuple) and levels:
        return [_harmless(each, levels - 1) for each in value[:MAX_ENTRIES]]
    if isinstance(value, dict | list | tuple):
        return "…"
    return _harmless_text(hex(value) if isinstance(value, int) else str(value))


def _harmless_text(text: str) -> str:
    """A text of at most a kilobyte, in which what steers terminals, or their reader's eye, is written out."""
    if len(text) <= MAX_BYTES and text.isascii() and text.isprintable():
        return text
    short = text[:MAX_BYTES]
    if not short.isprintable():
        short = "".join(
            each if each.isprintable() else each.encode("unicode_escape").decode() for each in short
        )
    whole = short.encode()
    if len(whole) <= MAX_BYTES and len(text) <= MAX_BYTES:
        return short
    return whole[: MAX_BYTES - len(CUT)].decode(errors="ignore") + CUT.decode()


def configure_logging(level: str) -> None:
    """Sends every log record of the process to stdout as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel({"WARN": "WARNING"}.get(level.upper(), level.upper()))
    for noisy in ("uvicorn.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns of every request that is none, as often as somebody sends such.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def _child(metric: _Labelled, *labels: str) -> _Labelled:
    return metric.labels(*labels)


class Metrics:
    """The router's Prometheus metrics, in a registry of their own.

    `child` is a metric with the values of its labels, which a metric's own `labels` looks up under a lock.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.child = cache(_child)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.requests = Counter(
            "router_requests", "Answered GraphQL requests.", ["operation", "outcome"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "router_request_seconds",
            "Time from the request to its answer.",
            ["operation"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.fetch_seconds = Histogram(
            "router_subgraph_fetch_seconds",
            "Time of one fetch from a subgraph.",
            ["subgraph", "outcome"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.retries = Counter(
            "router_subgraph_retries", "Queries sent again.", ["subgraph"], registry=self.registry
        )
        self.shared_fetches = Counter(
            "router_subgraph_shared_fetches",
            "Fetches answered by an identical one that was under way.",
            ["subgraph"],
            registry=self.registry,
        )
        self.breaker_state = Gauge(
            "router_subgraph_breaker_state",
            "What a subgraph's circuit is: 0 closed, 1 half-open, 2 open.",
            ["subgraph"],
            registry=self.registry,
        )
        self.subscriptions = Gauge(
            "router_subscriptions_active", "Subscriptions that are open now.", registry=self.registry
        )
        self.events = Counter("router_subscription_events", "Events sent to clients.", registry=self.registry)
        self.refused_connections = Counter(
            "router_refused_connections",
            "Connections refused because there were too many: of all, or of one client.",
            ["limit"],
            registry=self.registry,
        )
        self.dropped_lines = Counter(
            "router_dropped_log_lines",
            "Lines of answered operations that were not written.",
            registry=self.registry,
        )
        self.hung_preparations = Counter(
            "router_hung_preparations",
            "Operations whose preparation hung, so that its thread was replaced: to be alerted on.",
            registry=self.registry,
        )
        self.operations = Counter(
            "router_operation_cache", "Look-ups of prepared operations.", ["result"], registry=self.registry
        )
