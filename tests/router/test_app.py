"""The router process: its command line, its environment and its exit."""

import asyncio
import socket

import aiohttp
import pytest

from tests.router.library import SUPERGRAPH
from tests.router.library_subgraphs import BOOKS, REVIEWS, SubgraphState, build_subgraph
from tests.support.router_process import read_log, start_router, wait_for_origin
from tests.support.serving import serve_app


async def test_it_serves_a_supergraph_with_subgraphs_named_on_the_command_line_and_in_the_environment():
    async with (
        serve_app(build_subgraph(BOOKS, SubgraphState())) as books,
        serve_app(build_subgraph(REVIEWS, SubgraphState())) as reviews,
        start_router(
            *("--supergraph", str(SUPERGRAPH), "--port", "0", "--subgraph", f"books={books}/graphql"),
            REVIEWS_URL=f"{reviews}/graphql",
        ) as process,
        aiohttp.ClientSession() as client,
    ):
        origin = await wait_for_origin(process)
        body = {"query": "query Stars { books { title stars } }"}
        trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
        headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
        async with client.post(f"{origin}/graphql", json=body, headers=headers) as response:
            assert await response.json() == {
                "data": {"books": [{"title": "Moon", "stars": 4}, {"title": "Sea", "stars": 5}]}
            }
        line = await anext(read_log(process))
    assert (line["service"], line["level"], line["traceId"]) == ("router", "info", trace_id)
    assert line["metadata"].items() >= {"operation": "query", "name": "Stars", "outcome": "ok"}.items()


async def test_a_port_in_use_is_reported_without_a_traceback():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        async with start_router("--supergraph", str(SUPERGRAPH), "--port", port) as process:
            _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert errors.decode().startswith("router: [Errno 98] Address already in use")


async def test_sigterm_stops_the_router_while_a_client_is_subscribed():
    async with (
        serve_app(build_subgraph(BOOKS, SubgraphState())) as books,
        start_router("--supergraph", str(SUPERGRAPH), "--port", "0", BOOKS_URL=f"{books}/graphql") as process,
        aiohttp.ClientSession() as client,
    ):
        origin = await wait_for_origin(process)
        body = {"query": "subscription { silence { title } }"}
        headers = {"accept": "text/event-stream"}
        async with client.post(f"{origin}/graphql", json=body, headers=headers) as response:
            await response.content.readany()
            process.terminate()
            await asyncio.wait_for(process.communicate(), 30)


@pytest.mark.parametrize(
    ("arguments", "environ", "message"),
    [
        (("--supergraph", "nowhere"), {}, "router: [Errno 2] No such file or directory: 'nowhere'"),
        (("--supergraph", "README.md"), {}, "router: The supergraph cannot be read"),
        ((), {"ROUTER_TRUSTED_DOCUMENTS": "README.md"}, "router: README.md is not a manifest of documents"),
        ((), {"API_PORT": "http"}, "router: API_PORT: Input should be a valid integer"),
        (("--subgraph", "books"), {}, "error: argument --subgraph: 'books' is not NAME=URL"),
    ],
)
async def test_the_reason_for_not_starting_is_reported(
    arguments: tuple[str, ...], environ: dict[str, str], message: str
):
    async with start_router(*arguments, **environ) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert message in errors.decode()
    assert "Traceback" not in errors.decode()
