"""Headers towards subgraphs, deadlines and CORS at a running router."""

import aiohttp

from router.config.traffic import Traffic
from tests.router.running_library import Library, run_library
from tests.support.waiting import wait_until


async def test_subgraphs_receive_the_user_agent_and_the_deadline(library: Library):
    await library.execute("{ books { title } }", **{"user-agent": "Reader/1.0", "x-other": "secret"})
    [headers] = library.books.requests
    assert headers["user-agent"] == "Reader/1.0"
    assert headers["x-deadline-ms"] == "30000"
    assert "x-other" not in headers


async def test_a_subscription_forwards_the_user_agent_too(library: Library):
    headers = {"user-agent": "Reader/1.0", "accept": "text/event-stream"}
    body = {"query": "subscription { silence { title } }"}
    async with library.client.post(library.url, json=body, headers=headers):
        await wait_until(lambda: bool(library.books.requests))
    assert library.books.requests[0]["user-agent"] == "Reader/1.0"


async def test_the_remaining_time_of_an_operation_is_passed_to_subgraphs():
    async with run_library(traffic=Traffic.model_validate({"operation_timeout": 10})) as library:
        await library.execute("{ books { title } }")
        [headers] = library.books.requests
    assert 0 < int(headers["x-deadline-ms"]) < 10_000


async def test_an_operation_that_times_out_before_it_is_planned_is_refused():
    async with run_library(traffic=Traffic.model_validate({"operation_timeout": 1e-6})) as library:
        body = {"query": "{ books { title } }"}
        async with library.client.post(library.url, json=body) as answer:
            errors = (await answer.json())["errors"]
    assert (answer.status, errors[0]["extensions"]["code"]) == (504, "OPERATION_TIMEOUT")
    assert library.books.requests == []


async def test_header_rules_set_and_remove_headers():
    rules = [
        {"set": "X-Graph", "value": "memorable"},
        {"remove": "authorization", "subgraph": "books"},
        {"set": "x-only", "value": "reviews", "subgraph": "reviews"},
    ]
    async with run_library(jwks_url="", traffic=Traffic.model_validate({"headers": rules})) as library:
        client = {"user-agent": "Reader/1.0", "authorization": "Bearer token"}
        await library.execute("{ books { title } }", **client)
        [headers] = library.books.requests
    assert headers["x-graph"] == "memorable"
    assert {"authorization", "user-agent", "x-only"}.isdisjoint(headers)


async def test_no_client_and_no_rule_can_set_the_service_token():
    rules = [{"propagate": "x-memorable-service-token"}]
    traffic = Traffic.model_validate({"headers": rules})
    async with run_library(service_token="of the platform", traffic=traffic) as library:
        await library.execute("{ books { title } }", **{"x-memorable-service-token": "of a stranger"})
        [headers] = library.books.requests
    assert headers["x-memorable-service-token"] == "of the platform"


async def test_only_pages_of_allowed_origins_read_answers():
    traffic = Traffic.model_validate({"cors_origins": "https://a.example, https://b.example"})
    async with run_library(traffic=traffic) as library:
        assert await send_preflight(library, "https://b.example") == (200, "https://b.example")
        assert await send_preflight(library, "https://c.example") == (400, None)
        origin = {"origin": "https://a.example"}
        body = {"query": "{ books { title } }"}
        async with library.client.post(library.url, json=body, headers=origin) as answer:
            assert answer.headers["access-control-allow-origin"] == "https://a.example"
            assert "accept" in answer.headers["vary"].lower()
            assert "origin" in answer.headers["vary"].lower()


async def test_without_allowed_origins_no_other_page_reads_answers(library: Library):
    assert await send_preflight(library, "https://a.example") == (405, None)


async def send_preflight(library: Library, origin: str) -> tuple[int, str | None]:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    async with aiohttp.ClientSession() as client, client.options(library.url, headers=headers) as answer:
        return answer.status, answer.headers.get("access-control-allow-origin")
