"""Who is asking: JWTs verified against the key set of the identity service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt

from router.errors import IdentityUnavailableError, UnauthenticatedError

ALGORITHM = "ES256"
REFETCH_COOLDOWN = 10.0
FETCH_TIMEOUT = 5.0
CLOCK_LEEWAY = 5.0


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller whose token was verified."""

    subject: str
    scopes: frozenset[str]
    claims: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """All that the token says, for policies to judge."""


class KeySet:
    """The public keys of a JWKS address, by key id.

    Fetched when first needed, and again when a token names a key that is not known (a rotation), but
    not more often than once per cooldown, so that made-up key ids cost the identity service nothing.
    """

    def __init__(
        self, url: str, session: aiohttp.ClientSession, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.url = url
        self._session = session
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
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
                await self._fetch()
        except IdentityUnavailableError:
            return False
        return bool(self._keys)

    async def _refetch(self, key_id: str) -> None:
        async with self._lock:
            cooling = self._clock() - self._fetched_at < REFETCH_COOLDOWN
            if key_id in self._keys or cooling:
                return
            try:
                await self._fetch()
            except IdentityUnavailableError:
                if not self._keys:
                    raise

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT), self._session.get(self.url) as response:
                response.raise_for_status()
                published = await response.json(content_type=None)
            self._keys = _usable_keys(published)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise IdentityUnavailableError("The token cannot be verified now.", serviceName="jwks") from error
        self._fetched_at = self._clock()


class TokenVerifier:
    """Turns an Authorization header into an identity."""

    def __init__(self, keys: KeySet, issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer

    async def identify(self, authorization: str | None) -> Identity | None:
        """The caller behind the header; None without a header, which is an anonymous caller.

        Raises:
            UnauthenticatedError: the header is not a bearer token, or its token is not valid.
            IdentityUnavailableError: there are no keys to verify it with.
        """
        if authorization is None:
            return None
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise UnauthenticatedError("The Authorization header must hold a bearer token.")
        return await self._verify(token.strip())

    async def _verify(self, token: str) -> Identity:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = await self._keys.key(key_id) if isinstance(key_id, str) else None
            if key is None:
                raise UnauthenticatedError("The token is signed with an unknown key.")
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                leeway=CLOCK_LEEWAY,
                options={"require": ["sub", "exp", "iat", "iss"], "verify_aud": False},
            )
        except jwt.ExpiredSignatureError:
            raise UnauthenticatedError("The token has expired.") from None
        except jwt.InvalidTokenError:
            raise UnauthenticatedError("The token is not valid.") from None
        return Identity(claims["sub"], _scopes(claims.get("scope")), claims)


def _usable_keys(published: Any) -> dict[str, jwt.PyJWK]:
    keys: dict[str, jwt.PyJWK] = {}
    for entry in published.get("keys", []) if isinstance(published, dict) else []:
        try:
            key = jwt.PyJWK(entry, algorithm=ALGORITHM)
        except jwt.PyJWTError:
            continue
        if key.key_id is not None:
            keys[key.key_id] = key
    return keys


def _scopes(claim: Any) -> frozenset[str]:
    if isinstance(claim, str):
        return frozenset(claim.split())
    return frozenset(scope for scope in claim or () if isinstance(scope, str))
