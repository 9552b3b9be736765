"""The identity of a caller, from a verified JWT."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2
import jwt
from jwt import PyJWK, PyJWKSet

from subgraphs.common.clock import Clock
from subgraphs.common.errors import DependencyFailed, Forbidden, Unauthenticated
from subgraphs.common.http import create_tls_context

ALGORITHM = "ES256"
MAX_TOKEN_LENGTH = 8192
TOLERATED_SKEW = timedelta(seconds=5)
"""How far the clock of the signer may differ from ours, as in the router."""
_REFETCH_COOLDOWN_SECONDS = 10
_MAX_EXPIRY = 2**53


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller: the ids of the user and of the session, and the scopes of the token."""

    user_id: str
    session_id: str
    scopes: frozenset[str]
    token: str

    def require(self, scope: str) -> None:
        """Raise Forbidden for a caller without this scope."""
        if scope not in self.scopes:
            raise Forbidden(f"This needs the scope {scope!r}.")


class TokenVerifier:
    """Verifies access tokens against the published signing keys.

    Keys are cached until a token names an unknown one. Then they are fetched again, but not more often than
    every ten seconds, so that made-up key ids cannot cause a flood of fetches.
    """

    def __init__(self, jwks_address: str, issuer: str, clock: Clock, ca_file: Path | None = None) -> None:
        self._address = jwks_address
        self._issuer = issuer
        self._clock = clock
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at = 0.0
        self._lock = asyncio.Lock()
        self._tls = create_tls_context(ca_file)

    async def verify(self, token: str) -> Identity:
        """Return the identity of a token; Unauthenticated when it is malformed, forged or expired."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise Unauthenticated("The access token is not valid.")
        try:
            key = await self._find_key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                leeway=TOLERATED_SKEW,
                options={"require": ["sub", "scope", "iat", "exp", "iss"]},
            )
            if not isinstance(claims["exp"], int) or claims["exp"] > _MAX_EXPIRY:
                raise jwt.InvalidTokenError("exp is not a time")
            scopes = frozenset(map(str, claims["scope"]))
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The access token has expired.") from error
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            # The library parses a token before it verifies the signature, and fails on some forged ones.
            raise Unauthenticated("The access token is not valid.") from error
        return Identity(claims["sub"], str(claims.get("sid", "")), scopes, token)

    async def _find_key(self, kid: str) -> PyJWK:
        if kid not in self._keys:
            async with self._lock:
                if kid not in self._keys and self._can_fetch():
                    await self._fetch()
        if kid not in self._keys:
            raise jwt.InvalidKeyError("unknown signing key")
        return self._keys[kid]

    def _can_fetch(self) -> bool:
        return self._clock().timestamp() - self._fetched_at >= _REFETCH_COOLDOWN_SECONDS or not self._keys

    async def _fetch(self) -> None:
        try:
            async with httpx2.AsyncClient(timeout=5, verify=self._tls) as client:
                response = (await client.get(self._address)).raise_for_status()
            keys = PyJWKSet.from_dict(response.json()).keys
        except (httpx2.HTTPError, ValueError, jwt.PyJWTError) as error:
            raise DependencyFailed("Tokens cannot be verified now; try again.") from error
        self._keys = {key.key_id: key for key in keys if key.key_id}
        self._fetched_at = self._clock().timestamp()
