"""Who is asking: JWTs verified against the key set of the identity service."""

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
from router.policy.verified_tokens import VerifiedTokens
from router.telemetry import log

ALGORITHM = "ES256"
EXPIRED = "The token has expired."
REFETCH_COOLDOWN = 10.0
RETRY_COOLDOWN = 1.0
FETCH_TIMEOUT = 5.0
MAX_KEY_SET_BYTES = 100_000
CLOCK_LEEWAY = 5.0
MAX_HEADER_CHARACTERS = 8192
# The last second of the year 9999, the last one that most clocks can tell.
MAX_TIMESTAMP = 253_402_300_799
NO_SCOPES: frozenset[str] = frozenset()
TIMESTAMPS = ("exp", "iat", "nbf")


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller whose token was verified."""

    subject: str
    scopes: frozenset[str]
    claims: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """All that the token says, for policies to judge."""
    expires_at: float = field(default=math.inf, compare=False)
    """When the token is no longer taken, on the clock `time.time`."""


class KeySet:
    """The public keys of a JWKS address, by key id.

    Fetched when first needed, and again when a token names a key that is not known (a rotation), but
    not more often than once per cooldown, so that made-up key ids cost the identity service nothing. While
    there are no keys at all the cooldown is short, and whoever comes meanwhile is told so at once.
    """

    def __init__(
        self, url: str, session: aiohttp.ClientSession, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.url = url
        self.generation = 0
        """Rises whenever other keys are published than before."""
        self._session = session
        self._clock = clock
        self._published: Any = None
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, key_id: str) -> jwt.PyJWK | None:
        """The key with this id, or None when the identity service does not publish it.

        Raises:
            IdentityUnavailableError: the key set was never fetched and cannot be.
        """
        if key_id not in self._keys:
            await self._refetch(key_id)
        return self._keys.get(key_id)

    async def reachable(self) -> bool:
        """Whether there are keys to verify with."""
        try:
            if not self._keys:
                await self._refetch(None)
        except IdentityUnavailableError:
            return False
        return bool(self._keys)

    async def _refetch(self, key_id: str | None) -> None:
        async with self._lock:
            cooldown = REFETCH_COOLDOWN if self._keys else RETRY_COOLDOWN
            if key_id not in self._keys and self._clock() - self._asked_at >= cooldown:
                await self._fetch()
        if not self._keys:
            raise IdentityUnavailableError("The token cannot be verified now.", serviceName="jwks")

    async def _fetch(self) -> None:
        """Takes what is published now; where that cannot be had, the keys that are known stay."""
        self._asked_at = self._clock()
        try:
            async with asyncio.timeout(FETCH_TIMEOUT), self._session.get(self.url) as response:
                response.raise_for_status()
                published = orjson.loads(await _bounded(response))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            log.warning("The keys cannot be fetched", extra={"metadata": {"reason": repr(error)}})
            return
        if published != self._published:
            self._published, self._keys = published, _usable_keys(published)
            self.generation += 1


class TokenVerifier:
    """Turns an Authorization header into an identity, and remembers those that were verified."""

    def __init__(self, keys: KeySet, issuer: str, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock
        self._verified: VerifiedTokens[Identity] = VerifiedTokens()
        self._generation = keys.generation

    async def identify(self, authorization: str | None) -> Identity | None:
        """The caller behind the header; None without a header, which is an anonymous caller.

        Raises:
            UnauthenticatedError: the header is not a bearer token, or its token is not valid.
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
            raise UnauthenticatedError("The Authorization header must hold a bearer token.")
        return self._known(token) or await self._verify(token.strip())

    def _known(self, token: str) -> Identity | None:
        """Who a token was verified to name, unless it has expired or the keys have changed since."""
        identity = self._by_these_keys().get(token)
        if identity is not None and identity.expires_at <= self._clock():
            raise UnauthenticatedError(EXPIRED)
        return identity

    async def _verify(self, token: str) -> Identity:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.key(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise UnauthenticatedError("The token is signed with an unknown key.")
            identity = self._identity(_decoded(token, key, self._issuer))
        except jwt.ExpiredSignatureError:
            raise UnauthenticatedError(EXPIRED) from None
        # Its maker may write numbers and brackets without end, which the library lets through as they break.
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise UnauthenticatedError("The token is not valid.") from None
        self._by_these_keys().keep(token, identity)
        return identity

    def _by_these_keys(self) -> VerifiedTokens[Identity]:
        if self._generation != self._keys.generation:
            self._verified.clear()
            self._generation = self._keys.generation
        return self._verified

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        return Identity(
            claims["sub"], _scopes(claims.get("scope")), claims, float(claims["exp"]) + CLOCK_LEEWAY
        )


def _decoded(token: str, key: jwt.PyJWK, issuer: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        issuer=issuer,
        leeway=CLOCK_LEEWAY,
        options={"require": ["sub", "exp", "iat", "iss"], "verify_aud": False},
    )
    for name in TIMESTAMPS:
        if name in claims and not _is_timestamp(claims[name]):
            raise jwt.InvalidTokenError(f"The claim {name} is no time.")
    return claims


def _is_timestamp(value: Any) -> bool:
    return isinstance(value, int | float) and value is not True and 0 <= value <= MAX_TIMESTAMP


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_KEY_SET_BYTES:
            raise ValueError(f"The key set is larger than {MAX_KEY_SET_BYTES} bytes.")
    return bytes(body)


def _usable_keys(published: Any) -> dict[str, jwt.PyJWK]:
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


def _scopes(claim: Any) -> frozenset[str]:
    if isinstance(claim, str):
        return frozenset(claim.split())
    return (
        frozenset(scope for scope in claim if isinstance(scope, str))
        if isinstance(claim, list)
        else NO_SCOPES
    )
