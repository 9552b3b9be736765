"""Tokens: signed access tokens, and refresh tokens, of which only hashes are stored."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm
from jwt.utils import base64url_encode

from subgraphs.auth.settings import Settings
from subgraphs.common.identity import ALGORITHM

ACCESS_LIFETIME = timedelta(minutes=10)
REFRESH_LIFETIME = timedelta(days=30)


class SigningKeyMissing(Exception):
    """AUTH_SIGNING_KEY_FILE does not name a key that can sign tokens."""


@dataclass(frozen=True, slots=True)
class Signer:
    """The private key that signs access tokens, and their issuer."""

    key: ec.EllipticCurvePrivateKey
    issuer: str

    @property
    def public_key(self) -> dict[str, Any]:
        """The public half as a JWK; its `kid` is its thumbprint (RFC 7638)."""
        numbers: dict[str, Any] = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        members = {name: numbers[name] for name in ("crv", "kty", "x", "y")}
        thumbprint = hashlib.sha256(orjson.dumps(members, option=orjson.OPT_SORT_KEYS)).digest()
        kid = base64url_encode(thumbprint).decode()
        return members | {"kid": kid, "use": "sig", "alg": ALGORITHM}

    def sign_access_token(self, user_id: str, session_id: str, scopes: Sequence[str], now: datetime) -> str:
        """Sign an access token that is valid for `ACCESS_LIFETIME`."""
        issued = int(now.timestamp())
        claims = {
            "sub": user_id,
            "scope": list(scopes),
            "sid": session_id,
            "iat": issued,
            "exp": issued + int(ACCESS_LIFETIME.total_seconds()),
            "iss": self.issuer,
        }
        return jwt.encode(claims, self.key, ALGORITHM, headers={"kid": self.public_key["kid"]})


def load_signer(settings: Settings) -> Signer:
    """Load the signing key; SigningKeyMissing when its file is missing or not valid."""
    if settings.auth_signing_key_file is None:
        raise SigningKeyMissing("AUTH_SIGNING_KEY_FILE must name a PEM file with an ES256 private key.")
    return Signer(_read_key(settings.auth_signing_key_file), settings.jwt_issuer)


@cache
def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise SigningKeyMissing(f"AUTH_SIGNING_KEY_FILE: {path} cannot be read as a PEM key.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SigningKeyMissing(f"AUTH_SIGNING_KEY_FILE: {path} is not an ES256 (P-256) private key.")
    return key


def create_refresh_token() -> str:
    """Create a refresh token of 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_refresh_token(token: str) -> str:
    """Hash a refresh token as it is stored: SHA-256, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()
