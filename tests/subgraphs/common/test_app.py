"""The application of every subgraph: health, metrics, tracing, streams and masked errors."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

import aiohttp
import pytest
import strawberry
from prometheus_client import REGISTRY
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy import delete, update

from subgraphs.common import deliveries
from subgraphs.common.app import create_subgraph
from subgraphs.common.app_state import get_state
from subgraphs.common.errors import BadUserInput, DependencyFailed
from subgraphs.common.schema import create_schema
from subgraphs.domains import DOMAINS
from tests.support.deliveries import build_delivery_row
from tests.support.serving import serve_app
from tests.support.subgraph import SubgraphClient, build_settings
from tests.support.tokens import serve_keys, sign_token

TRACE = "0af7651916cd43dd8448eb211c80319c"


@strawberry.type
class Query:
    @strawberry.field
    def hello(self) -> str:
        return "hello"

    @strawberry.field
    def unexpected(self) -> str | None:
        raise ValueError("the password is swordfish")

    @strawberry.field
    def refused(self) -> str | None:
        raise BadUserInput("child.name", "child.name must have at least 1 character.")

    @strawberry.field
    def failed(self) -> str | None:
        raise DependencyFailed("The print shop does not answer.")


@strawberry.type
class Fragile:
    number: int

    @strawberry.field
    def detail(self) -> str | None:
        if self.number == 2:
            raise RedisConnectionError
        return "present"


sent: list[str] = []


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def endless(self) -> AsyncGenerator[str, None]:
        """Yields a long text endlessly."""
        try:
            while True:
                sent.append("a" * 10_000)
                yield sent[-1]
        finally:
            sent.clear()

    @strawberry.subscription
    async def numbers(self) -> AsyncGenerator[int, None]:
        yield 1

    @strawberry.subscription
    async def interrupted(self) -> AsyncGenerator[int | None, None]:
        yield 1
        raise ValueError("the password is swordfish")

    @strawberry.subscription
    async def cut_off(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RedisConnectionError

    @strawberry.subscription
    async def fragile(self) -> AsyncGenerator[Fragile, None]:
        yield Fragile(number=1)
        yield Fragile(number=2)


@pytest.fixture
async def subgraph(servers: Mapping[str, str]) -> AsyncIterator[SubgraphClient]:
    async with serve_keys() as jwks_url:
        app = create_subgraph(
            DOMAINS["auth"],
            build_settings("auth", {**servers, "JWKS_URL": jwks_url}),
            schema=create_schema(Query, subscription=Subscription),
            loaders=lambda *_: None,
        )
        async with serve_app(app) as address:
            client = SubgraphClient("auth", address, get_state(app))
            yield client
            await client.http.aclose()


async def test_an_unexpected_error_is_masked_and_carries_its_trace_id(subgraph: SubgraphClient) -> None:
    response = await subgraph.http.post(
        "/graphql",
        json={"query": "{ hello unexpected }"},
        headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"},
    )
    body = response.json()
    assert body["data"] == {"hello": "hello", "unexpected": None}
    [error] = body["errors"]
    assert error["message"] == "Something went wrong on our side."
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "traceId": TRACE}
    assert error["path"] == ["unexpected"]
    assert "swordfish" not in response.text


async def test_an_unexpected_error_is_masked_in_an_event_stream_too(subgraph: SubgraphClient) -> None:
    first, second = [answer async for answer in subgraph.subscribe("subscription { interrupted }")]

    assert first.ok == {"interrupted": 1}
    [error] = second.errors
    assert error["message"] == "Something went wrong on our side."
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


@pytest.mark.parametrize("query", ["{ cutOff }", "{ fragile { number detail } }"])
async def test_a_stream_ends_at_the_last_good_event_without_completing_when_a_server_is_unavailable(
    subgraph: SubgraphClient, query: str
) -> None:
    response = await subgraph.http.post(
        "/graphql", json={"query": f"subscription {query}"}, headers={"accept": "text/event-stream"}
    )
    [event] = response.text.strip().split("\n\n")
    assert event.startswith('event: next\ndata: {"data":')
    assert "errors" not in event


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"query": ""}', "The query is empty."),
        (
            b'{"query": "{ hello }", "operationName": %s%s}' % (b"[" * 300, b"]" * 300),
            "The operationName must",
        ),
    ],
)
async def test_an_invalid_request_is_refused_with_its_reason(
    subgraph: SubgraphClient, accept: str, body: bytes, message: str
) -> None:
    headers = {"content-type": "application/json", "accept": accept}
    response = await subgraph.http.post("/graphql", content=body, headers=headers)

    assert response.status_code == 400
    assert response.json()["errors"][0]["message"].startswith(message)


async def test_a_subgraph_does_not_accept_websockets(subgraph: SubgraphClient) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{subgraph.address}/graphql", protocols=["graphql-transport-ws"])


async def test_an_expected_error_has_its_message_code_and_field(subgraph: SubgraphClient) -> None:
    answer = await subgraph.execute("{ refused failed }")
    assert {error["path"][0]: (error["message"], error["extensions"]) for error in answer.errors} == {
        "refused": (
            "child.name must have at least 1 character.",
            {"code": "BAD_USER_INPUT", "field": "child.name"},
        ),
        "failed": ("The print shop does not answer.", {"code": "DEPENDENCY_FAILED"}),
    }


@pytest.mark.parametrize(
    "query", ["{ nothing }", "{ hello { deeper } }", "query ($a: Nothing) { hello }", "{ hello(a: 1) }"]
)
async def test_an_invalid_document_is_a_validation_error(subgraph: SubgraphClient, query: str) -> None:
    answer = await subgraph.execute(query)
    assert answer.data is None
    assert {error["extensions"]["code"] for error in answer.errors} == {"GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"nonsense", b'"text"', b"{}", b'{"query": 3}'])
async def test_a_malformed_request_is_a_client_error(subgraph: SubgraphClient, body: bytes) -> None:
    response = await subgraph.http.post(
        "/graphql", content=body, headers={"content-type": "application/json"}
    )
    assert 400 <= response.status_code < 500


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic YTpi", "Bearer", "Bearer 😀"])
async def test_an_invalid_token_fails_the_whole_request(subgraph: SubgraphClient, header: str) -> None:
    response = await subgraph.http.post(
        "/graphql", json={"query": "{ hello }"}, headers=[(b"authorization", header.encode())]
    )
    body = response.json()
    assert body["data"] is None
    assert [error["extensions"] for error in body["errors"]] == [{"code": "UNAUTHENTICATED"}]


async def test_a_valid_token_or_none_is_accepted(subgraph: SubgraphClient) -> None:
    assert (await subgraph.execute("{ hello }", token=sign_token("usr_1"))).ok == {"hello": "hello"}
    assert (await subgraph.execute("{ hello }")).ok == {"hello": "hello"}


async def test_a_running_subgraph_is_alive_and_ready(subgraph: SubgraphClient) -> None:
    live = await subgraph.http.get("/health/live")
    ready = await subgraph.http.get("/health/ready")
    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ok", "checks": {"database": "ok", "redis": "ok"}},
    )


async def test_a_subgraph_with_parked_jobs_is_ready_with_a_warning(subgraph: SubgraphClient) -> None:
    table = subgraph.runtime.domain.get_table("deliveries")
    async with subgraph.runtime.unit_of_work() as uow:
        await deliveries.add(uow.session, table, [build_delivery_row("auth.Greet")])
        await uow.session.execute(update(table).values(state="PARKED"))
    try:
        ready = await subgraph.http.get("/health/ready")
    finally:
        async with subgraph.runtime.unit_of_work() as uow:
            await uow.session.execute(delete(table))
    assert ready.status_code == 200
    assert ready.json()["warnings"] == ["parked jobs: 1 (memorable jobs list)"]


async def test_a_subgraph_without_its_servers_is_alive_but_not_ready(servers: Mapping[str, str]) -> None:
    app = create_subgraph(
        DOMAINS["auth"],
        build_settings("auth", {**servers, "POSTGRES_PORT": "9", "REDIS_PORT": "9"}),
        schema=create_schema(Query, subscription=Subscription),
        loaders=lambda *_: None,
    )
    async with serve_app(app) as address:
        client = SubgraphClient("auth", address, get_state(app))
        live = await client.http.get("/health/live")
        ready = await client.http.get("/health/ready")
        await client.http.aclose()
    assert live.status_code == 200
    assert ready.status_code == 503
    assert ready.json()["status"] == "unavailable"
    assert set(ready.json()["checks"]) == {"database", "redis"}
    assert "ok" not in ready.json()["checks"].values()


async def test_a_subgraph_whose_redis_does_not_answer_says_so_soon(servers: Mapping[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        app = create_subgraph(
            DOMAINS["auth"],
            build_settings("auth", {**servers, "REDIS_PORT": str(silent.getsockname()[1])}),
            schema=create_schema(Query, subscription=Subscription),
            loaders=lambda *_: None,
        )
        async with serve_app(app) as address, asyncio.timeout(30):
            client = SubgraphClient("auth", address, get_state(app))
            ready = await client.http.get("/health/ready", timeout=30)
            await client.http.aclose()
    assert (ready.status_code, ready.json()["checks"]) == (503, {"database": "ok", "redis": "TimeoutError"})


async def test_requests_are_counted(subgraph: SubgraphClient) -> None:
    def count() -> float:
        labels = {"service": "auth", "outcome": "ok"}
        return REGISTRY.get_sample_value("graphql_requests_total", labels) or 0.0

    before = count()
    await subgraph.execute("{ hello }")
    assert count() == before + 1


async def test_metrics_are_not_served_to_clients(subgraph: SubgraphClient) -> None:
    assert (await subgraph.http.get("/metrics")).status_code == 404


async def test_the_sdl_can_be_fetched(subgraph: SubgraphClient) -> None:
    sdl = (await subgraph.execute("{ _service { sdl } }")).ok["_service"]["sdl"]
    assert "type Query" in sdl


@pytest.mark.parametrize(
    "accept", ["application/json", 'multipart/mixed; subscriptionSpec="1.0", application/json', "*/*"]
)
async def test_a_subscription_requires_a_client_that_accepts_event_streams(
    subgraph: SubgraphClient, accept: str
) -> None:
    body = {"query": "subscription { numbers }"}
    response = await subgraph.http.post("/graphql", json=body, headers={"accept": accept})
    [error] = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (406, "BAD_REQUEST")
    assert error["message"] == "A subscription is only available as text/event-stream."


async def test_the_lines_of_an_event_stream_end_in_lf(subgraph: SubgraphClient) -> None:
    response = await subgraph.http.post(
        "/graphql",
        json={"query": "subscription { numbers }"},
        headers={"accept": "text/event-stream"},
    )
    assert response.content == b'event: next\ndata: {"data":{"numbers":1}}\n\nevent: complete\ndata: \n\n'


@pytest.mark.parametrize("reads", [True, False])
async def test_a_subscription_ends_when_its_caller_disconnects(subgraph: SubgraphClient, reads: bool) -> None:
    async with subgraph.http.stream(
        "POST",
        "/graphql",
        json={"query": "subscription { endless }"},
        headers={"accept": "text/event-stream"},
    ) as response:
        texts = response.aiter_bytes()
        await anext(texts)
        if reads:
            await anext(texts)
        else:
            await _wait_until_stable(sent)
        assert sent
    async with asyncio.timeout(20):
        while sent:  # noqa: ASYNC110 - what is waited for has no event to await
            await asyncio.sleep(0.01)


async def _wait_until_stable(items: list[str]) -> None:
    """Wait until the buffers between a subscription and its caller are full."""
    count = 0
    while len(items) > count:
        count = len(items)
        await asyncio.sleep(0.3)
