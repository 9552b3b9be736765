"""A client of the router, for data that another domain owns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2

from subgraphs.common.errors import BadUserInput, DependencyFailed, NotFound, Unauthenticated
from subgraphs.common.http import IDEMPOTENT, create_client
from subgraphs.common.identity import Identity
from subgraphs.common.telemetry import get_logger


class GraphClient:
    """A client of the public GraphQL endpoint, which sends the caller's own token."""

    def __init__(self, address: str, ca_file: Path | None = None) -> None:
        self._address = address
        self._http = create_client("graph", deadline_seconds=10, ca_file=ca_file)

    async def query(self, identity: Identity, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Send a query; return its `data`.

        NotFound, BadUserInput or Unauthenticated when an error has its code; DependencyFailed for any other.
        """
        try:
            response = await self._http.post(
                self._address,
                json={"query": document, "variables": variables},
                headers={"authorization": f"Bearer {identity.token}"},
                extensions={IDEMPOTENT: True},
            )
            answer = response.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise DependencyFailed("Another part of the platform does not answer; try again.") from error
        if errors := answer.get("errors"):
            raise _convert_errors(errors)
        data: dict[str, Any] = answer["data"]
        return data

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _convert_errors(errors: list[dict[str, Any]]) -> Exception:
    codes = {error.get("extensions", {}).get("code") for error in errors}
    if "UNAUTHENTICATED" in codes:
        return Unauthenticated()
    if "NOT_FOUND" in codes:
        kind, _, rest = str(errors[0]["message"]).partition(" '")
        return NotFound(kind, rest.split("'")[0])
    for error in errors:
        if error.get("extensions", {}).get("code") == "BAD_USER_INPUT":
            return BadUserInput(str(error["extensions"].get("field", "")), str(error["message"]))
    get_logger().error("The graph answered with errors", codes=sorted(map(str, codes)))
    return DependencyFailed("Another part of the platform could not answer; try again.")
