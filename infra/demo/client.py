"""A minimal GraphQL client: operations over HTTP, and resumable subscriptions over SSE."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2

from infra.errors import InfraError

RESUME_TIMEOUT = 30.0
# The router sends a keep-alive at least every 12 seconds, so a stream that is silent for longer is dead.
READ_TIMEOUT = 40.0

Object = dict[str, Any]


class UnexpectedResponse(InfraError):
    """The API responded with an error, or with another union member than the expected one."""


class GraphClient:
    """A client of the GraphQL endpoint; sends `token` as a bearer token once it is set."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = ""
        self._http = httpx2.AsyncClient(timeout=httpx2.Timeout(60.0, read=READ_TIMEOUT))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def execute(self, document: str, variables: Mapping[str, Any] | None = None) -> Object:
        """Run an operation and return its data.

        Raises:
            InfraError: The endpoint does not respond.
            UnexpectedResponse: The response contains errors.
        """
        try:
            response = await self._http.post(
                self.url, json=_build_request_body(document, variables), headers=self._build_headers()
            )
        except httpx2.HTTPError as error:
            raise InfraError(f"{self.url} does not respond. See: memorable logs router") from error
        return _extract_data(response.json())

    async def follow(
        self, document: str, root: str, variables: Mapping[str, Any], after: int = 0
    ) -> AsyncIterator[Object]:
        """Subscribe and yield each event once, in order, resuming after a lost connection.

        The document must have the variable `$after`, and its root field `root` must select `sequence`.
        """
        deadline = time.monotonic() + RESUME_TIMEOUT
        while True:
            try:
                async for result in self._subscribe(document, {**variables, "after": after}):
                    event: Object = _extract_data(result)[root]
                    after = event["sequence"]
                    deadline = time.monotonic() + RESUME_TIMEOUT
                    yield event
            except httpx2.HTTPError as error:
                if time.monotonic() > deadline:
                    raise InfraError(
                        f"The subscription to {root} was lost and not resumed. See: memorable logs router"
                    ) from error
                await asyncio.sleep(0.5)
            else:
                return

    async def _subscribe(self, document: str, variables: Mapping[str, Any]) -> AsyncIterator[Object]:
        headers = self._build_headers() | {"accept": "text/event-stream"}
        request = _build_request_body(document, variables)
        async with self._http.stream("POST", self.url, json=request, headers=headers) as response:
            if not response.headers["content-type"].startswith("text/event-stream"):
                yield json.loads(await response.aread())
                return
            event = ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "event":
                    event = value
                elif name == "data" and event == "next":
                    yield json.loads(value)
                elif name == "data" and event == "complete":
                    return
        raise httpx2.ReadError("the stream ended without a complete event")

    async def download(self, url: str) -> bytes:
        """Download a file from a signed URL."""
        response = await self._http.get(url)
        if response.status_code != 200:
            raise UnexpectedResponse(f"{url} responded with {response.status_code}: {response.text[:200]}")
        return response.content

    def _build_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}


def expect(result: Object, typename: str) -> Object:
    """Return the result if it is the expected member of its union.

    Raises:
        UnexpectedResponse: It is another member; the message includes the member's own.
    """
    if result["__typename"] != typename:
        raise UnexpectedResponse(f"{result['__typename']}: {result.get('message', result)}")
    return result


def _build_request_body(document: str, variables: Mapping[str, Any] | None) -> Object:
    return {"query": document, "variables": dict(variables or {})}


def _extract_data(response: Object) -> Object:
    if response.get("errors"):
        raise UnexpectedResponse("; ".join(_format_error(error) for error in response["errors"]))
    data: Object = response["data"]
    return data


def _format_error(error: Object) -> str:
    path = ".".join(map(str, error.get("path") or ()))
    extensions = error.get("extensions") or {}
    trace = f" (traceId {extensions['traceId']})" if "traceId" in extensions else ""
    return f"{path}{': ' if path else ''}{error['message']} [{extensions.get('code', 'no code')}]{trace}"
