"""Attacks on batching and persisted operations."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from tests.fuzz.attacks import ROUTER
from tests.fuzz.context import AttackContext
from tests.fuzz.raw_client import CLOSE_CONNECTION, JSON, build_request
from tests.fuzz.registry import attack


async def send_value(context: AttackContext, value: Any, method: str = "POST") -> None:
    await context.send(
        build_request(method, headers=[JSON, CLOSE_CONNECTION, context.token], body=orjson.dumps(value))
    )


def build_persisted_query(text: str | None, checksum: Any, version: Any = 1) -> dict[str, Any]:
    body = {"extensions": {"persistedQuery": {"version": version, "sha256Hash": checksum}}}
    return body if text is None else {"query": text, **body}


@attack("batches.sizes")
async def sizes(context: AttackContext) -> None:
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
        await send_value(context, batch)


@attack("batches.expensive")
async def expensive(context: AttackContext) -> None:
    books = " ".join(f"a{n}: books {{ nodes {{ pages {{ text }} orders {{ id }} }} }}" for n in range(9))
    await send_value(
        context, [{"query": f"{{ me {{ {books} }} }} # {context.generate_name()}"} for _ in range(10)]
    )


@attack("batches.persisted-operations")
async def persisted_operations(context: AttackContext) -> None:
    text = f"{{ __typename }} # {context.generate_name()}"
    right = hashlib.sha256(text.encode()).hexdigest()
    body: Any
    for body in (
        build_persisted_query(None, right),
        build_persisted_query(text, "0" * 64),
        build_persisted_query(text, right.upper()),
        build_persisted_query(text, right[:-1]),
        build_persisted_query(text, right, 2),
        build_persisted_query(text, right, "1"),
        build_persisted_query(text, None),
        build_persisted_query(text, ["a"]),
        build_persisted_query(text, "x" * 500_000),
        build_persisted_query(text, "\x00\x1b[31m"),
        build_persisted_query(text, "é" * 64),
        build_persisted_query("", hashlib.sha256(b"").hexdigest()),
        build_persisted_query("{", hashlib.sha256(b"{").hexdigest()),
        {"extensions": {"persistedQuery": {}}},
        {"extensions": {"persistedQuery": []}},
        {"extensions": {"persistedQuery": None}},
        {"id": right},
        {"id": "x" * 500_000},
        {"id": 7},
        {"documentId": "\x00"},
    ):
        await send_value(context, body)


@attack("batches.persisted-flood", ROUTER, burst=True)
async def persisted_flood(context: AttackContext) -> None:
    """Register documents near the size limit; the store must be bounded in bytes."""

    async def register() -> None:
        text = f"{{ __typename }} # {context.generate_name()} " + "x" * 90_000
        await send_value(context, build_persisted_query(text, hashlib.sha256(text.encode()).hexdigest()))

    await context.run_concurrently(register() for _ in range(150))
