"""A GraphQL client as any frontend has it: operations over HTTP, live events over SSE, resumed if cut."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2

from infra.errors import InfraError

RESUME_WITHIN = 30.0
# The router says something at least every 12 seconds; a stream that is silent for longer is dead.
SILENCE = 40.0

Object = dict[str, Any]


class GraphRefusal(InfraError):
    """The graph answered with an error, or with another member of a union than the one that was needed."""


class GraphClient:
    """One client of the public endpoint; `token` is sent once it is set."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = ""
        self._http = httpx2.AsyncClient(timeout=httpx2.Timeout(60.0, read=SILENCE))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def execute(self, document: str, variables: Mapping[str, Any] | None = None) -> Object:
        """Run an operation and return its data.

        Raises:
            GraphRefusal: The answer carries errors.
        """
        try:
            answer = await self._http.post(
                self.url, json=_request(document, variables), headers=self._headers()
            )
        except httpx2.HTTPError as error:
            raise InfraError(f"{self.url} does not answer: {error!r}") from error
        return _data(answer.json())

    async def follow(
        self, document: str, root: str, variables: Mapping[str, Any], after: int = 0
    ) -> AsyncIterator[Object]:
        """Subscribe to numbered events and yield each once, in order, whatever happens to the connection.

        `document` takes `$after`; the field `root` of each result carries `sequence`.
        """
        deadline = time.monotonic() + RESUME_WITHIN
        while True:
            try:
                async for result in self._subscribe(document, {**variables, "after": after}):
                    event: Object = _data(result)[root]
                    after = event["sequence"]
                    deadline = time.monotonic() + RESUME_WITHIN
                    yield event
            except httpx2.HTTPError as error:
                if time.monotonic() > deadline:
                    raise InfraError(
                        f"The events of {root} broke off and did not come back: {error!r}"
                    ) from error
                await asyncio.sleep(0.5)
            else:
                return

    async def _subscribe(self, document: str, variables: Mapping[str, Any]) -> AsyncIterator[Object]:
        headers = self._headers() | {"accept": "text/event-stream"}
        request = _request(document, variables)
        async with self._http.stream("POST", self.url, json=request, headers=headers) as answer:
            if not answer.headers["content-type"].startswith("text/event-stream"):
                yield json.loads(await answer.aread())
                return
            event = ""
            async for line in answer.aiter_lines():
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "event":
                    event = value
                elif name == "data" and event == "next":
                    yield json.loads(value)
                elif name == "data" and event == "complete":
                    return
        raise httpx2.ReadError("the stream ended before it was complete")

    async def download(self, url: str) -> bytes:
        """Fetch a file that the graph gave a signed address of."""
        answer = await self._http.get(url)
        if answer.status_code != 200:
            raise GraphRefusal(f"{url} answers {answer.status_code}: {answer.text[:200]}")
        return answer.content

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}


def expect(result: Object, wanted: str) -> Object:
    """The result when it is the wanted member of its union.

    Raises:
        GraphRefusal: It is another, whose message is told.
    """
    if result["__typename"] != wanted:
        raise GraphRefusal(f"{result['__typename']}: {result.get('message', result)}")
    return result


def _request(document: str, variables: Mapping[str, Any] | None) -> Object:
    return {"query": document, "variables": dict(variables or {})}


def _data(answer: Object) -> Object:
    if answer.get("errors"):
        raise GraphRefusal("; ".join(_told(error) for error in answer["errors"]))
    data: Object = answer["data"]
    return data


def _told(error: Object) -> str:
    path = ".".join(map(str, error.get("path") or ()))
    extensions = error.get("extensions") or {}
    trace = f" (traceId {extensions['traceId']})" if "traceId" in extensions else ""
    return f"{path}{': ' if path else ''}{error['message']} [{extensions.get('code', 'no code')}]{trace}"
