"""A supergraph that changes under a router that serves."""

import asyncio
import gc
from pathlib import Path
from weakref import ref

import aiohttp
from graphql import GraphQLField

from router.reload import ServedSupergraph, watch_supergraph
from router.supergraph import Supergraph
from tests.router.library import SUPERGRAPH, until
from tests.router.running import opened
from tests.router.websocket_client import SILENCE, acknowledged
from tests.support.router_process import lines, listening_at, router

DESCRIPTION = '{ __type(name: "Query") { description } }'


async def description(session: aiohttp.ClientSession, url: str) -> str | None:
    async with session.post(f"{url}/graphql", json={"query": DESCRIPTION}) as response:
        found: str | None = (await response.json())["data"]["__type"]["description"]
        return found


def described(text: str) -> str:
    return SUPERGRAPH.read_text().replace("type Query", f'"""{text}"""\ntype Query', 1)


async def test_a_changed_supergraph_is_taken_up_and_a_broken_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(described("The first."))
    async with (
        router("--supergraph", str(file), "--port", "0", ROUTER_RELOAD_SECONDS="0.1") as process,
        aiohttp.ClientSession() as session,
        asyncio.timeout(60),
    ):
        url = await listening_at(process)
        assert await description(session, url) == "The first."

        file.write_text(described("The second."))
        async for line in lines(process):
            if line["message"] == "The supergraph was reloaded":
                break
        assert await description(session, url) == "The second."

        file.write_text("type Query {")
        async for line in lines(process):
            if line["level"] == "error":
                break
        assert line["message"] == "The supergraph cannot be reloaded; the previous one stays in use"
        assert line["metadata"]["reason"].startswith("The supergraph cannot be read: Syntax Error")
        assert await description(session, url) == "The second."


async def test_an_open_socket_runs_new_operations_on_the_new_supergraph_and_its_streams_go_on(
    tmp_path: Path,
) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(described("The first."))
    async with opened(supergraph=file, router_reload_seconds=0.05) as library:
        token = f"Bearer {library.identities.token()}"
        async with acknowledged(library, {"authorization": token}) as socket, asyncio.timeout(60):
            await socket.subscribe("old", SILENCE)
            assert (await socket.receive())["id"] == "old"

            file.write_text(described("The second."))
            while await description(library.client, library.origin) != "The second.":  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)

            await socket.subscribe("new", f"{{ caller {DESCRIPTION[1:]}")
            assert (await socket.receive())["payload"] == {
                "data": {"caller": token, "__type": {"description": "The second."}}
            }
            assert (await socket.receive()) == {"id": "new", "type": "complete"}
            assert library.shelf.open_streams == 1


class Pipeline:
    """What runs operations on a supergraph."""

    def __init__(self, supergraph: Supergraph) -> None:
        self.fields = len(supergraph.public_schema.type_map["Query"].fields)  # type: ignore[attr-defined]


def living_fields() -> int:
    """The fields of all schemas that are in memory, whether they can be reached or not."""
    return sum(type(each) is GraphQLField for each in gc.get_objects())


async def test_supergraphs_of_before_are_freed_without_a_search_and_those_in_use_stay(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(described("0"))
    supergraph = Supergraph.parse(file.read_text())
    pipelines = [Pipeline(supergraph)]
    taken: list[Supergraph] = []

    def apply(supergraph: Supergraph) -> ServedSupergraph:
        taken.append(supergraph)
        # The first one is still in use, as by a subscription; of the others only the last.
        del pipelines[1:]
        pipelines.append(Pipeline(supergraph))
        return ServedSupergraph(supergraph, ref(pipelines[-1]))

    gc.collect()
    before = living_fields()
    gc.disable()
    try:
        async with (
            asyncio.timeout(60),
            watch_supergraph(
                file, 0.005, apply, ServedSupergraph(supergraph, ref(pipelines[0])), described("0")
            ),
        ):
            for number in range(1, 11):
                file.write_text(described(str(number)))
                await until(lambda: len(taken) == number)  # noqa: B023 - awaited at once
            await until(lambda: not taken[8].public_schema.type_map["Query"].__dict__)
            after = living_fields()
    finally:
        gc.enable()
    assert pipelines[0].fields == len(supergraph.public_schema.type_map["Query"].fields)  # type: ignore[attr-defined]
    assert after < 2 * before


async def test_a_token_holds_over_a_change_though_its_keys_cannot_be_fetched(tmp_path: Path) -> None:
    file = tmp_path / "supergraph.graphql"
    file.write_text(described("The first."))
    async with opened(supergraph=file, router_reload_seconds=0.05) as library, asyncio.timeout(60):
        headers = {"authorization": f"Bearer {library.identities.token()}"}
        assert await library.ask("{ mine }", **headers) == {"data": {"mine": "yours"}}
        library.identities.up = False
        file.write_text(described("The second."))
        while await description(library.client, library.origin) != "The second.":  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)
        assert await library.ask("{ mine }", **headers) == {"data": {"mine": "yours"}}
