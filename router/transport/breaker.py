"""Circuit breakers: fetches to a failing subgraph are refused for a while, then tried with a single one."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from router.telemetry import Metrics, log
from router.tracing import NO_TRACER, Tracer
from router.transport.base import FetchFailure, FetchOutcome, RequestContext, Transport

# A single client's requests may cause these, so they count only if they affect several clients.
CLIENT_DEPENDENT = frozenset({FetchOutcome.TIMEOUT, FetchOutcome.BROKEN})
# The subgraph's own failures.
FAILURES = frozenset({FetchOutcome.UNREACHABLE, FetchOutcome.UNAVAILABLE})
# The subgraph is healthy, although it does not accept the request.
HEALTHY = frozenset({FetchOutcome.REJECTED, FetchOutcome.THROTTLED, FetchOutcome.TOO_EARLY})


class State(IntEnum):
    """The state of a circuit breaker; the values are those of the metric."""

    CLOSED = 0
    """All fetches pass."""
    HALF_OPEN = 1
    """One trial fetch is in flight; the others are refused."""
    OPEN = 2
    """All fetches are refused."""


class Circuit:
    """The state machine of one subgraph's circuit breaker.

    Each state is a numbered period, and a fetch keeps the number of its own, so that a late fetch of an
    earlier period is ignored.
    """

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float]) -> None:
        self._max_failures = failures
        self._seconds = seconds
        self._clock = clock
        self._failures = 0
        self._clients: set[str | None] = set()
        self._period = 0
        self._opened_at = 0.0
        self.state = State.CLOSED

    def admit(self) -> int | None:
        """The period of a fetch, or None if it is refused."""
        if self.state is State.CLOSED:
            return self._period
        if self.state is State.OPEN and self._clock() - self._opened_at >= self._seconds:
            self._enter(State.HALF_OPEN)
            return self._period
        return None

    def record_success(self, period: int) -> None:
        """Records a fetch that shows a healthy subgraph."""
        if period != self._period:
            return
        self._failures = 0
        self._clients.clear()
        if self.state is State.HALF_OPEN:
            self._enter(State.CLOSED)

    def record_failure(self, period: int, client: str | None = None) -> None:
        """Records a failed fetch; with a client, one that the client may have caused."""
        if period != self._period:
            return
        self._failures += 1
        if len(self._clients) < 2:
            self._clients.add(client)
        is_subgraph_failure = None in self._clients or len(self._clients) > 1
        if self.state is State.HALF_OPEN or (self._failures >= self._max_failures and is_subgraph_failure):
            self._open()

    def record_unknown(self, period: int) -> None:
        """Records a fetch that says nothing about the subgraph's health; another may be the trial."""
        if period == self._period and self.state is State.HALF_OPEN:
            self._enter(State.OPEN)

    def _open(self) -> None:
        self._enter(State.OPEN)
        self._opened_at = self._clock()

    def _enter(self, state: State) -> None:
        self.state = state
        self._failures = 0
        self._clients.clear()
        self._period += 1


class CircuitBreakers:
    """Passes fetches unless the circuit breaker of their subgraph refuses them."""

    def __init__(
        self,
        inner: Transport,
        failures: int,
        seconds: float,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._tracer = tracer
        self._inner = inner
        self._metrics = metrics
        self._failures = failures
        self._seconds = seconds
        self._clock = clock
        self._circuits: dict[str, Circuit] = {}

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The response, or a failure at once while the circuit breaker is open."""
        circuit = self._circuits.get(subgraph)
        if circuit is None:
            circuit = self._circuits[subgraph] = Circuit(self._failures, self._seconds, self._clock)
        before = circuit.state
        period = circuit.admit()
        if period is None:
            self._metrics.fetch_seconds.labels(subgraph, FetchOutcome.REFUSED).observe(0)
            self._tracer.record_event("refused fetch", subgraph)
            return FetchFailure(subgraph, FetchOutcome.REFUSED)
        self._report(subgraph, before, circuit)
        before, response = circuit.state, None
        try:
            response = await self._inner.fetch(subgraph, body, context)
            return response
        finally:
            _record(circuit, period, response, context)
            self._report(subgraph, before, circuit)

    def _report(self, subgraph: str, before: State, circuit: Circuit) -> None:
        if circuit.state is not before:
            self._metrics.breaker_state.labels(subgraph).set(circuit.state)
            metadata = {"subgraph": subgraph, "state": circuit.state.name.lower()}
            log.warning("A circuit breaker changed its state", extra={"metadata": metadata})


def _record(circuit: Circuit, period: int, response: dict[str, Any] | None, context: RequestContext) -> None:
    if response is None:
        circuit.record_unknown(period)
    elif not isinstance(response, FetchFailure) or response.outcome in HEALTHY:
        circuit.record_success(period)
    elif response.outcome in CLIENT_DEPENDENT:
        circuit.record_failure(period, context.client)
    elif response.outcome in FAILURES:
        circuit.record_failure(period)
    else:
        circuit.record_unknown(period)
