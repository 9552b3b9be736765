"""Subscriptions over multipart HTTP at a running router."""

from tests.router.running_library import Library, run_library
from tests.router.server.multipart_response import parse_parts
from tests.support.waiting import wait_until

ACCEPT = {"accept": 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0, application/json'}
PUBLISHED = {"query": "subscription { published { title stars } }"}


async def test_a_heartbeat_opens_the_answer_and_each_event_is_a_part(library: Library):
    async with library.client.post(library.url, json=PUBLISHED, headers=ACCEPT) as response:
        assert response.status == 200
        assert response.headers.getall("content-type") == [
            'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
        ]
        assert response.headers["cache-control"] == "no-cache, no-transform"
        assert parse_parts(response, await response.read()) == [
            {},
            {"payload": {"data": {"published": {"title": "Moon", "stars": 4}}}},
            {"payload": {"data": {"published": {"title": "Sea", "stars": 5}}}},
        ]


async def test_a_query_is_still_answered_as_json(library: Library):
    async with library.client.post(library.url, json={"query": "{ average }"}, headers=ACCEPT) as response:
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert await response.json() == {"data": {"average": 4.5}}


async def test_an_upstream_that_cannot_be_reached_is_an_error_beside_the_payload(library: Library):
    urls = {**library.subgraph_urls, "books": "http://127.0.0.1:1/graphql"}
    async with (
        run_library(subgraph_urls=urls) as broken,
        broken.client.post(broken.url, json=PUBLISHED, headers=ACCEPT) as response,
    ):
        [heartbeat, ending] = parse_parts(response, await response.read())
    assert heartbeat == {}
    assert ending["payload"] is None
    assert ending["errors"][0]["extensions"]["code"] == "DOWNSTREAM_SERVICE_ERROR"


async def test_a_disconnecting_client_releases_the_upstream(library: Library):
    query = {"query": "subscription { silence { title } }"}
    async with library.client.post(library.url, json=query, headers=ACCEPT) as response:
        await wait_until(lambda: library.books.open_streams == 1)
        await response.content.readany()
        response.close()
    await wait_until(lambda: library.books.open_streams == 0)
