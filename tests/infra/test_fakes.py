"""The base of the fake servers of providers, on a shop that sells books."""

import time
from collections.abc import AsyncIterator, Mapping

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.fakes.faults import CutBody, Delay, Fail, Fault, HangUp, Malform, answer_with
from tests.support.fakes.server import FakeServer, Scenario


class ShopScenario(Scenario):
    """What the shop charges."""

    price: int = 20


class FakeShop(FakeServer[ShopScenario]):
    """A shop that keeps what was ordered."""

    name = "shop"

    def __init__(self) -> None:
        self.orders: list[str] = []
        super().__init__(ShopScenario())

    @property
    def environ(self) -> Mapping[str, str]:
        return {"SHOP_URL": self.address}

    def build_routes(self) -> list[Route]:
        return [
            Route("/orders", self._order, methods=["POST"]),
            Route("/orders/{number}", self._show),
            Route("/news", _stream_news),
        ]

    def build_error(self, status: int, code: str | None, headers: Mapping[str, str]) -> Response:
        return JSONResponse({"error": code}, status_code=status, headers=headers)

    async def _order(self, request: Request) -> Response:
        self.orders.append((await request.json())["title"])
        return JSONResponse({"number": len(self.orders), "price": self.scenario.price})

    async def _show(self, request: Request) -> Response:
        return JSONResponse({"title": self.orders[int(request.path_params["number"]) - 1]})


async def _stream_news(_: Request) -> Response:
    async def iterate_news() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b'data: {"number": %d}\n\n' % number

    return StreamingResponse(iterate_news(), media_type="text/event-stream")


@pytest.fixture
async def shop() -> AsyncIterator[FakeShop]:
    async with FakeShop().serve() as served:
        yield served


@pytest.fixture
async def client(shop: FakeShop) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=shop.address, timeout=30) as opened:
        yield opened


async def order(client: httpx2.AsyncClient, title: str = "Mia and the Fox") -> httpx2.Response:
    return await client.post("/orders", json={"title": title})


async def test_a_fake_keeps_what_it_accepted_and_records_each_request(
    shop: FakeShop, client: httpx2.AsyncClient
) -> None:
    assert (await order(client)).json() == {"number": 1, "price": 20}
    assert (await client.get("/orders/1", headers={"x-caller": "test"})).json() == {
        "title": "Mia and the Fox"
    }
    assert [(call.number, call.method, call.path) for call in shop.calls] == [
        (1, "POST", "/orders"),
        (2, "GET", "/orders/1"),
    ]
    assert shop.list_calls("/orders")[0].read_json() == {"title": "Mia and the Fox"}
    assert shop.calls[1].headers["x-caller"] == "test"


async def test_an_error_has_the_providers_format_and_its_headers_and_nothing_is_done(
    shop: FakeShop, client: httpx2.AsyncClient
) -> None:
    shop.fail("/orders", Fail(status=429, code="too_many", headers={"retry-after": "7"}))
    failed = await order(client)
    assert (failed.status_code, failed.json()) == (429, {"error": "too_many"})
    assert failed.headers["retry-after"] == "7"
    assert (shop.orders, len(shop.calls)) == ([], 1)


async def test_a_delay_comes_before_anything_is_done(shop: FakeShop, client: httpx2.AsyncClient) -> None:
    shop.fail("/orders", Delay(seconds=0.3))
    started = time.monotonic()
    assert (await order(client)).status_code == 200
    assert time.monotonic() - started >= 0.3


async def test_a_request_may_be_accepted_without_a_response(
    shop: FakeShop, client: httpx2.AsyncClient
) -> None:
    shop.fail("/orders", HangUp())
    with pytest.raises(httpx2.RemoteProtocolError):
        await order(client)
    assert shop.orders == ["Mia and the Fox"]
    assert (await order(client, "Mia at Sea")).json()["number"] == 2


@pytest.mark.parametrize("path", ["/orders/1", "/news"], ids=["whole", "streamed"])
@pytest.mark.parametrize("after_bytes", [0, 10, 1000], ids=["nothing", "some", "all but the end"])
async def test_the_connection_may_be_cut_in_the_middle_of_a_body(
    shop: FakeShop, client: httpx2.AsyncClient, path: str, after_bytes: int
) -> None:
    await order(client)
    whole = (await client.get(path)).content
    shop.fail(path, CutBody(after_bytes=after_bytes))
    assert await read_until_cut(client, path) == whole[:after_bytes]


async def read_until_cut(client: httpx2.AsyncClient, path: str) -> bytes:
    received = b""
    async with client.stream("GET", path) as response:
        try:
            async for piece in response.aiter_bytes():
                received += piece
        except httpx2.RemoteProtocolError:
            return received
    pytest.fail("the body was not cut")


@pytest.mark.parametrize("path", ["/orders/1", "/news"], ids=["whole", "streamed"])
async def test_a_response_may_not_be_json(shop: FakeShop, client: httpx2.AsyncClient, path: str) -> None:
    await order(client)
    shop.fail(path, Malform())
    malformed = await client.get(path)
    assert malformed.status_code == 200
    assert malformed.content == (await client.get(path)).content.replace(b"}", b"")
    assert b"}" not in malformed.content


async def test_faults_happen_in_order_one_for_each_request_to_their_path(
    shop: FakeShop, client: httpx2.AsyncClient
) -> None:
    faults: list[Fault] = [Fail(status=503), answer_with(lambda: Response("own", status_code=418))]
    shop.fail("/orders", *faults)
    assert (await client.get("/news")).status_code == 200
    assert [(await order(client)).status_code for _ in range(3)] == [503, 418, 200]


async def test_a_scenario_is_put_as_json_and_replaces_the_one_before(
    shop: FakeShop, client: httpx2.AsyncClient
) -> None:
    shop.fail("/news", Fail(status=503))
    faults = [
        {"path": "/orders", "fault": {"kind": "fail", "status": 500}, "times": 2},
        {"path": "/orders/*", "fault": {"kind": "fail", "status": 404}, "times": None},
    ]
    put = await client.put("/_scenario", json={"price": 30, "faults": faults})
    assert put.status_code == 200
    assert put.json() == (await client.get("/_scenario")).json()
    assert [(await order(client)).status_code for _ in range(3)] == [500, 500, 200]
    assert [(await client.get("/orders/1")).status_code for _ in range(3)] == [404, 404, 404]
    assert (await client.get("/news")).status_code == 200
    assert (await order(client)).json()["price"] == 30

    await client.put("/_scenario", json={})
    assert (await client.get("/orders/1")).status_code == 200
    assert (await order(client)).json()["price"] == 20


async def test_an_invalid_scenario_is_refused_and_changes_nothing(
    shop: FakeShop, client: httpx2.AsyncClient
) -> None:
    shop.scenario.price = 25
    faults = [{"path": "/orders", "fault": {"kind": "fail", "status": 200}}]
    refused = await client.put("/_scenario", json={"faults": faults, "cost": 1})
    assert refused.status_code == 422
    assert refused.json()["problems"] == [
        "faults.0.fault.fail.status: Input should be greater than or equal to 400",
        "cost: Extra inputs are not permitted",
    ]
    assert (await order(client)).json()["price"] == 25


async def test_what_was_received_is_read_over_http_without_headers(
    shop: FakeShop, client: httpx2.AsyncClient
) -> None:
    await order(client)
    await client.get("/_scenario")
    received = (await client.get("/_calls")).json()
    assert received == [{"method": "POST", "path": "/orders", "body": '{"title":"Mia and the Fox"}'}]
