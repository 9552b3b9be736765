"""What the router tells its operators: JSON log lines, W3C trace context and Prometheus metrics."""

from __future__ import annotations

import logging
import re
import secrets
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

SERVICE = "router"

log = logging.getLogger("router")

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
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
    def begin(cls, traceparent: str | None) -> Trace:
        """Continues the caller's trace, or starts one when the header is missing or not valid."""
        match = _TRACEPARENT.fullmatch(traceparent.strip()) if traceparent else None
        if match is None:
            return cls(secrets.token_hex(16), secrets.token_hex(8))
        return cls(match[1], secrets.token_hex(8), match[3])

    @property
    def traceparent(self) -> str:
        """The header that lets a subgraph continue this trace."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


current_trace: ContextVar[Trace | None] = ContextVar("current_trace", default=None)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: level, service, timestamp, traceId, message, metadata."""

    def format(self, record: logging.LogRecord) -> str:
        """Encodes a record; `extra={"metadata": {...}}` becomes its metadata."""
        trace = current_trace.get()
        metadata = dict(getattr(record, "metadata", {}))
        if record.exc_info:
            metadata["exception"] = self.formatException(record.exc_info)
        level = _LEVELS.get(record.levelname, record.levelname.lower())
        trace_id = trace.trace_id if trace else ""
        return encoded(level, record.created, trace_id, record.getMessage(), metadata).decode()


def encoded(level: str, created: float, trace_id: str, message: str, metadata: Mapping[str, Any]) -> bytes:
    """A line of the log."""
    line: dict[str, Any] = {
        "level": level,
        "service": SERVICE,
        "timestamp": datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds"),
        "traceId": trace_id,
        "message": message,
    }
    if metadata:
        line["metadata"] = metadata
    return orjson.dumps(line, default=str)


def configure_logging(level: str) -> None:
    """Sends every log record of the process to stdout as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel({"WARN": "WARNING"}.get(level.upper(), level.upper()))
    for noisy in ("uvicorn.error", "uvicorn.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class Metrics:
    """The router's Prometheus metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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
