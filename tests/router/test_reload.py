"""Reloading a changed supergraph while the router serves."""

import asyncio
import gc
from pathlib import Path
from weakref import ref

import aiohttp
from graphql import GraphQLField

from router.reload import ServedSupergraph, watch_supergraph
from router.supergraph import Supergraph
from tests.router.library import SUPERGRAPH
from tests.router.running_library import run_library
from tests.router.websocket_client import SILENCE, open_acknowledged_socket
from tests.support.router_process import read_log, start_router, wait_for_origin
from tests.support.waiting import wait_until

DESCRIPTION = '{ __type(name: "Query") { description } }'


async def fetch_description(session: aiohttp.ClientSession, url: str) -> str | None:
    async with session.post(f"{url}/graphql", json={"query": DESCRIPTION}) as response:
        found: str | None = (await response.json())["data"]["__type"]["description"]
        return found


def build_supergraph(text: str) -> str:
    return SUPERGRAPH.read_text().replace("type Query", f'"""{text}"""\ntype Query', 1)


async def test_a_changed_supergraph_is_loaded_and_a_broken_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(build_supergraph("The first."))
    async with (
        start_router("--supergraph", str(file), "--port", "0", ROUTER_RELOAD_SECONDS="0.1") as process,
        aiohttp.ClientSession() as session,
        asyncio.timeout(60),
    ):
        url = await wait_for_origin(process)
        assert await fetch_description(session, url) == "The first."

        file.write_text(build_supergraph("The second."))
        async for line in read_log(process):
            if line["message"] == "The supergraph was reloaded":
                break
        assert await fetch_description(session, url) == "The second."

        file.write_text("type Query {")
        async for line in read_log(process):
            if line["level"] == "error":
                break
        assert line["message"] == "The supergraph cannot be reloaded; the previous one stays in use"
        assert line["metadata"]["reason"].startswith("The supergraph cannot be read: Syntax Error")
        assert await fetch_description(session, url) == "The second."


async def test_an_open_socket_runs_new_operations_on_the_new_supergraph_and_its_streams_go_on(
    tmp_path: Path,
) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(build_supergraph("The first."))
    async with run_library(supergraph=file, router_reload_seconds=0.05) as library:
        token = f"Bearer {library.identities.issue_token()}"
        async with open_acknowledged_socket(library, {"authorization": token}) as socket, asyncio.timeout(60):
            await socket.subscribe("old", SILENCE)
            assert (await socket.receive())["id"] == "old"

            file.write_text(build_supergraph("The second."))
            while await fetch_description(library.client, library.origin) != "The second.":  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)

            await socket.subscribe("new", f"{{ caller {DESCRIPTION[1:]}")
            assert (await socket.receive())["payload"] == {
                "data": {"caller": token, "__type": {"description": "The second."}}
            }
            assert (await socket.receive()) == {"id": "new", "type": "complete"}
            assert library.books.open_streams == 1


class Pipeline:
    """What runs operations on a supergraph."""

    def __init__(self, supergraph: Supergraph) -> None:
        self.fields = len(supergraph.public_schema.type_map["Query"].fields)  # type: ignore[attr-defined]


def count_live_fields() -> int:
    """Counts the fields of all schemas in memory, reachable or not."""
    return sum(type(each) is GraphQLField for each in gc.get_objects())


async def test_replaced_supergraphs_are_freed_without_the_garbage_collector_unless_they_are_in_use(
    tmp_path: Path,
) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(build_supergraph("0"))
    supergraph = Supergraph.parse(file.read_text())
    pipelines = [Pipeline(supergraph)]
    applied: list[Supergraph] = []

    def apply(supergraph: Supergraph) -> ServedSupergraph:
        applied.append(supergraph)
        # The first stays in use, as by a subscription, and of the others only the last.
        del pipelines[1:]
        pipelines.append(Pipeline(supergraph))
        return ServedSupergraph(supergraph, ref(pipelines[-1]))

    gc.collect()
    before = count_live_fields()
    gc.disable()
    try:
        async with (
            asyncio.timeout(60),
            watch_supergraph(
                file, 0.005, apply, ServedSupergraph(supergraph, ref(pipelines[0])), build_supergraph("0")
            ),
        ):
            for number in range(1, 11):
                file.write_text(build_supergraph(str(number)))
                await wait_until(lambda: len(applied) == number)  # noqa: B023 - awaited at once
            await wait_until(lambda: not applied[8].public_schema.type_map["Query"].__dict__)
            after = count_live_fields()
    finally:
        gc.enable()
    assert pipelines[0].fields == len(supergraph.public_schema.type_map["Query"].fields)  # type: ignore[attr-defined]
    assert after < 2 * before


async def test_a_verified_token_survives_a_reload_while_its_keys_cannot_be_fetched(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(build_supergraph("The first."))
    async with run_library(supergraph=file, router_reload_seconds=0.05) as library, asyncio.timeout(60):
        headers = {"authorization": f"Bearer {library.identities.issue_token()}"}
        assert await library.execute("{ mine }", **headers) == {"data": {"mine": "yours"}}
        library.identities.is_up = False
        file.write_text(build_supergraph("The second."))
        while await fetch_description(library.client, library.origin) != "The second.":  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
        assert await library.execute("{ mine }", **headers) == {"data": {"mine": "yours"}}
