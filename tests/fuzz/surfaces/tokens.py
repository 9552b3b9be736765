"""Attacks by tokens: forged, unsigned, malformed, oversized and expired ones."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fuzz.attacks import SERVERS
from tests.fuzz.context import AttackContext
from tests.fuzz.registry import attack

MEGABYTE = 1 << 20
CLAIMS: tuple[dict[str, Any], ...] = (
    {"exp": 10**300},
    {"exp": -1},
    {"exp": 1e308},
    {"exp": "soon"},
    {"exp": None},
    {"exp": [1]},
    {"sub": None},
    {"sub": "x" * 5_000},
    {"sub": {"a": 1}},
    {"iss": ["memorable"]},
    {"aud": {}},
    {"scope": 7},
    {"scope": "staff " * 900},
)


def encode(value: Any) -> str:
    data = value if isinstance(value, bytes) else orjson.dumps(value)
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read_claims(context: AttackContext, **changed: Any) -> dict[str, Any]:
    """Read the claims of the parent's token, and change some."""
    found: dict[str, Any] = jwt.decode(context.parent.token, options={"verify_signature": False})
    return found | changed


async def send_as(context: AttackContext, token: str, scheme: str = "Bearer") -> None:
    """Send a token that must not be accepted."""
    head = [("authorization", f"{scheme} {token}".encode("utf-8", "surrogatepass"))]
    document = "{ me { id } }" if context.is_router else "{ __typename }"
    answer = await context.execute(document, headers=head, signed_in=False)
    if b"usr_" in answer.body:
        context.report(f"the token {token[:60]!r} with the scheme {scheme!r} was accepted")


@attack("tokens.unsigned", SERVERS, may_close=True)
async def unsigned(context: AttackContext) -> None:
    body = encode(read_claims(context))
    for algorithm in (
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        None,
        7,
        ["none"],
        "HS256",
        "ES256",
        "RS256",
        "x" * 5_000,
    ):
        for signature in ("", "AA", context.parent.token.rpartition(".")[2]):
            await send_as(context, f"{encode({'alg': algorithm, 'typ': 'JWT'})}.{body}.{signature}")


@attack("tokens.foreign-signatures", SERVERS)
async def foreign_signatures(context: AttackContext) -> None:
    known = jwt.get_unverified_header(context.parent.token)
    key = ec.generate_private_key(ec.SECP256R1())
    keys: tuple[dict[str, Any], ...] = (
        {"kid": known.get("kid")},
        {},
        {"kid": "../../dev/null"},
        {"kid": "\x00"},
        {"kid": "x" * 5_000},
    )
    for extra in (
        *keys,
        {"jku": "http://127.0.0.1:1/keys"},
        {"x5u": "http://127.0.0.1:1/"},
        {"crit": ["exp"]},
    ):
        await send_as(context, jwt.encode(read_claims(context), key, "ES256", headers=extra))
    for secret in ("secret-of-at-least-32-characters-xx", str(known.get("kid")) * 2):
        await send_as(context, jwt.encode(read_claims(context), secret, "HS256", headers=keys[0]))
    curve = ec.generate_private_key(ec.SECP384R1())
    await send_as(context, jwt.encode(read_claims(context), curve, "ES384", headers=keys[0]))


@attack("tokens.claims", SERVERS)
async def other_claims(context: AttackContext) -> None:
    """Hostile claims under a foreign signature, for code that reads claims before it verifies."""
    key = ec.generate_private_key(ec.SECP256R1())
    head = {"alg": "ES256", "kid": jwt.get_unverified_header(context.parent.token).get("kid")}
    now = int(time.time())
    for changed in (*CLAIMS, {"exp": now - 1}, {"nbf": now + 10**9}, {"iat": now + 10**9}):
        text = json.dumps(read_claims(context, **changed)).encode()
        signed = f"{encode(head)}.{encode(text)}"
        signature = jwt.get_algorithm_by_name("ES256").sign(signed.encode(), key)
        await send_as(context, f"{signed}.{encode(signature)}")


@attack("tokens.malformed", SERVERS, may_close=True)
async def malformed(context: AttackContext) -> None:
    token = context.parent.token
    head, body, signature = token.split(".")
    deep = b'{"a":' * 3_000 + b"1" + b"}" * 3_000
    for each in (
        "",
        ".",
        "..",
        "..." * 1_000,
        "a.b.c",
        f"{head}.{body}",
        f"{head}..{signature}",
        f"{head}.{body}.{signature[:-4]}",
        f"{head}.{body}.{signature}=",
        f"{head}.{body}.{signature} ",
        f" {token}",
        f"{token},{token}",
        f"{encode(b'not json')}.{body}.{signature}",
        f"{encode([])}.{body}.{signature}",
        f"{encode(deep)}.{body}.{signature}",
        f"{head}.{encode(deep)}.{signature}",
        f"{encode(b'[' * 5_000)}.{body}.{signature}",
        f"{head}.{body}.{'A' * 7_000}",
        "é" * 100,
        "\U0001f98a",
        "9" * 5_000,
        "x" * MEGABYTE,
        f"{encode({'alg': 'ES256', 'zip': 'DEF'})}.{body}.{signature}",
    ):
        # Surrounding whitespace does not change the token.
        if each.strip() != token:
            await send_as(context, each)
    for scheme in ("bearer bearer", "Basic", "Negotiate", "", "Bearer\t", "Bearer:" * 500, "\x00"):
        await send_as(context, body, scheme)


@attack("tokens.unique", SERVERS, burst=True)
async def unique(context: AttackContext) -> None:
    """Every token is different; each must be verified, and none may be cached."""
    head, body, _ = context.parent.token.split(".")

    async def send_once() -> None:
        other = encode(context.random.randbytes(64))
        unknown = encode({"alg": "ES256", "kid": context.generate_name()})
        await send_as(context, f"{context.random.choice([head, unknown])}.{body}.{other}")

    await context.run_concurrently(send_once() for _ in range(300))
