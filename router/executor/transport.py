"""The seam between the executor and the network: a GraphQL request in, a response or a stream of them out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Outcome(StrEnum):
    """How a fetch ended, as metrics tell it and as layers judge it."""

    OK = "ok"
    TIMEOUT = "timeout"
    """The subgraph had its time."""
    DEADLINE = "deadline"
    """The operation ran out of time, which is not this subgraph's fault."""
    UNREACHABLE = "unreachable"
    """There is no connection, or it broke before the answer was whole."""
    INVALID = "invalid"
    """What came is not a GraphQL response."""
    TOO_LARGE = "too_large"
    """The answer was given up at its allowed size."""
    REFUSED = "refused"
    """The fetch was not sent, as the subgraph's circuit is open."""


class Failure(dict[str, Any]):
    """The GraphQL response that stands for an answer that did not come; why is for logs and layers."""

    def __init__(self, subgraph: str, outcome: Outcome) -> None:
        super().__init__(data=None, errors=[unanswered(subgraph)])
        self.outcome = outcome


def unanswered(subgraph: str) -> dict[str, Any]:
    """The GraphQL error that clients read when a subgraph did not answer, for whatever reason."""
    return {
        "message": f"The service {subgraph!r} did not answer.",
        "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "serviceName": subgraph},
    }


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
