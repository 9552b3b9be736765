"""The rules of graphql-sse's PROTOCOL for servers, in both modes, checked against a running router.

Rules for clients and what the text leaves to the implementor are left out.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from tests.router.running_library import Library
from tests.router.server.event_streams import read_events
from tests.router.server.single_connection_client import (
    HEADER,
    PUBLISHED,
    SILENCE,
    Stream,
    authorize,
    open_event_source,
    open_stream,
    reserve_stream,
)
from tests.support.waiting import wait_until

ACCEPT = {"accept": "text/event-stream"}
Rule: TypeAlias = Callable[[Library], Awaitable[None]]
Answer: TypeAlias = tuple[int, str, list[tuple[str, Any]]]


async def fetch_events(library: Library, body: Any, **headers: str) -> Answer:
    """Posts a request that accepts only an event stream; returns status, content type and events."""
    async with library.client.post(library.url, json=body, headers={**ACCEPT, **headers}) as response:
        return response.status, response.content_type, await read_events(response)


def assert_refused(code: str, answer: Answer) -> None:
    status, content_type, [(name, result), last] = answer
    assert (status, content_type, name, last) == (200, "text/event-stream", "next", ("complete", None))
    assert result.keys() == {"errors"}
    assert [each["extensions"]["code"] for each in result["errors"]] == [code]


async def a_stream_is_an_event_stream(library: Library) -> None:
    async with library.client.post(library.url, json={"query": PUBLISHED}, headers=ACCEPT) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"


async def a_syntax_error_is_a_next_event(library: Library) -> None:
    assert_refused("GRAPHQL_PARSE_FAILED", await fetch_events(library, {"query": "{"}))


async def an_invalid_document_is_a_next_event(library: Library) -> None:
    assert_refused("GRAPHQL_VALIDATION_FAILED", await fetch_events(library, {"query": "{ nothing }"}))


async def a_missing_variable_is_a_next_event(library: Library) -> None:
    query = "query ($id: ID!) { book(id: $id) { id } }"
    assert_refused("BAD_USER_INPUT", await fetch_events(library, {"query": query}))


async def a_missing_token_is_a_next_event(library: Library) -> None:
    assert_refused(
        "UNAUTHENTICATED", await fetch_events(library, {"query": "subscription { private { id } }"})
    )


async def a_bad_token_is_a_next_event(library: Library) -> None:
    assert_refused(
        "UNAUTHENTICATED", await fetch_events(library, {"query": PUBLISHED}, authorization="Bearer x")
    )


async def an_unknown_document_is_a_next_event(library: Library) -> None:
    assert_refused("PERSISTED_QUERY_NOT_SUPPORTED", await fetch_events(library, {"documentId": "unknown"}))


async def an_error_over_get_is_a_next_event(library: Library) -> None:
    async with library.client.get(library.url, params={"query": "{"}, headers=ACCEPT) as response:
        answer = response.status, response.content_type, await read_events(response)
    assert_refused("GRAPHQL_PARSE_FAILED", answer)


async def a_client_that_takes_json_too_reads_json(library: Library) -> None:
    headers = {"accept": "text/event-stream, application/json"}
    async with library.client.post(library.url, json={"query": "{"}, headers=headers) as response:
        assert (response.status, response.content_type) == (200, "application/json")


async def closing_the_connection_ends_the_operation(library: Library) -> None:
    async with library.client.post(library.url, json={"query": SILENCE}, headers=ACCEPT) as response:
        await wait_until(lambda: library.books.open_streams == 1)
        response.close()
    await wait_until(lambda: library.books.open_streams == 0)


async def every_result_is_a_next_event_and_then_comes_complete(library: Library) -> None:
    _, _, events = await fetch_events(library, {"query": PUBLISHED})
    assert events == [
        ("next", {"data": {"published": {"title": "Moon", "stars": 4}}}),
        ("next", {"data": {"published": {"title": "Sea", "stars": 5}}}),
        ("complete", None),
    ]


async def complete_has_an_empty_data_line(library: Library) -> None:
    async with library.client.post(library.url, json={"query": "{ average }"}, headers=ACCEPT) as response:
        assert (await response.read()).endswith(b"event: complete\ndata: \n\n")


async def a_reservation_is_201_with_its_token_in_the_body(library: Library) -> None:
    async with library.client.put(library.url) as response:
        assert (response.status, response.content_type) == (201, "text/plain")
        assert len(await response.text()) > 20


async def a_reservation_with_a_bad_token_is_401(library: Library) -> None:
    async with library.client.put(library.url, headers={"authorization": "Bearer x"}) as response:
        assert (response.status, response.headers["www-authenticate"]) == (401, "Bearer")
        assert (await response.json())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def the_token_opens_the_stream_as_header_or_parameter(library: Library) -> None:
    for parameters, header in ((True, False), (False, True)):
        token = (await reserve_stream(library)).token
        headers = {**ACCEPT, HEADER: token} if header else ACCEPT
        query_parameters = {"token": token} if parameters else {}
        async with library.client.get(library.url, params=query_parameters, headers=headers) as response:
            assert (response.status, response.content_type) == (200, "text/event-stream")
            response.close()


async def a_reservation_is_fulfilled_by_one_connection_at_a_time(library: Library) -> None:
    async with open_stream(library) as stream, open_event_source(library, stream.token) as second:
        assert second.status == 409


async def a_request_with_an_unknown_token_is_refused(library: Library) -> None:
    stranger = Stream(library, "unknown", {})
    assert (await stranger.start("1", PUBLISHED))[0] == 404
    async with open_event_source(library, "unknown") as response:
        assert response.status == 404


async def an_operation_is_202_and_its_results_come_over_the_stream_with_its_id(library: Library) -> None:
    async with open_stream(library) as stream:
        assert await stream.start("1", "{ average }") == (202, None)
        assert await stream.next() == ("next", {"id": "1", "payload": {"data": {"average": 4.5}}})
        assert await stream.next() == ("complete", {"id": "1"})


async def problems_of_a_request_are_answered_over_http(library: Library) -> None:
    async with open_stream(library) as stream:
        for query, status, code in (
            ("{", 400, "GRAPHQL_PARSE_FAILED"),
            ("{ nothing }", 400, "GRAPHQL_VALIDATION_FAILED"),
            ("{ mine }", 401, "UNAUTHENTICATED"),
        ):
            refusal, answer = await stream.start("1", query, accept="text/event-stream;q=0.1, */*")
            assert (refusal, answer["errors"][0]["extensions"]["code"]) == (status, code)
        refusal, _ = await stream.start("1", PUBLISHED, authorization="Bearer x")
        assert refusal == 401


async def a_delete_ends_an_operation(library: Library) -> None:
    async with open_stream(library) as stream:
        await stream.start("1", SILENCE)
        await wait_until(lambda: library.books.open_streams == 1)
        assert await stream.stop("1") == 200
        await wait_until(lambda: library.books.open_streams == 0)


async def a_delete_needs_the_token(library: Library) -> None:
    async with library.client.delete(library.url, params={"operationId": "1"}) as response:
        assert response.status == 404


DISTINCT, SINGLE = "Distinct connections mode", "Single connection mode"
RULES: list[tuple[str, str, Rule]] = [
    (DISTINCT, "The Content-Type MUST always be text/event-stream", a_stream_is_an_event_stream),
    (DISTINCT, "Validation steps MUST report errors by next events", a_syntax_error_is_a_next_event),
    (DISTINCT, "Validation steps MUST report errors by next events", an_invalid_document_is_a_next_event),
    (DISTINCT, "Validation steps MUST report errors by next events", a_missing_variable_is_a_next_event),
    (DISTINCT, "Validation steps MUST report errors by next events", a_missing_token_is_a_next_event),
    (DISTINCT, "Validation steps MUST report errors by next events", a_bad_token_is_a_next_event),
    (DISTINCT, "Validation steps MUST report errors by next events", an_unknown_document_is_a_next_event),
    (DISTINCT, "Validation steps MUST report errors by next events", an_error_over_get_is_a_next_event),
    (
        DISTINCT,
        "the server should agree with the client's Accept header",
        a_client_that_takes_json_too_reads_json,
    ),
    (
        DISTINCT,
        "terminated by having the client simply close the connection",
        closing_the_connection_ends_the_operation,
    ),
    (
        DISTINCT,
        "After all results have been emitted, the complete event will follow",
        every_result_is_a_next_event_and_then_comes_complete,
    ),
    (DISTINCT, "Include an empty data field", complete_has_an_empty_data_line),
    (
        SINGLE,
        "responding with 201 and a reservation token in the body",
        a_reservation_is_201_with_its_token_in_the_body,
    ),
    (SINGLE, "it may transmit authentication details", a_reservation_with_a_bad_token_is_401),
    (
        SINGLE,
        "A header value X-GraphQL-Event-Stream-Token, a search parameter token",
        the_token_opens_the_stream_as_header_or_parameter,
    ),
    (
        SINGLE,
        "only one SSE connection can fulfil a reservation at a time",
        a_reservation_is_fulfilled_by_one_connection_at_a_time,
    ),
    (
        SINGLE,
        "The HTTP request MUST contain the matching reservation token",
        a_request_with_an_unknown_token_is_refused,
    ),
    (
        SINGLE,
        "accepted with a 202 and then streamed through the single connection",
        an_operation_is_202_and_its_results_come_over_the_stream_with_its_id,
    ),
    (
        SINGLE,
        "Validation issues and other request problems as in GraphQL over HTTP",
        problems_of_a_request_are_answered_over_http,
    ),
    (SINGLE, "sending a DELETE HTTP request encoding the operation ID", a_delete_ends_an_operation),
    (SINGLE, "The HTTP request MUST contain the matching reservation token", a_delete_needs_the_token),
]


@pytest.mark.parametrize(
    ("mode", "clause", "rule"), RULES, ids=[f"{clause}: {rule.__name__}" for _, clause, rule in RULES]
)
async def test_the_router_follows_the_rule(library: Library, mode: str, clause: str, rule: Rule):
    await rule(library)


async def test_a_stream_ends_with_an_error_when_its_token_expires(library: Library):
    token = {"authorization": f"Bearer {library.identities.issue_brief_token()}"}
    status, _, events = await fetch_events(library, {"query": SILENCE}, **token)
    assert status == 200
    assert events == [
        ("next", {"data": {"silence": {"title": "Moon"}}}),
        (
            "next",
            {"errors": [{"message": "The token has expired.", "extensions": {"code": "UNAUTHENTICATED"}}]},
        ),
        ("complete", None),
    ]
    await wait_until(lambda: library.books.open_streams == 0)


async def test_an_operation_on_a_shared_stream_ends_when_its_own_token_expires(library: Library):
    async with open_stream(library, **authorize(library)) as stream:
        brief = f"Bearer {library.identities.issue_brief_token()}"
        await stream.start("brief", SILENCE, authorization=brief)
        await stream.start("long", "subscription { silence { id } }")
        events = [await stream.next() for _ in range(4)]
        assert events[2:] == [
            (
                "next",
                {
                    "id": "brief",
                    "payload": {
                        "errors": [
                            {"message": "The token has expired.", "extensions": {"code": "UNAUTHENTICATED"}}
                        ]
                    },
                },
            ),
            ("complete", {"id": "brief"}),
        ]
        await wait_until(lambda: library.books.open_streams == 1)


async def test_a_multipart_client_still_reads_why_it_is_refused(library: Library):
    headers = {"accept": 'multipart/mixed;subscriptionSpec="1.0", application/json'}
    async with library.client.post(library.url, json={"query": "{"}, headers=headers) as response:
        assert (await response.json())["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
