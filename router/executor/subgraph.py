"""Subgraphs over HTTP: one fetch is one POST, and whatever goes wrong is a GraphQL error of that fetch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from router.executor.headers import HeaderRules
from router.executor.http_client import IDLE_SECONDS, AnswerTooLargeError, HttpAnswer, HttpClient, HttpError
from router.executor.transport import Failure, Outcome, RequestContext, unanswered
from router.telemetry import Metrics, log

HEADERS = {
    "accept": "application/graphql-response+json, application/json",
    "content-type": "application/json",
}
DEADLINE = "x-deadline-ms"
NO_RULES = HeaderRules()


class SubgraphError(Exception):
    """A subgraph did not answer a request with GraphQL."""

    def __init__(self, subgraph: str, reason: str, outcome: Outcome = Outcome.INVALID) -> None:
        super().__init__(f"{subgraph}: {reason}")
        self.subgraph = subgraph
        self.reason = reason
        self.outcome = outcome

    def formatted(self) -> dict[str, Any]:
        """The GraphQL error that stands for this failure; the reason is for the log alone."""
        return unanswered(self.subgraph)


class StreamBrokenError(SubgraphError):
    """The connection of a stream failed, not what came over it: opened again, it may well work."""


def open_session() -> aiohttp.ClientSession:
    """The HTTP session that all calls of a router share; to be opened inside the event loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    )


def outgoing_headers(
    subgraph: str, context: RequestContext, rules: HeaderRules, own: Mapping[str, str]
) -> dict[str, str]:
    """What a subgraph reads of the client's request: its token, its trace, and what the rules say.

    The exchange's own headers come first.
    """
    headers = {**own, "traceparent": context.traceparent}
    if context.tracestate:
        headers["tracestate"] = context.tracestate
    if context.authorization is not None:
        headers["authorization"] = context.authorization
    rules.apply(subgraph, headers, context.headers)
    return headers


class HttpTransport:
    """Sends fetches to the subgraphs' addresses."""

    def __init__(
        self,
        client: HttpClient,
        urls: Mapping[str, str],
        timeout: float,
        metrics: Metrics,
        *,
        timeouts: Mapping[str, float] | None = None,
        rules: HeaderRules = NO_RULES,
    ) -> None:
        self._client = client
        self._urls = urls
        self._timeouts = {**dict.fromkeys(urls, timeout), **(timeouts or {})}
        self._metrics = metrics
        self._rules = rules

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The subgraph's GraphQL response, or one that says that there is none; never raises."""
        started = time.perf_counter()
        outcome = Outcome.OK
        try:
            answer = await self._post(subgraph, body, context)
            return graphql_response(subgraph, answer.status, answer.body)
        except SubgraphError as error:
            outcome = error.outcome
            log.warning("A fetch failed", extra={"metadata": {"subgraph": subgraph, "reason": error.reason}})
            return Failure(subgraph, outcome)
        finally:
            seconds = time.perf_counter() - started
            self._metrics.fetch_seconds.labels(subgraph, outcome).observe(seconds)

    async def _post(self, subgraph: str, body: bytes, context: RequestContext) -> HttpAnswer:
        seconds, late = self._timeouts[subgraph], Outcome.TIMEOUT
        if context.deadline is not None and (left := context.deadline - time.monotonic()) < seconds:
            seconds, late = max(left, 0.0), Outcome.DEADLINE
        headers = outgoing_headers(subgraph, context, self._rules, HEADERS)
        headers[DEADLINE] = str(int(seconds * 1000))
        try:
            async with asyncio.timeout(seconds):
                return await self._client.post(self._urls[subgraph], headers, body)
        except TimeoutError:
            raise SubgraphError(subgraph, f"no answer within {seconds:.3g} seconds", late) from None
        except AnswerTooLargeError as error:
            raise SubgraphError(subgraph, str(error), Outcome.TOO_LARGE) from None
        except HttpError as error:
            raise SubgraphError(subgraph, str(error), Outcome.UNREACHABLE) from error


def graphql_response(subgraph: str, status: int, body: bytes) -> dict[str, Any]:
    """Reads a subgraph's answer, which is GraphQL by its form, whatever its status.

    Raises:
        SubgraphError: it is not a GraphQL response.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise SubgraphError(subgraph, f"HTTP {status} with a body that is not JSON") from None
    if not isinstance(value, dict) or not is_graphql(value):
        raise SubgraphError(subgraph, f"HTTP {status} with JSON that is not a GraphQL response")
    return value


def is_graphql(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the form of a GraphQL response."""
    errors = value.get("errors")
    if errors is not None:
        return isinstance(errors, list) and all(isinstance(error, dict) for error in errors)
    return isinstance(value.get("data"), dict)
