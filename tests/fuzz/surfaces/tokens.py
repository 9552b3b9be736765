"""Tokens: forged, unsigned, enormous, out of their time, and signed with what is public."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from tests.fuzz.arena import Arena
from tests.fuzz.attacks import SERVERS, attack

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


def encoded(value: Any) -> str:
    data = value if isinstance(value, bytes) else orjson.dumps(value)
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(arena: Arena, **changed: Any) -> dict[str, Any]:
    """What is in the token of the parent, changed."""
    found: dict[str, Any] = jwt.decode(arena.parent.token, options={"verify_signature": False})
    return found | changed


async def send_as(arena: Arena, token: str, scheme: str = "Bearer") -> None:
    """Nothing may be told to somebody who shows this."""
    head = [("authorization", f"{scheme} {token}".encode("utf-8", "surrogatepass"))]
    document = "{ me { id } }" if arena.is_router else "{ __typename }"
    answer = await arena.ask(document, headers=head, signed_in=False)
    if b"usr_" in answer.body:
        arena.complain(f"the token {token[:60]!r} of the scheme {scheme!r} was taken")


@attack("tokens.unsigned", SERVERS, may_hang_up=True)
async def unsigned(arena: Arena) -> None:
    body = encoded(claims(arena))
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
        for signature in ("", "AA", arena.parent.token.rpartition(".")[2]):
            await send_as(arena, f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{body}.{signature}")


@attack("tokens.signed-by-others", SERVERS)
async def signed_by_others(arena: Arena) -> None:
    known = jwt.get_unverified_header(arena.parent.token)
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
        await send_as(arena, jwt.encode(claims(arena), key, "ES256", headers=extra))
    for secret in ("secret-of-at-least-32-characters-xx", str(known.get("kid")) * 2):
        await send_as(arena, jwt.encode(claims(arena), secret, "HS256", headers=keys[0]))
    curve = ec.generate_private_key(ec.SECP384R1())
    await send_as(arena, jwt.encode(claims(arena), curve, "ES384", headers=keys[0]))


@attack("tokens.claims", SERVERS)
async def other_claims(arena: Arena) -> None:
    """Signed by a stranger, so that whatever is read before the signature is read."""
    key = ec.generate_private_key(ec.SECP256R1())
    head = {"alg": "ES256", "kid": jwt.get_unverified_header(arena.parent.token).get("kid")}
    now = int(time.time())
    for changed in (*CLAIMS, {"exp": now - 1}, {"nbf": now + 10**9}, {"iat": now + 10**9}):
        text = json.dumps(claims(arena, **changed)).encode()
        signed = f"{encoded(head)}.{encoded(text)}"
        signature = jwt.get_algorithm_by_name("ES256").sign(signed.encode(), key)
        await send_as(arena, f"{signed}.{encoded(signature)}")


@attack("tokens.malformed", SERVERS, may_hang_up=True)
async def malformed(arena: Arena) -> None:
    token = arena.parent.token
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
        f"{encoded(b'not json')}.{body}.{signature}",
        f"{encoded([])}.{body}.{signature}",
        f"{encoded(deep)}.{body}.{signature}",
        f"{head}.{encoded(deep)}.{signature}",
        f"{encoded(b'[' * 5_000)}.{body}.{signature}",
        f"{head}.{body}.{'A' * 7_000}",
        "é" * 100,
        "\U0001f98a",
        "9" * 5_000,
        "x" * MEGABYTE,
        f"{encoded({'alg': 'ES256', 'zip': 'DEF'})}.{body}.{signature}",
    ):
        # What is only written differently may be the same token.
        if each.strip() != token:
            await send_as(arena, each)
    for scheme in ("bearer bearer", "Basic", "Negotiate", "", "Bearer\t", "Bearer:" * 500, "\x00"):
        await send_as(arena, body, scheme)


@attack("tokens.all-different", SERVERS, burst=True)
async def all_different(arena: Arena) -> None:
    """Each has to be looked at, and none may be kept."""
    head, body, _ = arena.parent.token.split(".")

    async def once() -> None:
        other = encoded(arena.chance.randbytes(64))
        unknown = encoded({"alg": "ES256", "kid": arena.salt()})
        await send_as(arena, f"{arena.chance.choice([head, unknown])}.{body}.{other}")

    await arena.together(once() for _ in range(300))
