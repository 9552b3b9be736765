"""The seam between the executor and the network: a GraphQL request in, a response or a stream of them out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from router.telemetry import Trace

# What is made of an answer takes some tenths of a millisecond.
SIZEABLE_BYTES = 8192
# It takes a millisecond or two.
LARGE_BYTES = 65_536

Caller: TypeAlias = tuple[str | None, tuple[tuple[str, str], ...]]


class Outcome(StrEnum):
    """How a fetch ended, as metrics tell it and as layers judge it."""

    OK = "ok"
    TIMEOUT = "timeout"
    """The subgraph had its time."""
    DEADLINE = "deadline"
    """The operation ran out of time, which is not this subgraph's fault."""
    UNREACHABLE = "unreachable"
    """There is no connection."""
    BROKEN = "broken"
    """The connection broke before there was a whole answer, or what came over it is no HTTP."""
    UNSENDABLE = "unsendable"
    """The fetch was not sent, as a header of this caller's is none."""
    UNAVAILABLE = "unavailable"
    """The subgraph cannot answer now, as it says itself, or what stands before it."""
    INVALID = "invalid"
    """What came is not a GraphQL response, which may be due to what was asked."""
    REJECTED = "rejected"
    """The subgraph refuses what this caller asks: an answer, although none of GraphQL."""
    TOO_EARLY = "too_early"
    """The subgraph did not take the request, and takes it when it is sent again."""
    THROTTLED = "throttled"
    """This caller has asked too much of the subgraph."""
    BUSY = "busy"
    """The fetch was not sent, as too many wait to be sent."""
    TOO_LARGE = "too_large"
    """The answer was given up at its allowed size."""
    REFUSED = "refused"
    """The fetch was not sent, as the subgraph's circuit is open."""


class SizeableResponse(dict[str, Any]):
    """A GraphQL response of which several are too much for one turn of the event loop."""


class LargeResponse(SizeableResponse):
    """A GraphQL response with so much in it that what is made of it would hold up the event loop."""


def sized(response: dict[str, Any], size: int) -> dict[str, Any]:
    """A response that was read from so many bytes."""
    if size <= SIZEABLE_BYTES:
        return response
    return LargeResponse(response) if size > LARGE_BYTES else SizeableResponse(response)


class Failure(dict[str, Any]):
    """The GraphQL response that stands for an answer that did not come; why is for logs and layers.

    With `retry_after`, the subgraph has said in how many seconds it may be asked again.
    """

    def __init__(self, subgraph: str, outcome: Outcome, retry_after: int | None = None) -> None:
        throttled = outcome is Outcome.THROTTLED
        super().__init__(data=None, errors=[unanswered(subgraph, retry_after, throttled=throttled)])
        self.outcome = outcome
        self.retry_after = retry_after


def unanswered(subgraph: str, retry_after: int | None = None, *, throttled: bool = False) -> dict[str, Any]:
    """The GraphQL error that clients read when a subgraph did not answer, for whatever reason."""
    code = "TOO_MANY_REQUESTS" if throttled else "DOWNSTREAM_SERVICE_ERROR"
    extensions: dict[str, Any] = {"code": code, "serviceName": subgraph}
    if retry_after is not None:
        extensions["retryAfter"] = retry_after
    return {"message": f"The service {subgraph!r} did not answer.", "extensions": extensions}


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What every subgraph request of one client operation carries along."""

    authorization: str | None
    traceparent: str
    headers: tuple[tuple[str, str], ...] = ()
    """The client's headers that header rules may propagate."""
    deadline: float | None = None
    """When the operation must be answered, on the clock `time.monotonic`."""
    tracestate: str = ""
    """What tracing systems add to the `traceparent`."""
    client: str = ""
    """Whose share of what is limited the operation takes."""

    def within(self, trace: Trace | None) -> RequestContext:
        """The same request as a part of a trace; without one, of that which the operation has."""
        if trace is None:
            return self
        return replace(self, traceparent=trace.traceparent, tracestate=trace.tracestate)

    @property
    def caller(self) -> Caller:
        """What tells callers apart, as subgraphs do: the token, and the headers that are passed on."""
        return self.authorization, self.headers


class Transport(Protocol):
    """Carries requests to subgraphs."""

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """Posts a JSON body and returns the GraphQL response.

        Whatever goes wrong is a `Failure`: a response without data and with an error; nothing is raised.
        """
        ...


class Upstream(Protocol):
    """One open stream of a subgraph."""

    def events(self) -> AsyncGenerator[dict[str, Any], None]:
        """The subgraph's GraphQL responses as they arrive, until it completes the stream.

        Raises:
            StreamBrokenError: the stream breaks off.
            SubgraphError: what arrives is not a GraphQL response.
        """
        ...

    async def close(self) -> None:
        """Ends the subscription at the subgraph."""
        ...


class StreamSource(Protocol):
    """Opens subscriptions at subgraphs."""

    async def open(self, subgraph: str, body: bytes, context: RequestContext) -> Upstream:
        """A stream that the subgraph has begun to answer.

        Raises:
            StreamBrokenError: the subgraph cannot be reached, or whatever stands before it says so.
            SubgraphError: it will not have the subscription.
        """
        ...
