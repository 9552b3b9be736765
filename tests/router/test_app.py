"""The router as a process of its own: any supergraph, no database, no settings."""

import asyncio
import socket

import aiohttp
import pytest

from tests.router.library import SUPERGRAPH, serving
from tests.router.library_subgraphs import BOOKS, REVIEWS, Shelf, subgraph
from tests.support.router_process import lines, listening_at, router


async def test_it_serves_a_supergraph_with_subgraphs_named_on_the_command_line_and_in_the_environment():
    async with (
        serving(subgraph(BOOKS, Shelf())) as books,
        serving(subgraph(REVIEWS, Shelf())) as reviews,
        router(
            *("--supergraph", str(SUPERGRAPH), "--port", "0", "--subgraph", f"books={books}/graphql"),
            REVIEWS_URL=f"{reviews}/graphql",
        ) as process,
        aiohttp.ClientSession() as client,
    ):
        origin = await listening_at(process)
        question = {"query": "query Stars { books { title stars } }"}
        trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
        headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
        async with client.post(f"{origin}/graphql", json=question, headers=headers) as response:
            assert await response.json() == {
                "data": {"books": [{"title": "Moon", "stars": 4}, {"title": "Sea", "stars": 5}]}
            }
        line = await anext(lines(process))
    assert (line["service"], line["level"], line["traceId"]) == ("router", "info", trace_id)
    assert line["metadata"].items() >= {"operation": "query", "name": "Stars", "outcome": "ok"}.items()


async def test_a_port_that_is_taken_is_said_plainly():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with router("--supergraph", str(SUPERGRAPH), "--port", port) as process:
            _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert errors.decode().startswith("router: [Errno 98] Address already in use")


async def test_it_stops_when_it_is_told_to_though_a_client_still_listens():
    async with (
        serving(subgraph(BOOKS, Shelf())) as books,
        router("--supergraph", str(SUPERGRAPH), "--port", "0", BOOKS_URL=f"{books}/graphql") as process,
        aiohttp.ClientSession() as client,
    ):
        origin = await listening_at(process)
        question = {"query": "subscription { silence { title } }"}
        headers = {"accept": "text/event-stream"}
        async with client.post(f"{origin}/graphql", json=question, headers=headers) as response:
            await response.content.readany()
            process.terminate()
            await asyncio.wait_for(process.communicate(), 30)


@pytest.mark.parametrize(
    ("arguments", "environ", "complaint"),
    [
        (("--supergraph", "nowhere"), {}, "router: [Errno 2] No such file or directory: 'nowhere'"),
        (("--supergraph", "README.md"), {}, "router: The supergraph cannot be read"),
        ((), {"ROUTER_TRUSTED_DOCUMENTS": "README.md"}, "router: README.md is not a manifest of documents"),
        ((), {"API_PORT": "http"}, "router: API_PORT: Input should be a valid integer"),
        (("--subgraph", "books"), {}, "error: argument --subgraph: 'books' is not NAME=URL"),
    ],
)
async def test_it_says_why_it_cannot_start(
    arguments: tuple[str, ...], environ: dict[str, str], complaint: str
):
    async with router(*arguments, **environ) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert complaint in errors.decode()
    assert "Traceback" not in errors.decode()
