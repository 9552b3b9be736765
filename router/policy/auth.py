"""Authentication: bearer tokens (JWTs) verified against the key set of the identity service."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt
import orjson

from router.errors import IdentityUnavailableError, UnauthenticatedError
from router.policy.bounded_body import read_bounded
from router.policy.verified_tokens import VerifiedTokens
from router.telemetry import log

ALGORITHM = "ES256"
EXPIRED = "The token has expired."
REFETCH_COOLDOWN_SECONDS = 10.0
RETRY_COOLDOWN_SECONDS = 1.0
FETCH_TIMEOUT_SECONDS = 5.0
# The router may start before the identity service does: until then, failed fetches are not reported.
REPORT_AFTER_SECONDS = 20.0
MAX_KEY_SET_BYTES = 100_000
CLOCK_LEEWAY_SECONDS = 5.0
MAX_HEADER_CHARACTERS = 8192
# The last second of the year 9999, the maximum of `datetime`.
MAX_TIMESTAMP = 253_402_300_799
NO_SCOPES: frozenset[str] = frozenset()
TIMESTAMPS = ("exp", "iat", "nbf")


@dataclass(frozen=True, slots=True)
class Identity:
    """The verified identity of a caller."""

    subject: str
    scopes: frozenset[str]
    claims: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """All claims of the token, for policies."""
    expires_at: float = field(default=math.inf, compare=False)
    """When the token is no longer accepted, on the clock `time.time`."""


class KeySet:
    """The public keys of a JWKS URL, by key id (RFC 7517).

    They are fetched when first needed, and again when a token has an unknown key id (rotation), but at most
    once per cooldown, so that made-up key ids do not load the identity service. While there are no keys at
    all the cooldown is short, and requests during it fail at once.
    """

    def __init__(
        self, url: str, session: aiohttp.ClientSession, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.url = url
        self.generation = 0
        """Incremented whenever the published keys change."""
        self._session = session
        self._clock = clock
        self._published: Any = None
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._quiet_until: float | None = None
        self._lock = asyncio.Lock()

    async def get_key(self, key_id: str) -> jwt.PyJWK | None:
        """The key with this id, or None if it is not published.

        Raises:
            IdentityUnavailableError: the key set was never fetched, and cannot be now.
        """
        if key_id not in self._keys:
            await self._refetch(key_id)
        return self._keys.get(key_id)

    async def is_available(self) -> bool:
        """Whether there are keys to verify tokens with; fetches them if needed."""
        try:
            if not self._keys:
                await self._refetch(None)
        except IdentityUnavailableError:
            return False
        return bool(self._keys)

    async def _refetch(self, key_id: str | None) -> None:
        async with self._lock:
            cooldown = REFETCH_COOLDOWN_SECONDS if self._keys else RETRY_COOLDOWN_SECONDS
            if key_id not in self._keys and self._clock() - self._fetched_at >= cooldown:
                await self._fetch()
        if not self._keys:
            raise IdentityUnavailableError("Tokens cannot be verified at the moment.", serviceName="jwks")

    async def _fetch(self) -> None:
        """Replaces the keys by those published now; if that fails, the previous ones stay."""
        self._fetched_at = self._clock()
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS), self._session.get(self.url) as response:
                response.raise_for_status()
                published = orjson.loads(await read_bounded(response, MAX_KEY_SET_BYTES))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            self._report_failure(error)
            return
        self._quiet_until = None
        if published != self._published:
            self._published, self._keys = published, _parse_keys(published)
            self.generation += 1

    def _report_failure(self, error: Exception) -> None:
        """Logs why the keys could not be fetched, once they have been unavailable for a while."""
        now = self._clock()
        if self._quiet_until is None:
            self._quiet_until = now if self._keys else now + REPORT_AFTER_SECONDS
        if now >= self._quiet_until:
            self._quiet_until = now + REPORT_AFTER_SECONDS
            message = "The key set cannot be fetched; " + (
                "new keys are not known" if self._keys else "no token can be verified"
            )
            log.warning(message, extra={"metadata": {"reason": _describe_failure(error)}})


def _describe_failure(error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"no response within {FETCH_TIMEOUT_SECONDS:g} s"
        case aiohttp.ClientResponseError():
            return f"the response has the status {error.status}"
        case aiohttp.ClientConnectionError():
            return "no connection"
        case _:
            return "the response is not JSON, or too large"


class TokenVerifier:
    """Verifies Authorization headers, and caches the verified identities."""

    def __init__(self, keys: KeySet, issuer: str, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock
        self._verified: VerifiedTokens[Identity] = VerifiedTokens()
        self._generation = keys.generation

    async def identify(self, authorization: str | None) -> Identity | None:
        """The identity of a header's bearer token (RFC 6750); None without a header: an anonymous caller.

        Raises:
            UnauthenticatedError: the header has no bearer token, or an invalid one.
            IdentityUnavailableError: there are no keys to verify it with.
        """
        if authorization is None:
            return None
        if len(authorization) > MAX_HEADER_CHARACTERS:
            raise UnauthenticatedError(
                f"The Authorization header is longer than {MAX_HEADER_CHARACTERS} characters."
            )
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthenticatedError("The Authorization header must contain a bearer token.")
        return self._get_cached(token) or await self._verify(token.strip())

    def _get_cached(self, token: str) -> Identity | None:
        """The cached identity of a token.

        Raises:
            UnauthenticatedError: the token has expired since it was verified.
        """
        identity = self._get_current_cache().get(token)
        if identity is not None and identity.expires_at <= self._clock():
            raise UnauthenticatedError(EXPIRED)
        return identity

    async def _verify(self, token: str) -> Identity:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.get_key(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise UnauthenticatedError("The token is signed with an unknown key.")
            identity = self._build_identity(_decode(token, key, self._issuer))
        except jwt.ExpiredSignatureError:
            raise UnauthenticatedError(EXPIRED) from None
        # Endless digits and brackets in a forged token make the library raise the other errors.
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise UnauthenticatedError("The token is invalid.") from None
        self._get_current_cache().put(token, identity)
        return identity

    def _get_current_cache(self) -> VerifiedTokens[Identity]:
        """The cache, emptied if the keys have changed."""
        if self._generation != self._keys.generation:
            self._verified.clear()
            self._generation = self._keys.generation
        return self._verified

    def _build_identity(self, claims: Mapping[str, Any]) -> Identity:
        return Identity(
            claims["sub"],
            _parse_scopes(claims.get("scope")),
            claims,
            float(claims["exp"]) + CLOCK_LEEWAY_SECONDS,
        )


def _decode(token: str, key: jwt.PyJWK, issuer: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        issuer=issuer,
        leeway=CLOCK_LEEWAY_SECONDS,
        options={"require": ["sub", "exp", "iat", "iss"], "verify_aud": False},
    )
    for name in TIMESTAMPS:
        if name in claims and not _is_timestamp(claims[name]):
            raise jwt.InvalidTokenError(f"The claim {name} is not a timestamp.")
    return claims


def _is_timestamp(value: Any) -> bool:
    return isinstance(value, int | float) and value is not True and 0 <= value <= MAX_TIMESTAMP


def _parse_keys(published: Any) -> dict[str, jwt.PyJWK]:
    keys: dict[str, jwt.PyJWK] = {}
    entries = published.get("keys") if isinstance(published, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        try:
            key = jwt.PyJWK(entry, algorithm=ALGORITHM) if isinstance(entry, dict) else None
        except jwt.PyJWTError:
            continue
        if key is not None and isinstance(key.key_id, str):
            keys[key.key_id] = key
    return keys


def _parse_scopes(claim: Any) -> frozenset[str]:
    if isinstance(claim, str):
        return frozenset(claim.split())
    return (
        frozenset(scope for scope in claim if isinstance(scope, str))
        if isinstance(claim, list)
        else NO_SCOPES
    )
