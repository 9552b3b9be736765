"""A supergraph that changes under a router that serves."""

import asyncio
from pathlib import Path

import aiohttp

from tests.router.library import SUPERGRAPH
from tests.router.process import lines, listening_at, router
from tests.router.running import opened
from tests.router.server.test_websocket import SILENCE, acknowledged

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
            if line["message"] == "The supergraph was taken up":
                break
        assert await description(session, url) == "The second."

        file.write_text("type Query {")
        async for line in lines(process):
            if line["level"] == "error":
                break
        assert line["message"] == "The supergraph cannot be taken up; the one before goes on"
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
