"""Single connection mode of the graphql-sse protocol, against a running router."""

from typing import Any

import pytest

from router.server import single_connection
from tests.router.running_library import Library, run_library
from tests.router.server.single_connection_client import (
    PUBLISHED,
    SILENCE,
    Stream,
    authorize,
    open_event_source,
    open_stream,
    reserve_stream,
)
from tests.support.waiting import wait_until

MOON = {"data": {"silence": {"title": "Moon"}}}


async def test_the_results_of_several_operations_share_one_stream(library: Library):
    async with open_stream(library) as stream:
        assert await stream.start("live", SILENCE) == (202, None)
        assert await stream.next() == ("next", {"id": "live", "payload": MOON})
        assert await stream.start("books", PUBLISHED) == (202, None)
        assert [await stream.next() for _ in range(3)] == [
            ("next", {"id": "books", "payload": {"data": {"published": {"title": "Moon", "stars": 4}}}}),
            ("next", {"id": "books", "payload": {"data": {"published": {"title": "Sea", "stars": 5}}}}),
            ("complete", {"id": "books"}),
        ]
        assert library.books.open_streams == 1


async def test_queries_and_mutations_are_answered_once_over_the_stream(library: Library):
    async with open_stream(library) as stream:
        await stream.start("1", 'mutation { rename(id: "1", title: "Sun") { title } }')
        renamed = {"data": {"rename": {"title": "Sun"}}}
        assert await stream.next() == ("next", {"id": "1", "payload": renamed})
        assert await stream.next() == ("complete", {"id": "1"})
        assert library.books.titles["1"] == "Sun"


async def test_an_operation_can_be_sent_with_get_unless_it_changes_something(library: Library):
    async with open_stream(library) as stream:
        parameters = {"token": stream.token, "extensions": '{"operationId": "1"}', "query": "{ average }"}
        async with library.client.get(library.url, params=parameters) as response:
            assert response.status == 202
        assert await stream.next() == ("next", {"id": "1", "payload": {"data": {"average": 4.5}}})
        parameters["query"] = 'mutation { rename(id: "1", title: "Sun") { title } }'
        async with library.client.get(library.url, params=parameters) as response:
            assert (response.status, response.headers["allow"]) == (405, "POST")


async def test_results_from_before_the_stream_opens_are_delivered_when_it_opens(library: Library):
    stream = await reserve_stream(library)
    assert await stream.start("early", PUBLISHED) == (202, None)
    async with open_event_source(library, stream.token) as response:
        stream.response = response
        assert [(await stream.next())[0] for _ in range(3)] == ["next", "next", "complete"]
        response.close()


async def test_stopping_an_operation_releases_its_upstream_and_its_id(library: Library):
    async with open_stream(library) as stream:
        await stream.start("1", SILENCE)
        await stream.next()
        assert await stream.stop("1") == 200
        await wait_until(lambda: library.books.open_streams == 0)
        assert await stream.start("1", "{ average }") == (202, None)
        assert await stream.next() == ("next", {"id": "1", "payload": {"data": {"average": 4.5}}})


async def test_stopping_an_unknown_operation_succeeds_and_without_an_id_is_refused(library: Library):
    async with open_stream(library) as stream:
        assert await stream.stop("never") == 200
        assert await stream.stop("") == 400


async def test_disconnecting_ends_all_operations_and_the_reservation(library: Library):
    async with open_stream(library) as stream:
        await stream.start("1", SILENCE)
        await stream.start("2", "subscription { silence { id } }")
        await wait_until(lambda: library.books.open_streams == 2)
    await wait_until(lambda: library.books.open_streams == 0)
    assert (await stream.start("3", SILENCE))[0] == 404
    async with open_event_source(library, stream.token) as response:
        assert response.status == 404


async def test_a_stream_is_opened_only_once(library: Library):
    async with open_stream(library) as stream, open_event_source(library, stream.token) as second:
        answer = await second.json()
        assert (second.status, answer["errors"][0]["extensions"]["code"]) == (409, "CONFLICT")
        assert await stream.start("1", "{ average }") == (202, None)


async def test_an_id_in_use_is_refused_and_the_first_operation_runs_on(library: Library):
    async with open_stream(library) as stream:
        await stream.start("1", SILENCE)
        status, answer = await stream.start("1", PUBLISHED)
        assert (status, answer["errors"][0]["extensions"]["code"]) == (409, "CONFLICT")
        assert await stream.next() == ("next", {"id": "1", "payload": MOON})
        assert library.books.open_streams == 1


@pytest.mark.parametrize("identifier", [None, "", 1])
async def test_an_operation_without_an_id_is_refused(library: Library, identifier: Any):
    async with open_stream(library) as stream:
        assert (await stream.start(identifier, PUBLISHED))[0] == 400


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("{", 400, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("{ mine }", 401, "UNAUTHENTICATED"),
    ],
)
async def test_the_id_of_a_refused_operation_stays_free(library: Library, query: str, status: int, code: str):
    async with open_stream(library) as stream:
        actual_status, answer = await stream.start("1", query)
        assert (actual_status, answer["errors"][0]["extensions"]["code"]) == (status, code)
        assert await stream.start("1", "{ average }") == (202, None)


async def test_a_token_that_was_never_issued_is_unknown(library: Library):
    stranger = Stream(library, "guessed", {})
    assert (await stranger.start("1", PUBLISHED))[0] == 404
    assert await stranger.stop("1") == 404
    async with library.client.delete(library.url, params={"operationId": "1"}) as response:
        assert response.status == 404
    async with open_event_source(library, "guessed") as response:
        assert response.status == 404


async def test_a_reservation_token_is_offered_only_as_plain_text(library: Library):
    async with library.client.put(library.url, headers={"accept": "application/json"}) as response:
        assert response.status == 406


async def test_an_operation_runs_with_the_token_of_its_own_request(library: Library):
    async with open_stream(library, **authorize(library)) as stream:
        renewed = authorize(library, scope="staff")
        await stream.start("1", "{ caller ledger }", **renewed)
        data = {"caller": renewed["authorization"], "ledger": "balanced"}
        assert await stream.next() == ("next", {"id": "1", "payload": {"data": data}})


async def test_another_caller_cannot_use_the_stream_even_with_its_token(library: Library):
    async with open_stream(library, **authorize(library)) as stream:
        await stream.start("1", SILENCE)
        await stream.next()
        other = authorize(library, sub="user_2")
        assert (await stream.start("2", "{ average }", **other))[0] == 404
        assert await stream.stop("1", **other) == 404
        stream.headers = {}
        assert (await stream.start("2", "{ average }"))[0] == 404
        assert await stream.stop("1") == 404
        assert library.books.open_streams == 1


async def test_another_caller_cannot_open_the_stream(library: Library):
    stream = await reserve_stream(library, **authorize(library))
    async with open_event_source(library, stream.token, **authorize(library, sub="user_2")) as response:
        assert response.status == 404
    async with open_event_source(library, stream.token, **authorize(library)) as response:
        assert response.status == 200
        response.close()


async def test_a_stream_that_is_not_opened_in_time_is_dropped_with_its_operations(
    library: Library, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(single_connection, "OPEN_TIMEOUT_SECONDS", 0.2)
    stream = await reserve_stream(library)
    assert await stream.start("1", SILENCE) == (202, None)
    await wait_until(lambda: library.books.open_streams == 1)
    await wait_until(lambda: library.books.open_streams == 0)
    assert (await stream.start("2", SILENCE))[0] == 404


async def test_a_stream_that_is_opened_in_time_stays(library: Library, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(single_connection, "OPEN_TIMEOUT_SECONDS", 0.2)
    async with open_stream(library) as stream:
        later = await reserve_stream(library)
        assert await later.start("1", SILENCE) == (202, None)
        await wait_until(lambda: library.books.open_streams == 1)
        await wait_until(lambda: library.books.open_streams == 0)
        assert await stream.start("1", "{ average }") == (202, None)
        assert await stream.next() == ("next", {"id": "1", "payload": {"data": {"average": 4.5}}})


async def test_a_reservation_over_the_limit_evicts_the_oldest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROUTER_MAX_RESERVED_STREAMS", "2")
    async with run_library() as library, open_stream(library) as opened:
        first, second, third = [await reserve_stream(library) for _ in range(3)]
        statuses = [(await each.start("1", "{ average }"))[0] for each in (opened, first, second, third)]
    assert statuses == [202, 404, 202, 202]


async def test_one_client_cannot_evict_the_reservations_of_another(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROUTER_MAX_RESERVED_STREAMS", "4")
    monkeypatch.setenv("ROUTER_MAX_RESERVED_STREAMS_PER_CLIENT", "3")
    async with run_library() as library:
        other = await reserve_stream(library, **authorize(library, sub="other"))
        mine = [await reserve_stream(library) for _ in range(5)]
        third = await reserve_stream(library, **authorize(library, sub="third"))
        statuses = [(await each.start("1", "{ average }"))[0] for each in (other, third, *mine)]
    assert statuses == [202, 202, 404, 404, 404, 202, 202]


async def test_an_operation_over_the_limit_is_refused_until_another_ends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ROUTER_MAX_SOCKET_OPERATIONS", "1")
    async with run_library() as library, open_stream(library) as stream:
        await stream.start("1", SILENCE)
        status, answer = await stream.start("2", PUBLISHED)
        assert (status, answer["errors"][0]["extensions"]["code"]) == (429, "TOO_MANY_OPERATIONS")
        await stream.stop("1")
        assert (await stream.start("2", PUBLISHED))[0] == 202


async def test_a_failing_upstream_affects_only_its_own_operation(library: Library):
    urls = {**library.subgraph_urls, "books": "http://127.0.0.1:1/graphql"}
    async with run_library(subgraph_urls=urls) as broken, open_stream(broken) as stream:
        await stream.start("1", PUBLISHED)
        name, message = await stream.next()
        assert (name, message["payload"]["errors"][0]["message"]) == (
            "next",
            "The service 'books' did not respond.",
        )
        assert await stream.next() == ("complete", {"id": "1"})
        await stream.start("2", "{ average }")
        assert await stream.next() == ("next", {"id": "2", "payload": {"data": {"average": 4.5}}})
