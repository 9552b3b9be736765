"""GraphQL over HTTP at a running router."""

import io
from typing import Any

import pytest
from prometheus_client import generate_latest

from tests.router.running_library import Library, run_library

GRAPHQL_JSON = "application/graphql-response+json"


async def post(library: Library, body: Any, **headers: str) -> tuple[int, Any]:
    async with library.client.post(library.url, json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_a_query_joins_both_subgraphs(library: Library):
    status, answer = await post(library, {"query": "{ books { title stars } average }"})
    assert status == 200
    assert answer == {
        "data": {
            "books": [{"title": "Moon", "stars": 4}, {"title": "Sea", "stars": 5}],
            "average": 4.5,
        }
    }


async def test_a_query_can_be_sent_with_get(library: Library):
    parameters = {
        "query": "query One($id: ID!) { book(id: $id) { title } } query Two { average }",
        "operationName": "One",
        "variables": '{"id": "2"}',
    }
    async with library.client.get(library.url, params=parameters) as response:
        assert await response.json() == {"data": {"book": {"title": "Sea"}}}


async def test_a_mutation_changes_what_is_read_after_it(library: Library):
    query = 'mutation { rename(id: "1", title: "Sun") { title stars } }'
    assert await library.execute(query) == {"data": {"rename": {"title": "Sun", "stars": 4}}}
    assert await library.execute('{ book(id: "1") { title } }') == {"data": {"book": {"title": "Sun"}}}


async def test_a_mutation_with_get_is_refused_and_does_not_run(library: Library):
    parameters = {"query": 'mutation { rename(id: "1", title: "Sun") { title } }'}
    async with library.client.get(library.url, params=parameters) as response:
        assert (response.status, response.headers["allow"]) == (405, "POST")
    assert library.books.titles["1"] == "Moon"


async def test_the_answer_has_the_accepted_media_type(library: Library):
    for accept in ("application/json", GRAPHQL_JSON):
        async with library.client.post(
            library.url, json={"query": "{ average }"}, headers={"accept": accept}
        ) as response:
            assert response.headers["content-type"] == f"{accept}; charset=utf-8"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ " + "a: average " * 101 + "}", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { average } query B { average }", "OPERATION_RESOLUTION_FAILURE"),
        ("query A($id: ID!) { book(id: $id) { title } }", "BAD_USER_INPUT"),
    ],
)
async def test_a_request_that_cannot_run_is_a_graphql_error(library: Library, query: str, code: str):
    for accept, expected in (("application/json", 200), (GRAPHQL_JSON, 400)):
        status, answer = await post(library, {"query": query}, accept=accept)
        assert status == expected
        assert answer["errors"][0]["extensions"]["code"] == code
        assert "data" not in answer


async def test_the_error_for_an_unknown_field_suggests_similar_ones(library: Library):
    _, answer = await post(library, {"query": "{ bookz { title } }"})
    assert answer["errors"] == [
        {
            "message": "Cannot query field 'bookz' on type 'Query'. Did you mean 'book' or 'books'?",
            "locations": [{"line": 1, "column": 3}],
            "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
        }
    ]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"null", "application/json", 400, "BAD_REQUEST"),
        (b"{", "application/json", 400, "BAD_REQUEST"),
        (b"[]", "application/json", 400, "BAD_REQUEST"),
        (b"{}", "application/json", 400, "BAD_REQUEST"),
        (b'{"query": "{ average }"}', "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query": "{ average }"}', "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query": "{ average }"}', "application/json; charset=utf-16", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query": "' + b" " * 1_048_577 + b'"}', "application/json", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_a_body_that_is_not_a_graphql_request_is_refused(
    library: Library, body: bytes, content_type: str, status: int, code: str
):
    headers = {"content-type": content_type}
    async with library.client.post(library.url, data=io.BytesIO(body), headers=headers) as response:
        answer = await response.json()
    assert (response.status, answer["errors"][0]["extensions"]["code"]) == (status, code)


async def test_a_request_that_accepts_no_supported_type_is_refused_before_it_runs(library: Library):
    query = {"query": 'mutation { rename(id: "1", title: "Sun") { title } }'}
    status, answer = await post(library, query, accept="text/csv")
    assert (status, answer["errors"][0]["extensions"]["code"]) == (406, "NOT_ACCEPTABLE")
    assert library.books.titles["1"] == "Moon"


async def test_another_site_cannot_make_a_browser_send_operations(library: Library):
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    async with library.client.get(library.url, params={"query": "{ average }"}, headers=headers) as response:
        answer = await response.json()
    assert (response.status, answer["errors"][0]["extensions"]["code"]) == (403, "CSRF_PREVENTED")


async def test_the_callers_token_and_trace_reach_the_subgraph(library: Library):
    token = f"Bearer {library.identities.issue_token()}"
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await library.execute(
        "{ caller trace }", authorization=token, traceparent=f"00-{trace_id}-00f067aa0ba902b7-01"
    )
    assert answer["data"]["caller"] == token
    assert answer["data"]["trace"].split("-")[1] == trace_id


async def test_a_trace_begins_at_the_router_when_the_client_brings_none(library: Library):
    answer = await library.execute("{ trace }")
    assert len(answer["data"]["trace"].split("-")[1]) == 32


async def test_an_invalid_token_is_refused_before_any_fetch(library: Library):
    headers = {"authorization": "Bearer nonsense"}
    status, answer = await post(library, {"query": "{ average }"}, accept=GRAPHQL_JSON, **headers)
    assert status == 401
    assert answer == {
        "errors": [{"message": "The token is invalid.", "extensions": {"code": "UNAUTHENTICATED"}}]
    }
    assert (await post(library, {"query": "{ average }"}, **headers))[0] == 200
    assert library.books.requests == []


async def test_an_authenticated_field_requires_a_token(library: Library):
    status, answer = await post(library, {"query": "{ mine average }"}, accept=GRAPHQL_JSON)
    assert status == 401
    assert answer["errors"] == [
        {
            "message": "Authentication is required.",
            "path": ["mine"],
            "extensions": {"code": "UNAUTHENTICATED"},
        }
    ]
    token = f"Bearer {library.identities.issue_token()}"
    assert await library.execute("{ mine }", authorization=token) == {"data": {"mine": "yours"}}


async def test_a_field_for_staff_is_forbidden_to_parents(library: Library):
    parent = {"authorization": f"Bearer {library.identities.issue_token()}"}
    status, answer = await post(library, {"query": "{ ledger }"}, accept=GRAPHQL_JSON, **parent)
    assert (status, answer["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    staff = f"Bearer {library.identities.issue_token(scope=['staff'])}"
    assert await library.execute("{ ledger }", authorization=staff) == {"data": {"ledger": "balanced"}}


async def test_a_field_that_fails_is_null_with_its_path(library: Library):
    answer = await library.execute("{ books { title broken } }")
    assert answer["data"]["books"][1] == {"title": "Sea", "broken": None}
    assert [error["path"] for error in answer["errors"]] == [["books", 0, "broken"], ["books", 1, "broken"]]


async def test_a_subgraph_that_is_down_leaves_the_rest_of_the_answer(library: Library):
    urls = {**library.subgraph_urls, "reviews": "http://127.0.0.1:1/graphql"}
    async with run_library(subgraph_urls=urls) as broken:
        answer = await broken.execute("{ books { title stars } average }")
    assert answer["data"] == {
        "books": [{"title": "Moon", "stars": None}, {"title": "Sea", "stars": None}],
        "average": None,
    }
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"DOWNSTREAM_SERVICE_ERROR"}
    assert {error["extensions"]["serviceName"] for error in answer["errors"]} == {"reviews"}


async def test_introspection_is_disabled_in_production():
    async with run_library(environment="production", service_token="x" * 32) as library:
        answer = await library.execute("{ __schema { queryType { name } } }")
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_introspection_is_answered_by_the_router_itself(library: Library):
    answer = await library.execute('{ __type(name: "Book") { fields { name } } }')
    assert answer == {
        "data": {"__type": {"fields": [{"name": name} for name in ("id", "title", "broken", "stars")]}}
    }
    assert library.books.requests == []


@pytest.mark.parametrize(
    "accept", ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"]
)
async def test_a_browser_gets_the_explorer_at_the_same_address(library: Library, accept: str):
    async with library.client.get(library.url, headers={"accept": accept}) as response:
        assert response.content_type == "text/html"


async def test_a_get_without_a_query_is_a_bad_request(library: Library):
    async with library.client.get(library.url) as response:
        assert response.status == 400


async def test_health_endpoints_report_liveness_and_readiness(library: Library):
    async with library.client.get(f"{library.origin}/health/live") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
    async with library.client.get(f"{library.origin}/health/ready") as response:
        ready = {"status": "ok", "checks": {"supergraph": "ok", "jwks": "ok"}}
        assert (response.status, await response.json()) == (200, ready)


async def test_requests_are_counted_by_kind_and_outcome():
    async with run_library() as library:
        await library.execute("{ average }")
        await library.execute("{ books { broken } }")
        metrics = generate_latest(library.metrics.registry).decode()
    assert 'router_requests_total{operation="query",outcome="ok"} 1.0' in metrics
    assert 'router_requests_total{operation="query",outcome="error"} 1.0' in metrics
    assert 'router_subgraph_fetch_seconds_count{outcome="ok",subgraph="books"} 1.0' in metrics


async def test_a_router_that_cannot_verify_tokens_is_not_ready():
    async with run_library(jwks_url="http://127.0.0.1:1/jwks.json") as library:
        async with library.client.get(f"{library.origin}/health/ready") as response:
            assert (response.status, (await response.json())["checks"]["jwks"]) == (503, "unreachable")
        status, answer = await post(library, {"query": "{ average }"}, authorization="Bearer a.b.c")
        assert (status, answer["errors"][0]["extensions"]["code"]) == (200, "UNAUTHENTICATED")
        token = library.identities.issue_token()
        status, answer = await post(library, {"query": "{ average }"}, authorization=f"Bearer {token}")
        assert (status, answer["errors"][0]["extensions"]["code"]) == (503, "DOWNSTREAM_SERVICE_ERROR")
