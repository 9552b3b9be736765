"""`@defer` at a running router, over protocols with incremental delivery and without."""

from typing import Any

import orjson
import pytest

from tests.router.running_library import Library, run_library
from tests.router.server.multipart_response import parse_parts
from tests.router.websocket_client import open_acknowledged_socket

INCREMENTS = {"accept": "multipart/mixed;incrementalSpec=v0.2, application/json;q=0.9"}
DEFERRED = '{ book(id: "1") { title ... @defer(label: "stars") { stars } } }'
WHOLE = {"data": {"book": {"title": "Moon", "stars": 4}}}
FIRST = {
    "data": {"book": {"title": "Moon"}},
    "pending": [{"id": "0", "path": ["book"], "label": "stars"}],
    "hasNext": True,
}
REST = {
    "incremental": [{"id": "0", "data": {"stars": 4}}],
    "completed": [{"id": "0"}],
    "hasNext": False,
}


async def fetch_increments(library: Library, query: str, **variables: Any) -> list[Any]:
    body = {"query": query, "variables": variables}
    async with library.client.post(library.url, json=body, headers=INCREMENTS) as response:
        assert response.status == 200
        assert response.headers["content-type"] == 'multipart/mixed;boundary="graphql";incrementalSpec=v0.2'
        return parse_parts(response, await response.read())


async def test_deferred_parts_arrive_one_by_one(library: Library):
    assert await fetch_increments(library, DEFERRED) == [FIRST, REST]


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "multipart/mixed;deferSpec=20220824, application/json"]
)
async def test_a_client_that_does_not_accept_increments_gets_one_answer(library: Library, accept: str):
    async with library.client.post(
        library.url, json={"query": DEFERRED}, headers={"accept": accept}
    ) as response:
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert await response.json() == WHOLE


async def test_an_operation_that_defers_nothing_is_answered_as_json(library: Library):
    query = {"query": '{ book(id: "1") { title ... @defer(if: false) { stars } } }'}
    async with library.client.post(library.url, json=query, headers=INCREMENTS) as response:
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert await response.json() == WHOLE


async def test_a_client_that_accepts_only_multipart_gets_a_single_part(library: Library):
    only = {"accept": "multipart/mixed;incrementalSpec=v0.2"}
    async with library.client.post(library.url, json={"query": "{ average }"}, headers=only) as response:
        assert parse_parts(response, await response.read()) == [{"data": {"average": 4.5}}]


async def test_a_variable_switches_deferral_for_each_request(library: Library):
    query = (
        'query($later: Boolean = true) { book(id: "1") '
        '{ title ... @defer(if: $later, label: "stars") { stars } } }'
    )

    assert await fetch_increments(library, query) == [FIRST, REST]
    assert await fetch_increments(library, query, later=False) == [WHOLE]
    assert await fetch_increments(library, query, later=True) == [FIRST, REST]


async def test_an_event_stream_carries_the_parts(library: Library):
    async with library.client.post(
        library.url, json={"query": DEFERRED}, headers={"accept": "text/event-stream"}
    ) as response:
        events = (await response.read()).decode().split("\n\n")

    messages = [
        event.removeprefix("event: next\ndata: ") for event in events if event.startswith("event: next")
    ]
    assert [orjson.loads(each) for each in messages] == [FIRST, REST]


async def test_a_websocket_carries_the_parts(library: Library):
    async with open_acknowledged_socket(library) as socket:
        await socket.send(id="1", type="subscribe", payload={"query": DEFERRED})
        messages = [await socket.receive() for _ in range(3)]

    assert messages == [
        {"id": "1", "type": "next", "payload": FIRST},
        {"id": "1", "type": "next", "payload": REST},
        {"id": "1", "type": "complete"},
    ]


async def test_operations_of_a_batch_are_not_deferred(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROUTER_MAX_BATCH", "2")
    async with run_library() as library:
        body = [{"query": DEFERRED}, {"query": "{ average }"}]
        async with library.client.post(library.url, json=body) as response:
            assert await response.json() == [WHOLE, {"data": {"average": 4.5}}]


async def test_a_failed_part_does_not_affect_the_first_one(library: Library):
    urls = {**library.subgraph_urls, "reviews": "http://127.0.0.1:1/graphql"}
    async with run_library(subgraph_urls=urls) as broken:
        first, rest = await fetch_increments(broken, DEFERRED)

    assert first == FIRST
    [part] = rest["incremental"]
    assert part["data"] == {"stars": None}
    assert part["errors"][0]["extensions"]["code"] == "DOWNSTREAM_SERVICE_ERROR"
    assert rest["completed"] == [{"id": "0"}]


async def test_introspection_lists_the_defer_directive(library: Library):
    answer = await library.execute("{ __schema { directives { name args { name } } } }")

    found = {each["name"]: each["args"] for each in answer["data"]["__schema"]["directives"]}
    assert found["defer"] == [{"name": "if"}, {"name": "label"}]


@pytest.mark.parametrize(
    "query",
    [
        'mutation { ... @defer { rename(id: "1", title: "Sun") { title } } }',
        "subscription { published { ... @defer { title } } }",
        '{ ... @defer(label: "a") { average } ... @defer(label: "a") { average } }',
    ],
)
async def test_a_fragment_that_cannot_be_deferred_is_refused(library: Library, query: str):
    answer = await library.execute(query)

    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "data" not in answer


async def test_access_is_checked_before_anything_is_sent(library: Library):
    answer = await library.execute("{ average ... @defer { mine } }", **INCREMENTS)

    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
