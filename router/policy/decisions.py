"""Policy decisions: which policies a decision point grants to a caller, over HTTP.

The protocol is the data API of Open Policy Agent (OPA). The request is
`{"input": {"policies": ["own_profile"], "claims": {"sub": "user_1"}}}`, where an anonymous caller's claims
are null, and the response `{"result": {"own_profile": true}}`; only `true` grants a policy. A Rego package
with one rule per policy responds in this form, at `/v1/data/memorable/policies`:

    package memorable.policies

    own_profile if input.claims.sub != ""

The router sends nothing but the names of the policies and the claims.
"""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson

from router.policy.auth import Identity
from router.policy.bounded_body import read_bounded
from router.telemetry import log

Policies = frozenset[str]
NO_POLICIES: Policies = frozenset()
MAX_DECISION_BYTES = 100_000


class InvalidDecisionError(ValueError):
    """The decision point's response is invalid; the message says why."""


class PolicyDecisions:
    """Asks the decision point; without one, or without a valid response, no policy is granted."""

    def __init__(self, url: str | None, session: aiohttp.ClientSession, timeout: float) -> None:
        self._url = url
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def evaluate(self, policies: Policies, identity: Identity | None, traceparent: str) -> Policies:
        """The policies that are granted to a caller; none if anything fails, which is logged."""
        if self._url is None:
            _log_failure("ROUTER_POLICY_URL is not set", policies)
            return NO_POLICIES
        try:
            return policies & await self._request_decision(self._url, policies, identity, traceparent)
        except TimeoutError:
            _log_failure(f"no response within {self._timeout.total:.3g} seconds", policies)
        except (aiohttp.ClientError, OSError, InvalidDecisionError, orjson.JSONEncodeError) as error:
            _log_failure(str(error) or repr(error), policies)
        return NO_POLICIES

    async def _request_decision(
        self, url: str, policies: Policies, identity: Identity | None, traceparent: str
    ) -> Policies:
        query = {"policies": sorted(policies), "claims": identity.claims if identity else None}
        async with self._session.post(
            url,
            data=orjson.dumps({"input": query}),
            headers={"content-type": "application/json", "traceparent": traceparent},
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            return parse_decision(response.status, await _read_body(response))


async def _read_body(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await read_bounded(response, MAX_DECISION_BYTES)
    except ValueError as error:
        raise InvalidDecisionError(str(error)) from None


def parse_decision(status: int, body: bytes) -> Policies:
    """The policies that a response of the decision point grants.

    Raises:
        InvalidDecisionError: the response is invalid.
    """
    if status != 200:
        raise InvalidDecisionError(f"HTTP {status}")
    try:
        response: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidDecisionError("the body is not JSON") from None
    result = response.get("result") if isinstance(response, dict) else None
    if not isinstance(result, dict):
        raise InvalidDecisionError("the body has no object 'result'")
    return frozenset(name for name, granted in result.items() if granted is True)


def _log_failure(reason: str, policies: Policies) -> None:
    metadata = {"reason": reason, "policies": sorted(policies)}
    log.error("Policies cannot be evaluated; none is granted", extra={"metadata": metadata})
