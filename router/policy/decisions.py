"""Which policies hold for a caller, as a policy decision point over HTTP says.

The wire form is that of the data API of Open Policy Agent (OPA), so that an OPA can be asked as it is:
`{"input": {"policies": ["own_profile"], "claims": {"sub": "user_1"}}}` is posted, where an anonymous caller's
claims are null, and `{"result": {"own_profile": true}}` comes back. A policy holds if it is `true` there. A
Rego package with one rule for each policy answers just so, at `/v1/data/memorable/policies`:

    package memorable.policies

    own_profile if input.claims.sub != ""

Nothing but the names of the policies and the claims leaves the router.
"""

from __future__ import annotations

from typing import Any

import aiohttp
import orjson

from router.policy.auth import Identity
from router.telemetry import log

Policies = frozenset[str]
NO_POLICIES: Policies = frozenset()


class InvalidDecisionError(ValueError):
    """An answer does not tell which policies hold; the message tells why."""


class PolicyDecisions:
    """Asks the decision point; where there is none, or no answer of it, no policy holds."""

    def __init__(self, url: str | None, session: aiohttp.ClientSession, timeout: float) -> None:
        self._url = url
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout)

    async def held(self, policies: Policies, identity: Identity | None, traceparent: str) -> Policies:
        """Those of the policies that hold for a caller; whatever goes wrong is logged, and none holds."""
        if self._url is None:
            _report("ROUTER_POLICY_URL is not set", policies)
            return NO_POLICIES
        try:
            return policies & await self._ask(self._url, policies, identity, traceparent)
        except TimeoutError:
            _report(f"no answer within {self._timeout.total:.3g} seconds", policies)
        except (aiohttp.ClientError, OSError, InvalidDecisionError, orjson.JSONEncodeError) as error:
            _report(str(error) or repr(error), policies)
        return NO_POLICIES

    async def _ask(
        self, url: str, policies: Policies, identity: Identity | None, traceparent: str
    ) -> Policies:
        question = {"policies": sorted(policies), "claims": identity.claims if identity else None}
        async with self._session.post(
            url,
            data=orjson.dumps({"input": question}),
            headers={"content-type": "application/json", "traceparent": traceparent},
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            return decided(response.status, await response.read())


def decided(status: int, body: bytes) -> Policies:
    """The policies that hold by an answer of the decision point.

    Raises:
        InvalidDecisionError: it is not an answer that tells.
    """
    if status != 200:
        raise InvalidDecisionError(f"HTTP {status}")
    try:
        answer: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidDecisionError("a body that is not JSON") from None
    result = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(result, dict):
        raise InvalidDecisionError("JSON without an object 'result'")
    return frozenset(name for name, holds in result.items() if holds is True)


def _report(reason: str, policies: Policies) -> None:
    metadata = {"reason": reason, "policies": sorted(policies)}
    log.error("Policies were not evaluated, so none holds", extra={"metadata": metadata})
