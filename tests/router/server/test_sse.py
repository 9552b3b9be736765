"""Subscriptions over Server-Sent Events at a running router."""

from tests.router.running_library import Library, run_library
from tests.router.server.event_streams import ACCEPT, EXPECTED, PUBLISHED, read_events
from tests.support.waiting import wait_until


async def test_events_arrive_with_the_entities_of_other_subgraphs_joined(library: Library):
    async with library.client.post(library.url, json=PUBLISHED, headers=ACCEPT) as response:
        assert response.status == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-cache, no-transform"
        assert response.headers["x-accel-buffering"] == "no"
        assert await read_events(response) == EXPECTED


async def test_a_burst_of_events_takes_far_fewer_fetches_than_events():
    body = {"query": "subscription { published(count: 200) { id stars } }"}
    async with run_library() as library:
        async with library.client.post(library.url, json=body, headers=ACCEPT) as response:
            events = await read_events(response)
        assert events == [
            *(
                ("next", {"data": {"published": {"id": str(number), "stars": number + 3}}})
                for number in range(1, 201)
            ),
            ("complete", None),
        ]
        assert len(library.reviews.requests) < 100


async def test_a_stream_can_be_opened_with_get(library: Library):
    async with library.client.get(library.url, params=PUBLISHED, headers=ACCEPT) as response:
        assert await read_events(response) == EXPECTED


async def test_a_query_is_streamed_only_when_nothing_else_is_accepted(library: Library):
    query = {"query": "{ average }"}
    both = {"accept": "text/event-stream, application/json"}
    async with library.client.post(library.url, json=query, headers=both) as response:
        assert await response.json() == {"data": {"average": 4.5}}
    async with library.client.post(library.url, json=query, headers=ACCEPT) as response:
        assert await read_events(response) == [("next", {"data": {"average": 4.5}}), ("complete", None)]


async def test_a_subscription_needs_a_stream_to_be_accepted(library: Library):
    headers = {"accept": "application/json"}
    async with library.client.post(library.url, json=PUBLISHED, headers=headers) as response:
        answer = await response.json()
    assert (response.status, answer["errors"][0]["extensions"]["code"]) == (406, "NOT_ACCEPTABLE")


async def test_a_disconnecting_client_releases_the_upstream(library: Library):
    query = {"query": "subscription { silence { title } }"}
    async with library.client.post(library.url, json=query, headers=ACCEPT) as response:
        await wait_until(lambda: library.books.open_streams == 1)
        await response.content.readany()
        response.close()
    await wait_until(lambda: library.books.open_streams == 0)


async def test_an_upstream_that_cannot_be_reached_is_an_error_event(library: Library):
    urls = {**library.subgraph_urls, "books": "http://127.0.0.1:1/graphql"}
    async with (
        run_library(subgraph_urls=urls) as broken,
        broken.client.post(broken.url, json=PUBLISHED, headers=ACCEPT) as response,
    ):
        [(name, body), last] = await read_events(response)
    assert name == "next"
    assert body == {
        "errors": [
            {
                "message": "The service 'books' did not respond.",
                "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "serviceName": "books"},
            }
        ]
    }
    assert last == ("complete", None)
