"""What subgraphs read of a request, and what browsers may read of an answer."""

import aiohttp

from router.config.traffic import Traffic
from tests.router.library import until
from tests.router.running import Library, opened


async def test_subgraphs_read_what_the_client_calls_itself_and_how_long_they_have(library: Library):
    await library.ask("{ books { title } }", **{"user-agent": "Reader/1.0", "x-other": "secret"})
    [headers] = library.shelf.requests
    assert headers["user-agent"] == "Reader/1.0"
    assert headers["x-deadline-ms"] == "30000"
    assert "x-other" not in headers


async def test_a_subscription_carries_it_too(library: Library):
    headers = {"user-agent": "Reader/1.0", "accept": "text/event-stream"}
    question = {"query": "subscription { silence { title } }"}
    async with library.client.post(library.url, json=question, headers=headers):
        await until(lambda: bool(library.shelf.requests))
    assert library.shelf.requests[0]["user-agent"] == "Reader/1.0"


async def test_what_is_left_of_an_operations_time_is_passed_down():
    async with opened(traffic=Traffic.model_validate({"operation_timeout": 10})) as library:
        await library.ask("{ books { title } }")
        [headers] = library.shelf.requests
    assert 0 < int(headers["x-deadline-ms"]) < 10_000


async def test_an_operation_that_runs_out_of_time_before_it_is_planned_is_told_so():
    async with opened(traffic=Traffic.model_validate({"operation_timeout": 1e-6})) as library:
        question = {"query": "{ books { title } }"}
        async with library.client.post(library.url, json=question) as answer:
            errors = (await answer.json())["errors"]
    assert (answer.status, errors[0]["extensions"]["code"]) == (504, "OPERATION_TIMEOUT")
    assert library.shelf.requests == []


async def test_header_rules_set_and_remove():
    rules = [
        {"set": "X-Graph", "value": "memorable"},
        {"remove": "authorization", "subgraph": "books"},
        {"set": "x-only", "value": "reviews", "subgraph": "reviews"},
    ]
    async with opened(jwks_url="", traffic=Traffic.model_validate({"headers": rules})) as library:
        client = {"user-agent": "Reader/1.0", "authorization": "Bearer token"}
        await library.ask("{ books { title } }", **client)
        [headers] = library.shelf.requests
    assert headers["x-graph"] == "memorable"
    assert {"authorization", "user-agent", "x-only"}.isdisjoint(headers)


async def test_subgraphs_know_the_router_by_a_token_that_no_client_and_no_rule_can_set():
    rules = [{"propagate": "x-memorable-service-token"}]
    traffic = Traffic.model_validate({"headers": rules})
    async with opened(service_token="of the platform", traffic=traffic) as library:
        await library.ask("{ books { title } }", **{"x-memorable-service-token": "of a stranger"})
        [headers] = library.shelf.requests
    assert headers["x-memorable-service-token"] == "of the platform"


async def test_only_pages_of_allowed_origins_read_answers():
    traffic = Traffic.model_validate({"cors_origins": "https://a.example, https://b.example"})
    async with opened(traffic=traffic) as library:
        assert await preflight(library, "https://b.example") == (200, "https://b.example")
        assert await preflight(library, "https://c.example") == (400, None)
        origin = {"origin": "https://a.example"}
        question = {"query": "{ books { title } }"}
        async with library.client.post(library.url, json=question, headers=origin) as answer:
            assert answer.headers["access-control-allow-origin"] == "https://a.example"
            assert "accept" in answer.headers["vary"].lower()
            assert "origin" in answer.headers["vary"].lower()


async def test_without_origins_no_other_page_reads_answers(library: Library):
    assert await preflight(library, "https://a.example") == (405, None)


async def preflight(library: Library, origin: str) -> tuple[int, str | None]:
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    async with aiohttp.ClientSession() as client, client.options(library.url, headers=headers) as answer:
        return answer.status, answer.headers.get("access-control-allow-origin")
