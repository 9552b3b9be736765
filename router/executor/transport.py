"""The seam between the executor and the network: one GraphQL request in, one GraphQL response out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What every subgraph request of one client operation carries along."""

    authorization: str | None
    traceparent: str


class Transport(Protocol):
    """Carries requests to subgraphs."""

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """Posts a JSON body and returns the GraphQL response.

        Whatever goes wrong is a response without data and with an error; nothing is raised.
        """
        ...
