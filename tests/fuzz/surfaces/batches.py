"""Batches and persisted operations: many in one, and texts that are kept."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from tests.fuzz.arena import Arena
from tests.fuzz.attacks import ROUTER, attack
from tests.fuzz.wire import request

HEAD = [("content-type", "application/json"), ("connection", "close")]


async def send_value(arena: Arena, value: Any, method: str = "POST") -> None:
    await arena.send(request(method, headers=[*HEAD, arena.token], body=orjson.dumps(value)))


def persisted(text: str | None, checksum: Any, version: Any = 1) -> dict[str, Any]:
    body = {"extensions": {"persistedQuery": {"version": version, "sha256Hash": checksum}}}
    return body if text is None else {"query": text, **body}


@attack("batches.sizes")
async def sizes(arena: Arena) -> None:
    one = {"query": "{ __typename }"}
    batch: Any
    for batch in (
        [],
        [one] * 10,
        [one] * 11,
        [one] * 20_000,
        [[one]],
        [None],
        [7],
        [{}],
        [one, {"query": "{"}, {"query": "{ nothing }"}, {"id": "x"}],
        [{"query": "subscription { order(id: 1) { sequence } }"}] * 10,
        [{"query": 'mutation { revokeSession(id: "x") { id } }', "variables": {"a": None}}] * 3,
    ):
        await send_value(arena, batch)


@attack("batches.expensive")
async def expensive(arena: Arena) -> None:
    books = " ".join(f"a{n}: books {{ nodes {{ pages {{ text }} orders {{ id }} }} }}" for n in range(9))
    await send_value(arena, [{"query": f"{{ me {{ {books} }} }} # {arena.salt()}"} for _ in range(10)])


@attack("batches.persisted-operations")
async def persisted_operations(arena: Arena) -> None:
    text = f"{{ __typename }} # {arena.salt()}"
    right = hashlib.sha256(text.encode()).hexdigest()
    body: Any
    for body in (
        persisted(None, right),
        persisted(text, "0" * 64),
        persisted(text, right.upper()),
        persisted(text, right[:-1]),
        persisted(text, right, 2),
        persisted(text, right, "1"),
        persisted(text, None),
        persisted(text, ["a"]),
        persisted(text, "x" * 500_000),
        persisted(text, "\x00\x1b[31m"),
        persisted(text, "é" * 64),
        persisted("", hashlib.sha256(b"").hexdigest()),
        persisted("{", hashlib.sha256(b"{").hexdigest()),
        {"extensions": {"persistedQuery": {}}},
        {"extensions": {"persistedQuery": []}},
        {"extensions": {"persistedQuery": None}},
        {"id": right},
        {"id": "x" * 500_000},
        {"id": 7},
        {"documentId": "\x00"},
    ):
        await send_value(arena, body)


@attack("batches.persisted-flood", ROUTER, burst=True)
async def persisted_flood(arena: Arena) -> None:
    """Texts near the limit, each to be kept under its sum: what is kept is bounded in bytes."""

    async def once() -> None:
        text = f"{{ __typename }} # {arena.salt()} " + "x" * 90_000
        await send_value(arena, persisted(text, hashlib.sha256(text.encode()).hexdigest()))

    await arena.together(once() for _ in range(150))
