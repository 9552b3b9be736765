"""The interfaces between the executor and the network: a GraphQL request in, a response or a stream out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from router.telemetry import Trace

CallerKey: TypeAlias = tuple[str | None, tuple[tuple[str, str], ...]]


class FetchOutcome(StrEnum):
    """How a fetch ended, for metrics and for the layers."""

    OK = "ok"
    TIMEOUT = "timeout"
    """The fetch timed out at the subgraph."""
    DEADLINE = "deadline"
    """The operation's deadline passed first, which is not this subgraph's fault."""
    UNREACHABLE = "unreachable"
    """No connection could be opened."""
    BROKEN = "broken"
    """The connection broke before the response was complete, or the response is not HTTP."""
    UNSENDABLE = "unsendable"
    """The fetch was not sent, because a header of this caller is invalid."""
    UNAVAILABLE = "unavailable"
    """The subgraph, or a proxy before it, responded with 502, 503 or 504."""
    INVALID = "invalid"
    """The response is not GraphQL, which the request may have caused."""
    REJECTED = "rejected"
    """The subgraph rejected this caller's request with a 4xx status."""
    TOO_EARLY = "too_early"
    """The subgraph did not process the request (408, 425), so it can be repeated."""
    THROTTLED = "throttled"
    """The subgraph responded with 429 to this caller."""
    BUSY = "busy"
    """The fetch was not sent, because too many are waiting for a connection."""
    TOO_LARGE = "too_large"
    """The response exceeds the allowed size."""
    REFUSED = "refused"
    """The fetch was not sent, because the subgraph's circuit breaker is open."""


class FetchFailure(dict[str, Any]):
    """The GraphQL response of a failed fetch; its outcome is for logs and layers.

    `retry_after` is the number of seconds after which the subgraph accepts another request, if it said so.
    """

    def __init__(self, subgraph: str, outcome: FetchOutcome, retry_after: int | None = None) -> None:
        throttled = outcome is FetchOutcome.THROTTLED
        super().__init__(data=None, errors=[no_response_error(subgraph, retry_after, throttled=throttled)])
        self.outcome = outcome
        self.retry_after = retry_after


def no_response_error(
    subgraph: str, retry_after: int | None = None, *, throttled: bool = False
) -> dict[str, Any]:
    """The GraphQL error for a subgraph that did not respond, whatever the reason."""
    code = "TOO_MANY_REQUESTS" if throttled else "DOWNSTREAM_SERVICE_ERROR"
    extensions: dict[str, Any] = {"code": code, "serviceName": subgraph}
    if retry_after is not None:
        extensions["retryAfter"] = retry_after
    return {"message": f"The service {subgraph!r} did not respond.", "extensions": extensions}


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What all subgraph requests of an operation have in common."""

    authorization: str | None
    traceparent: str
    headers: tuple[tuple[str, str], ...] = ()
    """The client's headers that header rules may propagate."""
    deadline: float | None = None
    """When the operation times out, on the clock `time.monotonic`."""
    tracestate: str = ""
    """The `tracestate` header that belongs to `traceparent`."""
    client: str = ""
    """The key of limits and fair shares."""

    def with_trace(self, trace: Trace | None) -> RequestContext:
        """The same context in another trace, if there is one."""
        if trace is None:
            return self
        return replace(self, traceparent=trace.traceparent, tracestate=trace.tracestate)

    @property
    def caller(self) -> CallerKey:
        """What identifies the caller to subgraphs: the token and the propagated headers."""
        return self.authorization, self.headers


class Transport(Protocol):
    """Sends requests to subgraphs."""

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """Posts a JSON body; returns the GraphQL response, or a `FetchFailure` on any error. Never raises."""
        ...


class SubgraphStream(Protocol):
    """An open stream of a subgraph."""

    def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The subgraph's GraphQL responses as they arrive, until it completes the stream.

        Raises:
            StreamBrokenError: the connection broke.
            SubgraphError: an event is not a GraphQL response.
        """
        ...

    async def close(self) -> None:
        """Ends the subscription at the subgraph."""
        ...


class StreamSource(Protocol):
    """Opens subscriptions at subgraphs."""

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> SubgraphStream:
        """Opens a stream; returns once the subgraph has started to respond.

        Raises:
            StreamBrokenError: the subgraph is unreachable or unavailable.
            SubgraphError: it rejects the subscription.
        """
        ...
