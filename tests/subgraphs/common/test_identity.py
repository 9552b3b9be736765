"""Verification of access tokens."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.utils import base64url_encode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from subgraphs.common.clock import utc_now
from subgraphs.common.errors import DependencyFailed, Forbidden, Unauthenticated
from subgraphs.common.identity import Identity, TokenVerifier
from tests.support.serving import serve_app
from tests.support.tls import create_certificate, serve_tls
from tests.support.tokens import ISSUER, KEY_ID, SIGNING_KEY, build_jwks, sign_token


class KeyServer:
    """Serves a key set that the test changes; `fetches` counts how often it was fetched."""

    def __init__(self) -> None:
        self.body = json.dumps(build_jwks())
        self.fetches = 0
        self.address = ""

    async def answer(self, _: Request) -> Response:
        self.fetches += 1
        return PlainTextResponse(self.body)


@pytest.fixture
async def keys() -> AsyncIterator[KeyServer]:
    server = KeyServer()
    async with serve_app(Starlette(routes=[Route("/jwks.json", server.answer)])) as address:
        server.address = f"{address}/jwks.json"
        yield server


@pytest.fixture
def verifier(keys: KeyServer) -> TokenVerifier:
    return TokenVerifier(keys.address, ISSUER, utc_now)


async def test_a_token_gives_the_identity_of_its_claims(verifier: TokenVerifier) -> None:
    token = sign_token("usr_1", ["parent", "staff"], session_id="ses_1")
    assert await verifier.verify(token) == Identity("usr_1", "ses_1", frozenset({"parent", "staff"}), token)


async def test_clocks_may_differ_by_five_seconds(verifier: TokenVerifier) -> None:
    now = int(time.time())
    young = sign_token("usr_young", iat=now + 4, nbf=now + 4)
    old = sign_token("usr_old", lifetime=-2)
    assert [(await verifier.verify(token)).user_id for token in (young, old)] == ["usr_young", "usr_old"]


@pytest.mark.parametrize(
    "claims",
    [{"exp": 10**4000}, {"exp": float("inf")}, {"exp": "9" * 5000}, {"iat": float("inf")}, {"scope": 5}],
)
async def test_a_signed_token_with_absurd_claims_is_unauthenticated(
    verifier: TokenVerifier, claims: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(sign_token("usr_1", **claims))


def build_unsigned_token(header: bytes, payload: bytes) -> str:
    return b".".join(base64url_encode(part) for part in (header, payload, b"signature")).decode()


@pytest.mark.parametrize(
    "token",
    [
        build_unsigned_token(b"[" * 2000, b"{}"),
        build_unsigned_token(b'{"alg":"ES256","kid":' + b"[" * 2000, b"{}"),
        build_unsigned_token(b'{"alg":"ES256","kid":' + b"9" * 5000 + b"}", b"{}"),
        build_unsigned_token(b'{"alg":"ES256","kid":"\\ud800"}', b"{}"),
        build_unsigned_token(b"\xff", b"\xff"),
        "a." * 4000,
        "x" * 1_000_000,
        "\0",
    ],
)
async def test_an_arbitrary_token_is_unauthenticated(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


async def test_keys_are_fetched_once_for_many_tokens(verifier: TokenVerifier, keys: KeyServer) -> None:
    await asyncio.gather(*(verifier.verify(sign_token(f"usr_{number}")) for number in range(10)))
    assert keys.fetches == 1


def forge_token(algorithm: str, secret: bytes | None) -> str:
    """Builds a token with valid claims under the header of another algorithm."""
    claims = jwt.decode(sign_token("usr_1"), options={"verify_signature": False})
    header = {"alg": algorithm, "typ": "JWT", "kid": KEY_ID}
    content = b".".join(base64url_encode(json.dumps(part).encode()) for part in (header, claims))
    signature = hmac.digest(secret, content, "sha256") if secret else b""
    return b".".join([content, base64url_encode(signature)]).decode()


PUBLIC_PEM = SIGNING_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "😀"])
async def test_a_header_without_a_token_is_unauthenticated(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


@pytest.mark.parametrize(
    "token",
    [
        lambda: sign_token("usr_1", lifetime=-6),
        lambda: sign_token("usr_1", iss="someone"),
        lambda: sign_token("usr_1", key=ec.generate_private_key(ec.SECP256R1())),
        lambda: sign_token("usr_1", iat=None),
        lambda: sign_token("usr_1", exp=None),
        lambda: sign_token("usr_1", scope=None),
        lambda: sign_token("usr_1")[:-6] + "AAAAAA",
        lambda: forge_token("none", None),
        lambda: forge_token("HS256", PUBLIC_PEM),
    ],
    ids=[
        "expired",
        "another issuer",
        "another key",
        "no iat",
        "no exp",
        "no scope",
        "another signature",
        "unsigned",
        "public key as secret",
    ],
)
async def test_any_other_token_is_unauthenticated(verifier: TokenVerifier, token: Callable[[], str]) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(token())


async def test_a_new_key_is_found_when_a_token_names_it(keys: KeyServer) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    verifier = TokenVerifier(keys.address, ISSUER, lambda: now)
    await verifier.verify(sign_token("usr_1"))
    new_key = ec.generate_private_key(ec.SECP256R1())
    keys.body = json.dumps(build_jwks(new_key))
    now += timedelta(seconds=11)
    assert (await verifier.verify(sign_token("usr_2", key=new_key))).user_id == "usr_2"
    with pytest.raises(Unauthenticated):
        await verifier.verify(sign_token("usr_1"))


async def test_unknown_key_ids_do_not_flood_the_key_server(verifier: TokenVerifier, keys: KeyServer) -> None:
    await verifier.verify(sign_token("usr_1"))
    forged = [sign_token("usr_1", key=ec.generate_private_key(ec.SECP256R1())) for _ in range(5)]
    for token in forged:
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)
    assert keys.fetches == 1


async def test_without_keys_verification_is_a_failed_dependency() -> None:
    verifier = TokenVerifier("http://127.0.0.1:9/jwks.json", ISSUER, utc_now)
    with pytest.raises(DependencyFailed):
        await verifier.verify(sign_token("usr_1"))


async def test_an_invalid_key_set_is_a_failed_dependency(verifier: TokenVerifier, keys: KeyServer) -> None:
    keys.body = "<html>not keys</html>"
    with pytest.raises(DependencyFailed):
        await verifier.verify(sign_token("usr_1"))


async def test_keys_come_over_tls_from_a_server_that_the_ca_file_certifies(tmp_path: Path) -> None:
    certificate = create_certificate(tmp_path)
    token = sign_token("usr_1")
    async with serve_tls(certificate, 200, json.dumps(build_jwks()).encode()) as address:
        trusting = TokenVerifier(address, ISSUER, utc_now, certificate)
        assert (await trusting.verify(token)).user_id == "usr_1"
        with pytest.raises(DependencyFailed):
            await TokenVerifier(address, ISSUER, utc_now).verify(token)


def test_a_missing_scope_is_forbidden() -> None:
    identity = Identity("usr_1", "ses_1", frozenset({"parent"}), "token")
    identity.require("parent")
    with pytest.raises(Forbidden, match="'staff'"):
        identity.require("staff")
