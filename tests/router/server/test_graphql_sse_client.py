"""The official client of the graphql-sse protocol, in single connection mode, before a running router."""

import asyncio
import json
from pathlib import Path

from infra.node import ensure_packages, run_node
from tests.router.library import until
from tests.router.running import Library

PROJECT = Path(__file__).parent / "graphql_sse"


async def test_the_official_client_runs_operations_side_by_side_and_ends_them(library: Library):
    await asyncio.to_thread(ensure_packages, PROJECT)
    printed = await asyncio.to_thread(run_node, ["watch.mjs", library.url], PROJECT)
    assert json.loads(printed) == [
        {"data": {"silence": {"title": "Moon"}}},
        {"data": {"published": {"title": "Moon", "stars": 4}}},
        {"data": {"published": {"title": "Sea", "stars": 5}}},
    ]
    await until(lambda: library.shelf.open_streams == 0)
