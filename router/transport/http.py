"""Subgraphs over HTTP: one fetch is one POST, and whatever goes wrong is a GraphQL error of that fetch."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from router.config.header_rules import HeaderRules, HeaderValue
from router.json_text import InvalidJsonError, decode_lossy
from router.telemetry import Metrics, log
from router.tracing import NO_TRACER, Tracer
from router.transport.address import Address
from router.transport.base import Failure, Outcome, RequestContext, sized, unanswered
from router.transport.http_client import (
    IDLE_SECONDS,
    AnswerTooLargeError,
    HttpAnswer,
    HttpClient,
    HttpError,
    NoConnectionError,
    UnreachableError,
    UnsendableError,
)

HEADERS = {
    "accept": "application/graphql-response+json, application/json",
    "content-type": "application/json",
}
TOO_MANY_REQUESTS = 429
# What is not GraphQL is judged by its status. A subgraph's own fault, 500, may well be the fault of what it
# was asked, so it says nothing of how the subgraph is.
_BY_STATUS = {
    408: Outcome.TOO_EARLY,
    425: Outcome.TOO_EARLY,
    TOO_MANY_REQUESTS: Outcome.THROTTLED,
    502: Outcome.UNAVAILABLE,
    503: Outcome.UNAVAILABLE,
    504: Outcome.UNAVAILABLE,
}
MAX_RETRY_AFTER = 300
DEADLINE = "x-deadline-ms"
NO_RULES = HeaderRules()


class SubgraphError(Exception):
    """A subgraph did not answer a request with GraphQL."""

    def __init__(
        self,
        subgraph: str,
        reason: str,
        outcome: Outcome = Outcome.INVALID,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{subgraph}: {reason}")
        self.subgraph = subgraph
        self.reason = reason
        self.outcome = outcome
        self.retry_after = retry_after

    @property
    def code(self) -> str:
        """How the request ended, in a word."""
        return self.outcome.value

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
) -> dict[str, HeaderValue]:
    """What a subgraph reads of the client's request: its token, its trace, and what the rules say.

    The exchange's own headers come first.
    """
    headers: dict[str, HeaderValue] = {**own, "traceparent": context.traceparent}
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
        addresses: Mapping[str, Address],
        timeout: float,
        metrics: Metrics,
        *,
        timeouts: Mapping[str, float] | None = None,
        rules: HeaderRules = NO_RULES,
        codings: Sequence[str] = (),
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self._tracer = tracer
        self._client = client
        self._addresses = addresses
        self._timeouts = {**dict.fromkeys(addresses, timeout), **(timeouts or {})}
        self._metrics = metrics
        self._rules = rules
        self._headers = {**HEADERS, "accept-encoding": accepted(codings)}

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The subgraph's GraphQL response, or one that says that there is none; never raises."""
        with self._tracer.trace_fetch(subgraph, "POST", self._addresses[subgraph].url) as trace:
            return await self._fetch(subgraph, body, context.within(trace))

    async def _fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        started = time.perf_counter()
        outcome = Outcome.OK
        try:
            answer = await self._post(subgraph, body, context)
            self._tracer.record_status(answer.status)
            return graphql_response(subgraph, answer)
        except SubgraphError as error:
            outcome = error.outcome
            self._tracer.record_error(error)
            log.warning("A fetch failed", extra={"metadata": {"subgraph": subgraph, "reason": error.reason}})
            return Failure(subgraph, outcome, error.retry_after)
        finally:
            seconds = time.perf_counter() - started
            self._metrics.child(self._metrics.fetch_seconds, subgraph, outcome).observe(seconds)

    async def _post(self, subgraph: str, body: bytes, context: RequestContext) -> HttpAnswer:
        seconds, late = self._timeouts[subgraph], Outcome.TIMEOUT
        if context.deadline is not None and (left := context.deadline - time.monotonic()) < seconds:
            seconds, late = max(left, 0.0), Outcome.DEADLINE
        headers = outgoing_headers(subgraph, context, self._rules, self._headers)
        headers[DEADLINE] = str(int(seconds * 1000))
        try:
            return await self._client.post(self._addresses[subgraph], headers, body, seconds)
        except TimeoutError:
            raise SubgraphError(subgraph, f"no answer within {seconds:.3g} seconds", late) from None
        except AnswerTooLargeError as error:
            raise SubgraphError(subgraph, str(error), Outcome.TOO_LARGE) from None
        except NoConnectionError as error:
            raise SubgraphError(subgraph, str(error), Outcome.BUSY) from None
        except UnsendableError as error:
            raise SubgraphError(subgraph, str(error), Outcome.UNSENDABLE) from None
        except HttpError as error:
            there = Outcome.UNREACHABLE if isinstance(error, UnreachableError) else Outcome.BROKEN
            raise SubgraphError(subgraph, str(error), there) from error


def accepted(codings: Sequence[str]) -> str:
    """The header `accept-encoding`; without one, a server might choose any coding."""
    return ", ".join(codings) or "identity"


def graphql_response(subgraph: str, answer: HttpAnswer) -> dict[str, Any]:
    """Reads a subgraph's answer, which is GraphQL by its form, whatever its status; only 429 is none.

    Raises:
        SubgraphError: it is not a GraphQL response.
    """
    status = answer.status
    if status == TOO_MANY_REQUESTS:
        raise _failed(subgraph, answer, "which allows no more requests for now")
    try:
        value = decode_lossy(answer.body)
    except InvalidJsonError as error:
        raise _failed(subgraph, answer, f"with a body that is not JSON: {error}") from None
    if not isinstance(value, dict) or not is_graphql(value):
        raise _failed(subgraph, answer, "with JSON that is not a GraphQL response")
    return sized(value, len(answer.body))


def _failed(subgraph: str, answer: HttpAnswer, reason: str) -> SubgraphError:
    status = answer.status
    if 300 <= status < 400 and (location := answer.headers.get(b"location")):
        target = location.partition(b"?")[0][:200].decode("latin-1")
        reason = f"which redirects to {target!r}; redirects are not followed"
    outcome = _BY_STATUS.get(status, Outcome.REJECTED if 400 <= status < 500 else Outcome.INVALID)
    retry_after = _seconds(answer.headers.get(b"retry-after", b"")) if status in _BY_STATUS else None
    return SubgraphError(subgraph, f"HTTP {status} {reason}", outcome, retry_after)


def _seconds(retry_after: bytes) -> int | None:
    """In how many seconds the header `retry-after` allows another request, which it tells so or as a date."""
    text = retry_after.strip().decode("latin-1")
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), MAX_RETRY_AFTER)
    try:
        left = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(math.ceil(left), 0), MAX_RETRY_AFTER)


def is_graphql(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the form of a GraphQL response."""
    errors = value.get("errors")
    if errors is not None:
        return isinstance(errors, list) and all(isinstance(error, dict) for error in errors)
    return isinstance(value.get("data"), dict)
