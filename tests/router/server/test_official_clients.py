"""Official clients and audits of the protocols, against a running router."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

from infra.node import ensure_packages, run_node
from tests.router.running_library import Library
from tests.support.waiting import wait_until

PROJECT = Path(__file__).parent / "npm"


async def run_script(script: str, library: Library) -> Any:
    """Runs a script of the npm project against the library; returns the JSON that it prints."""
    await asyncio.to_thread(ensure_packages, PROJECT)
    return json.loads(await asyncio.to_thread(run_node, [script, library.url], PROJECT))


async def test_the_audit_of_graphql_over_http_finds_no_violation(library: Library):
    results = await run_script("audit.mjs", library)

    assert [each for each in results if each["status"] != "ok"] == []
    assert Counter(each["name"].split()[0] for each in results).keys() == {"MUST", "SHOULD", "MAY"}


async def test_the_client_of_graphql_sse_runs_operations_side_by_side_and_ends_them(library: Library):
    assert await run_script("single_connection.mjs", library) == [
        {"data": {"silence": {"title": "Moon"}}},
        {"data": {"published": {"title": "Moon", "stars": 4}}},
        {"data": {"published": {"title": "Sea", "stars": 5}}},
    ]
    await wait_until(lambda: library.books.open_streams == 0)


async def test_apollo_client_receives_deferred_fields(library: Library):
    first, *_, last = await run_script("defer.mjs", library)

    moon, sea = (
        {"__typename": "Book", "id": "1", "title": "Moon"},
        {"__typename": "Book", "id": "2", "title": "Sea"},
    )
    assert first == {"dataState": "streaming", "books": [moon, sea]}
    assert last == {"dataState": "complete", "books": [{**moon, "stars": 4}, {**sea, "stars": 5}]}
