"""Clients and audits from those who write the protocols or their first clients, before a running router."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

from infra.node import ensure_packages, run_node
from tests.router.library import until
from tests.router.running import Library

PROJECT = Path(__file__).parent / "npm"


async def told_by(script: str, library: Library) -> Any:
    """What a script of the project prints about the library."""
    await asyncio.to_thread(ensure_packages, PROJECT)
    return json.loads(await asyncio.to_thread(run_node, [script, library.url], PROJECT))


async def test_the_audit_of_graphql_over_http_finds_nothing_amiss(library: Library):
    demands = await told_by("audit.mjs", library)

    assert [each for each in demands if each["status"] != "ok"] == []
    assert Counter(each["name"].split()[0] for each in demands).keys() == {"MUST", "SHOULD", "MAY"}


async def test_the_client_of_graphql_sse_runs_operations_side_by_side_and_ends_them(library: Library):
    assert await told_by("single_connection.mjs", library) == [
        {"data": {"silence": {"title": "Moon"}}},
        {"data": {"published": {"title": "Moon", "stars": 4}}},
        {"data": {"published": {"title": "Sea", "stars": 5}}},
    ]
    await until(lambda: library.shelf.open_streams == 0)


async def test_apollo_client_sees_what_is_deferred_arrive(library: Library):
    first, *_, last = await told_by("defer.mjs", library)

    moon, sea = (
        {"__typename": "Book", "id": "1", "title": "Moon"},
        {"__typename": "Book", "id": "2", "title": "Sea"},
    )
    assert first == {"dataState": "streaming", "books": [moon, sea]}
    assert last == {"dataState": "complete", "books": [{**moon, "stars": 4}, {**sea, "stars": 5}]}
