"""Fetches over HTTP: each is one POST, and any failure is a GraphQL error of that fetch."""

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
from router.transport.base import FetchFailure, FetchOutcome, RequestContext, no_response_error
from router.transport.http_client import (
    IDLE_SECONDS,
    HttpClient,
    HttpError,
    HttpResponse,
    PoolExhaustedError,
    ResponseTooLargeError,
    UnreachableError,
    UnsendableError,
)

HEADERS = {
    "accept": "application/graphql-response+json, application/json",
    "content-type": "application/json",
}
TOO_MANY_REQUESTS = 429
# The outcomes of responses that are not GraphQL. A 500 may be caused by the request, so it says nothing about
# the subgraph's health.
_OUTCOME_BY_STATUS = {
    408: FetchOutcome.TOO_EARLY,
    425: FetchOutcome.TOO_EARLY,
    TOO_MANY_REQUESTS: FetchOutcome.THROTTLED,
    502: FetchOutcome.UNAVAILABLE,
    503: FetchOutcome.UNAVAILABLE,
    504: FetchOutcome.UNAVAILABLE,
}
MAX_RETRY_AFTER_SECONDS = 300
DEADLINE_HEADER = "x-deadline-ms"
NO_RULES = HeaderRules()


class SubgraphError(Exception):
    """A subgraph did not respond with GraphQL."""

    def __init__(
        self,
        subgraph: str,
        reason: str,
        outcome: FetchOutcome = FetchOutcome.INVALID,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{subgraph}: {reason}")
        self.subgraph = subgraph
        self.reason = reason
        self.outcome = outcome
        self.retry_after = retry_after

    @property
    def code(self) -> str:
        """The outcome, as an error code."""
        return self.outcome.value

    def to_error(self) -> dict[str, Any]:
        """The GraphQL error of this failure; the reason is only logged."""
        return no_response_error(self.subgraph)


class StreamBrokenError(SubgraphError):
    """The connection of a stream failed, rather than the subscription: reopening it may help."""


def open_session() -> aiohttp.ClientSession:
    """Opens the aiohttp session that a router shares; must be called in the event loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    )


def request_headers(
    subgraph: str, context: RequestContext, rules: HeaderRules, base: Mapping[str, str]
) -> dict[str, HeaderValue]:
    """The headers of a request to a subgraph: `base`, the trace, the token, and those of the header rules."""
    headers: dict[str, HeaderValue] = {**base, "traceparent": context.traceparent}
    if context.tracestate:
        headers["tracestate"] = context.tracestate
    if context.authorization is not None:
        headers["authorization"] = context.authorization
    rules.apply(subgraph, headers, context.headers)
    return headers


class HttpTransport:
    """Sends fetches to the subgraphs."""

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
        self._headers = {**HEADERS, "accept-encoding": accept_encoding(codings)}

    async def fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        """The subgraph's GraphQL response, or a `FetchFailure`. Never raises."""
        with self._tracer.trace_fetch(subgraph, "POST", self._addresses[subgraph].url) as trace:
            return await self._fetch(subgraph, body, context.with_trace(trace))

    async def _fetch(self, subgraph: str, body: bytes, context: RequestContext) -> dict[str, Any]:
        started = time.perf_counter()
        outcome = FetchOutcome.OK
        try:
            response = await self._post(subgraph, body, context)
            self._tracer.record_status(response.status)
            return parse_response(subgraph, response)
        except SubgraphError as error:
            outcome = error.outcome
            self._tracer.record_error(error)
            log.warning("A fetch failed", extra={"metadata": {"subgraph": subgraph, "reason": error.reason}})
            return FetchFailure(subgraph, outcome, error.retry_after)
        finally:
            seconds = time.perf_counter() - started
            self._metrics.child(self._metrics.fetch_seconds, subgraph, outcome).observe(seconds)

    async def _post(self, subgraph: str, body: bytes, context: RequestContext) -> HttpResponse:
        seconds, timeout_outcome = self._timeouts[subgraph], FetchOutcome.TIMEOUT
        if context.deadline is not None and (remaining := context.deadline - time.monotonic()) < seconds:
            seconds, timeout_outcome = max(remaining, 0.0), FetchOutcome.DEADLINE
        headers = request_headers(subgraph, context, self._rules, self._headers)
        headers[DEADLINE_HEADER] = str(int(seconds * 1000))
        try:
            return await self._client.post(self._addresses[subgraph], headers, body, seconds)
        except TimeoutError:
            reason = f"no response within {seconds:.3g} seconds"
            raise SubgraphError(subgraph, reason, timeout_outcome) from None
        except ResponseTooLargeError as error:
            raise SubgraphError(subgraph, str(error), FetchOutcome.TOO_LARGE) from None
        except PoolExhaustedError as error:
            raise SubgraphError(subgraph, str(error), FetchOutcome.BUSY) from None
        except UnsendableError as error:
            raise SubgraphError(subgraph, str(error), FetchOutcome.UNSENDABLE) from None
        except HttpError as error:
            outcome = FetchOutcome.UNREACHABLE if isinstance(error, UnreachableError) else FetchOutcome.BROKEN
            raise SubgraphError(subgraph, str(error), outcome) from error


def accept_encoding(codings: Sequence[str]) -> str:
    """The `accept-encoding` header; without it a server may choose any coding (RFC 9110 section 12.5.3)."""
    return ", ".join(codings) or "identity"


def parse_response(subgraph: str, response: HttpResponse) -> dict[str, Any]:
    """Parses a GraphQL response, whatever its status, except for 429.

    Raises:
        SubgraphError: it is not a GraphQL response.
    """
    if response.status == TOO_MANY_REQUESTS:
        raise _failure(subgraph, response, "too many requests")
    try:
        value = decode_lossy(response.body)
    except InvalidJsonError as error:
        raise _failure(subgraph, response, f"with a body that is not JSON: {error}") from None
    if not isinstance(value, dict) or not is_graphql(value):
        raise _failure(subgraph, response, "with JSON that is not a GraphQL response")
    return value


def _failure(subgraph: str, response: HttpResponse, reason: str) -> SubgraphError:
    status, headers = response.status, response.headers
    if 300 <= status < 400 and (location := headers.get(b"location")):
        target = location.partition(b"?")[0][:200].decode("latin-1")
        reason = f"redirects to {target!r}; redirects are not followed"
    outcome = _OUTCOME_BY_STATUS.get(
        status, FetchOutcome.REJECTED if 400 <= status < 500 else FetchOutcome.INVALID
    )
    retry_after = (
        _parse_retry_after(headers.get(b"retry-after", b"")) if status in _OUTCOME_BY_STATUS else None
    )
    return SubgraphError(subgraph, f"HTTP {status} {reason}", outcome, retry_after)


def _parse_retry_after(header: bytes) -> int | None:
    """The seconds of a `retry-after` header, which has them or a date (RFC 9110 section 10.2.3)."""
    text = header.strip().decode("latin-1")
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), MAX_RETRY_AFTER_SECONDS)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(math.ceil(seconds), 0), MAX_RETRY_AFTER_SECONDS)


def is_graphql(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the format of a GraphQL response."""
    errors = value.get("errors")
    if errors is not None:
        return isinstance(errors, list) and all(isinstance(error, dict) for error in errors)
    return isinstance(value.get("data"), dict)
