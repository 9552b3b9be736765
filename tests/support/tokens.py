"""Access tokens signed by a test key, and the address where that key is published."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support.serving import serve_app

ISSUER = "memorable"
SIGNING_KEY = ec.generate_private_key(ec.SECP256R1())


def compute_thumbprint(key: ec.EllipticCurvePrivateKey) -> str:
    """Computes the RFC 7638 thumbprint of a key."""
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    members = {"crv": "P-256", "kty": "EC", "x": jwk["x"], "y": jwk["y"]}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


KEY_ID = compute_thumbprint(SIGNING_KEY)


def sign_token(
    user_id: str,
    scopes: Sequence[str] = ("parent",),
    *,
    session_id: str = "ses_test",
    lifetime: int = 600,
    key: ec.EllipticCurvePrivateKey = SIGNING_KEY,
    **claims: Any,
) -> str:
    """Sign an access token; a negative lifetime gives an expired one, `claims` overrides any claim."""
    now = int(time.time())
    content = {
        "sub": user_id,
        "scope": list(scopes),
        "sid": session_id,
        "iat": now + min(lifetime, 0) - 1,
        "exp": now + lifetime,
        "iss": ISSUER,
    }
    return jwt.encode(content | claims, key, "ES256", headers={"kid": compute_thumbprint(key)})


def build_jwks(*keys: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """Builds the key set of these keys; of the test key when none is given."""
    return {
        "keys": [
            {
                **ECAlgorithm.to_jwk(key.public_key(), as_dict=True),
                "kid": compute_thumbprint(key),
                "use": "sig",
                "alg": "ES256",
            }
            for key in keys or (SIGNING_KEY,)
        ]
    }


def write_signing_key(folder: Path) -> Path:
    """Write the test key as the PEM file that the auth domain signs with."""
    path = folder / "signing-key.pem"
    path.write_bytes(
        SIGNING_KEY.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@asynccontextmanager
async def serve_keys() -> AsyncIterator[str]:
    """Serve the test key; yields the address of the JWKS."""

    async def answer(_: Request) -> JSONResponse:
        return JSONResponse(build_jwks())

    async with serve_app(Starlette(routes=[Route("/.well-known/jwks.json", answer)])) as address:
        yield f"{address}/.well-known/jwks.json"
