"""Requests that are not GraphQL, passed on to a subgraph: as they came, bounded, and streamed."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from yarl import URL

from router.app import create_app
from router.config.settings import InvalidSettingError, load
from router.errors import OverloadedError
from router.server.pass_through import Slots
from tests.router.library import SUPERGRAPH
from tests.support.serving import refuse_connections, serve_app

MEBIBYTE = 1024 * 1024
PATHS = {"/files": "books", "/webhooks/shop": "reviews"}


@dataclass
class Shop:
    """The subgraph behind the router: what it was asked, and how much of a file it has sent."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    sent_mebibytes: int = 0

    def build_app(self) -> Starlette:
        methods = ["GET", "HEAD", "POST"]
        return Starlette(
            routes=[
                Route("/webhooks/shop", self.receive, methods=methods),
                Route("/files/endless", self.send_endless),
                Route("/files/broken", self.send_broken),
                Route("/files/packed", self.send_packed),
                Route("/{path:path}", self.receive, methods=methods),
            ]
        )

    async def receive(self, request: Request) -> Response:
        self.requests.append(
            {
                "method": request.method,
                "target": f"{request.scope['raw_path'].decode()}?{request.scope['query_string'].decode()}",
                "headers": dict(request.headers),
                "body": await request.body(),
            }
        )
        return JSONResponse({"received": True}, 202, {"x-shop": "open", "cache-control": "private"})

    async def send_endless(self, _: Request) -> Response:
        async def produce() -> AsyncIterator[bytes]:
            for _ in range(400):
                yield bytes(MEBIBYTE)
                self.sent_mebibytes += 1

        return StreamingResponse(produce(), headers={"content-length": str(400 * MEBIBYTE)})

    async def send_broken(self, _: Request) -> Response:
        async def produce() -> AsyncIterator[bytes]:
            yield b"half of "
            raise ConnectionResetError

        return StreamingResponse(produce(), headers={"content-length": "20"})

    async def send_packed(self, _: Request) -> Response:
        return Response(
            gzip.compress(b"a page"), headers={"content-encoding": "gzip", "vary": "accept-encoding"}
        )


@dataclass
class PassingRouter:
    """A running router in front of the shop, and a client that decodes nothing."""

    origin: str
    client: aiohttp.ClientSession
    shop: Shop
    app: Any

    def request(self, method: str, target: str, **options: Any) -> Any:
        return self.client.request(method, URL(f"{self.origin}{target}", encoded=True), **options)

    def count(self, outcome: str, subgraph: str = "books") -> float:
        labels = {"subgraph": subgraph, "outcome": outcome}
        return self.app.metrics.registry.get_sample_value("router_passed_requests_total", labels) or 0


@asynccontextmanager
async def run_router(shop_url: str, shop: Shop, **settings: Any) -> AsyncIterator[PassingRouter]:
    urls = {"books": f"{shop_url}/graphql", "reviews": f"{shop_url}/graphql"}
    app = create_app(load(supergraph=SUPERGRAPH, subgraph_urls=urls, **settings))
    async with serve_app(app) as origin, aiohttp.ClientSession(auto_decompress=False) as client:
        yield PassingRouter(origin, client, shop, app)


@pytest.fixture
def _paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUTER_PASS_THROUGH", ", ".join(f"{path}={name}" for path, name in PATHS.items()))


@pytest.fixture
async def router(_paths: None) -> AsyncIterator[PassingRouter]:
    shop = Shop()
    async with serve_app(shop.build_app()) as url, run_router(url, shop) as running:
        yield running


async def test_a_request_is_passed_on_as_it_came(router: PassingRouter):
    body = b'{"id": "evt_1"}\r\n\xff\x00'
    headers = {"lulu-hmac-sha256": "5f0c", "content-type": "application/json", "user-agent": "Lulu/1"}
    async with router.request("POST", "/webhooks/shop?a=%2F&b=1", data=body, headers=headers) as response:
        assert (response.status, await response.json()) == (202, {"received": True})
        assert (response.headers["x-shop"], response.headers["cache-control"]) == ("open", "private")
    [passed] = router.shop.requests
    assert (passed["method"], passed["target"]) == ("POST", "/webhooks/shop?a=%2F&b=1")
    assert passed["body"] == body
    assert {name: passed["headers"][name] for name in headers} == headers


async def test_headers_of_the_connection_and_forged_ones_are_not_passed_on(router: PassingRouter):
    forged = {
        "connection": "keep-alive, x-own",
        "x-own": "1",
        "te": "trailers",
        "x-memorable-service-token": "guess",
        "forwarded": "for=10.0.0.1",
        "x-forwarded-host": "evil.example",
    }
    async with router.request("GET", "/files/a.png", headers=forged) as response:
        assert response.status == 202
    headers = router.shop.requests[0]["headers"]
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert {"x-own", "te", "forwarded", "x-memorable-service-token", "x-forwarded-host"}.isdisjoint(headers)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/files/books/b%C3%A4r%20.png?signature=1", 202),
        ("HEAD", "/files/a.png", 202),
        ("POST", "/webhooks/shop", 202),
        ("GET", "/filesystem/a.png", 404),
        ("GET", "/webhooks/other", 404),
        ("DELETE", "/files/a.png", 405),
    ],
)
async def test_only_the_paths_and_methods_that_are_configured_are_passed_on(
    router: PassingRouter, method: str, target: str, status: int
):
    async with router.request(method, target) as response:
        assert response.status == status
    targets = [passed["target"].rstrip("?") for passed in router.shop.requests]
    assert targets == ([target] if status == 202 else [])


@pytest.mark.parametrize(
    "target", ["/files/../graphql", "/files/%2e%2e/graphql", "/files/a/%2E/b", "/files/..%5cb"]
)
async def test_a_path_with_dot_segments_is_refused(router: PassingRouter, target: str):
    async with router.request("GET", target) as response:
        assert response.status == 404
    assert router.shop.requests == []


async def test_a_body_above_the_limit_is_refused_and_not_passed_on(router: PassingRouter):
    async with router.request("POST", "/webhooks/shop", data=BytesIO(bytes(MEBIBYTE + 1))) as response:
        body = await response.json()
    assert (response.status, body["errors"][0]["extensions"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert router.shop.requests == []


async def test_a_compressed_response_stays_compressed(router: PassingRouter):
    async with router.request("GET", "/files/packed") as response:
        assert response.headers["content-encoding"] == "gzip"
        assert gzip.decompress(await response.read()) == b"a page"


async def test_a_response_is_read_no_faster_than_the_client_reads_it(router: PassingRouter):
    async with router.request("GET", "/files/endless") as response:
        assert response.headers["content-length"] == str(400 * MEBIBYTE)
        sent = -1
        while sent != router.shop.sent_mebibytes:
            sent = router.shop.sent_mebibytes
            await asyncio.sleep(0.5)
    assert 0 < sent < 100
    assert router.count("2xx") == 1


async def test_a_client_that_disconnects_frees_its_slot(router: PassingRouter):
    """More downloads than a client may have at a time, one after the other, each left early."""
    for _ in range(20):
        async with router.request("GET", "/files/endless") as response:
            await response.content.readexactly(10)
            response.close()
    async with router.request("GET", "/files/packed") as response:
        assert response.status == 200


async def test_a_response_that_is_cut_off_is_not_taken_as_complete(router: PassingRouter):
    async with router.request("GET", "/files/broken") as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert (router.count("2xx"), router.count("failed")) == (1, 1)


@pytest.mark.usefixtures("_paths")
async def test_an_unreachable_subgraph_is_a_bad_gateway():
    async with (
        refuse_connections() as url,
        run_router(url, Shop()) as router,
        router.request("GET", "/files/a.png") as response,
    ):
        body = await response.json()
    assert (response.status, body["errors"][0]["extensions"]["code"]) == (502, "DOWNSTREAM_SERVICE_ERROR")
    assert "127.0.0.1" not in body["errors"][0]["message"]
    assert router.count("failed") == 1


async def test_a_client_at_its_limit_waits_and_others_do_not():
    slots, order = Slots(total=3, per_client=2), []
    release = asyncio.Event()

    async def use(client: str) -> None:
        async with slots.hold(client):
            order.append(client)
            await release.wait()

    async with asyncio.TaskGroup() as tasks:
        for client in ("ada", "ada", "ada", "ben", "ben"):
            tasks.create_task(use(client))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert order == ["ada", "ada", "ben"]
        release.set()
    assert sorted(order) == ["ada", "ada", "ada", "ben", "ben"]


async def test_a_waiting_request_that_is_cancelled_leaves_its_turn_to_the_next():
    slots = Slots(total=1, per_client=1)
    async with slots.hold("ada"):
        waiting = asyncio.create_task(hold_once(slots, "ben"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(5), slots.hold("cleo"):
        pass


async def test_whoever_waits_too_long_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("router.server.pass_through.MAX_WAIT_SECONDS", 0.05)
    slots = Slots(total=1, per_client=1)
    async with slots.hold("ada"):
        with pytest.raises(OverloadedError) as refusal:
            async with slots.hold("ben"):
                pass
    assert refusal.value.headers == {"retry-after": "1"}
    async with slots.hold("ben"):
        pass


async def hold_once(slots: Slots, client: str) -> None:
    async with slots.hold(client):
        pass


def test_paths_are_read_from_the_configuration_file_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    config = tmp_path / "router.yaml"
    config.write_text("router_pass_through: {/files: books, /webhooks/stripe: orders}\n")
    monkeypatch.setenv("ROUTER_CONFIG", str(config))
    assert load().traffic.pass_through == {"/files": "books", "/webhooks/stripe": "orders"}


@pytest.mark.parametrize(
    "paths", ["/graphql=books", "/health/live=books", "files=books", "/a b=books", "/=books"]
)
def test_a_path_of_the_routers_own_or_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, paths: str):
    monkeypatch.setenv("ROUTER_PASS_THROUGH", paths)
    with pytest.raises(InvalidSettingError, match="ROUTER_PASS_THROUGH"):
        load()


def test_a_path_for_an_unknown_subgraph_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROUTER_PASS_THROUGH", "/files=bookz")
    with pytest.raises(ValueError, match="ROUTER_PASS_THROUGH: /files names 'bookz'"):
        create_app(load(supergraph=SUPERGRAPH))
