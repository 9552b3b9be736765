"""Circuit breakers: a subgraph that keeps failing is left alone for a while, then tried with one fetch."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from router.telemetry import Metrics, log
from router.tracing import NO_TRACER, Tracer
from router.transport.base import Failure, Outcome, RequestContext, Transport

# What one client asks may take long, or bring down whoever answers it: that counts when it befalls several.
BLAMED = frozenset({Outcome.TIMEOUT, Outcome.BROKEN})
# These the subgraph is to blame for, whoever asks.
FAULTS = frozenset({Outcome.UNREACHABLE, Outcome.UNAVAILABLE})
# The subgraph is there, whatever it thinks of the request.
ANSWERED = frozenset({Outcome.REJECTED, Outcome.THROTTLED, Outcome.TOO_EARLY})


class State(IntEnum):
    """What a circuit does with a fetch; the numbers are those of the metric."""

    CLOSED = 0
    """It lets every fetch through."""
    HALF_OPEN = 1
    """One fetch is under way to see how the subgraph is; the others are refused."""
    OPEN = 2
    """It refuses every fetch."""


class Circuit:
    """The state machine of one subgraph's breaker.

    A fetch holds the number of the period it was let through in, so that one that was sent in an earlier
    period and ends late decides nothing.
    """

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float]) -> None:
        self._allowed = failures
        self._seconds = seconds
        self._clock = clock
        self._failures = 0
        self._clients: set[str | None] = set()
        self._period = 0
        self._opened = 0.0
        self.state = State.CLOSED

    def admit(self) -> int | None:
        """The period that a fetch may be sent in, or nothing when it is refused."""
        if self.state is State.CLOSED:
            return self._period
        if self.state is State.OPEN and self._clock() - self._opened >= self._seconds:
            self._enter(State.HALF_OPEN)
            return self._period
        return None

    def succeeded(self, period: int) -> None:
        """The subgraph answered a fetch of a period."""
        if period != self._period:
            return
        self._failures = 0
        self._clients.clear()
        if self.state is State.HALF_OPEN:
            self._enter(State.CLOSED)

    def failed(self, period: int, client: str | None = None) -> None:
        """A fetch of a period failed; with a client, what this one asked may be to blame."""
        if period != self._period:
            return
        self._failures += 1
        if len(self._clients) < 2:
            self._clients.add(client)
        is_its_own_fault = None in self._clients or len(self._clients) > 1
        if self.state is State.HALF_OPEN or (self._failures >= self._allowed and is_its_own_fault):
            self._open()

    def undecided(self, period: int) -> None:
        """A fetch of a period ended without telling how the subgraph is; another may try."""
        if period == self._period and self.state is State.HALF_OPEN:
            self._enter(State.OPEN)

    def _open(self) -> None:
        self._enter(State.OPEN)
        self._opened = self._clock()

    def _enter(self, state: State) -> None:
        self.state = state
        self._failures = 0
        self._clients.clear()
        self._period += 1


class CircuitBreakers:
    """Sends fetches on as long as the circuit of their subgraph lets them."""

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
        """The answer, or a failure at once while the circuit is open."""
        circuit = self._circuits.get(subgraph)
        if circuit is None:
            circuit = self._circuits[subgraph] = Circuit(self._failures, self._seconds, self._clock)
        before = circuit.state
        period = circuit.admit()
        if period is None:
            self._metrics.fetch_seconds.labels(subgraph, Outcome.REFUSED).observe(0)
            self._tracer.record_event("refused fetch", subgraph)
            return Failure(subgraph, Outcome.REFUSED)
        self._report(subgraph, before, circuit)
        before, answer = circuit.state, None
        try:
            answer = await self._inner.fetch(subgraph, body, context)
            return answer
        finally:
            _judge(circuit, period, answer, context)
            self._report(subgraph, before, circuit)

    def _report(self, subgraph: str, before: State, circuit: Circuit) -> None:
        if circuit.state is not before:
            self._metrics.breaker_state.labels(subgraph).set(circuit.state)
            metadata = {"subgraph": subgraph, "state": circuit.state.name.lower()}
            log.warning("A circuit changed", extra={"metadata": metadata})


def _judge(circuit: Circuit, period: int, answer: dict[str, Any] | None, context: RequestContext) -> None:
    if answer is None:
        circuit.undecided(period)
    elif not isinstance(answer, Failure) or answer.outcome in ANSWERED:
        circuit.succeeded(period)
    elif answer.outcome in BLAMED:
        circuit.failed(period, context.client)
    elif answer.outcome in FAULTS:
        circuit.failed(period)
    else:
        circuit.undecided(period)
