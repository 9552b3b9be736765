"""Errors in spans."""

from starlette.responses import PlainTextResponse

from tests.router.tracing.traced_library import TracedLibrary, create_callers_trace, run_traced_library
from tests.support.serving import refuse_connections, serve_app

QUERY = {"query": "query Failing { books { title stars } }"}


async def _answer_503(scope, receive, send):
    await PlainTextResponse("Mila is missing", 503)(scope, receive, send)


async def test_a_failed_fetch_and_its_retry_each_have_a_span_with_the_outcome():
    async with (
        serve_app(_answer_503) as origin,
        run_traced_library(REVIEWS_URL=f"{origin}/graphql") as library,
    ):
        caller = create_callers_trace()
        answer = await library.execute(QUERY, traceparent=caller.traceparent)
        await library.wait_for_span(caller.trace_id, "query")

    assert answer["data"]["books"][0] == {"title": "Moon", "stars": None}
    first, second = library.collector.find_spans("POST reviews", caller.trace_id)
    for fetch in (first, second):
        assert (fetch.failed, fetch.message) == (True, "")
        assert fetch.attributes["error.type"] == "unavailable"
        assert fetch.attributes["http.response.status_code"] == 503
    [execution] = library.collector.find_spans("execute", caller.trace_id)
    assert first.parent_id == second.parent_id == execution.id
    [server] = library.collector.find_spans("query", caller.trace_id)
    assert (server.failed, server.attributes["error.type"]) == (True, "DOWNSTREAM_SERVICE_ERROR")
    [healthy] = library.collector.find_spans("POST books", caller.trace_id)
    assert not healthy.failed
    assert b"Mila" not in b"".join(library.collector.bodies)


async def test_the_span_of_a_fetch_to_an_unreachable_subgraph_has_no_status_code():
    async with (
        refuse_connections() as origin,
        run_traced_library(REVIEWS_URL=f"{origin}/graphql", ROUTER_RETRIES="0") as library,
    ):
        caller = create_callers_trace()
        await library.execute(QUERY, traceparent=caller.traceparent)
        await library.wait_for_span(caller.trace_id, "query")

    [fetch] = library.collector.find_spans("POST reviews", caller.trace_id)
    assert (fetch.failed, fetch.attributes["error.type"]) == (True, "unreachable")
    assert "http.response.status_code" not in fetch.attributes


async def test_a_fetch_refused_by_the_circuit_breaker_is_an_event_instead_of_a_span():
    environ = {"ROUTER_RETRIES": "0", "ROUTER_BREAKER_FAILURES": "1", "ROUTER_BREAKER_SECONDS": "3600"}
    async with (
        serve_app(_answer_503) as origin,
        run_traced_library(REVIEWS_URL=f"{origin}/graphql", **environ) as library,
    ):
        await library.execute(QUERY)
        caller = create_callers_trace()
        await library.execute(QUERY, traceparent=caller.traceparent)
        await library.wait_for_span(caller.trace_id, "query")

    assert not library.collector.find_spans("POST reviews", caller.trace_id)
    [execution] = library.collector.find_spans("execute", caller.trace_id)
    assert execution.events == [("refused fetch", {"subgraph.name": "reviews"})]


async def test_a_client_error_is_recorded_without_failing_the_span(shared_library: TracedLibrary):
    caller = create_callers_trace()
    headers = {"traceparent": caller.traceparent, "accept": "application/graphql-response+json"}

    await shared_library.execute({"query": "query Wrong { nothing }"}, **headers)
    await shared_library.wait_for_span(caller.trace_id, "POST /graphql")

    [server] = shared_library.collector.find_spans("POST /graphql", caller.trace_id)
    assert (server.failed, server.attributes["error.type"]) == (False, "GRAPHQL_VALIDATION_FAILED")
    assert server.attributes["http.response.status_code"] == 400
    [validation] = shared_library.collector.find_spans("validate", caller.trace_id)
    assert (validation.failed, validation.attributes["error.type"]) == (False, "GRAPHQL_VALIDATION_FAILED")


async def test_an_unreachable_key_set_fails_the_span():
    async with refuse_connections() as origin, run_traced_library(JWKS_URL=f"{origin}/keys") as library:
        caller = create_callers_trace()
        token = "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.e30.AAAA"
        await library.execute(QUERY, traceparent=caller.traceparent, authorization=token)
        await library.wait_for_span(caller.trace_id, "POST /graphql")

    [server] = library.collector.find_spans("POST /graphql", caller.trace_id)
    assert (server.failed, server.attributes["http.response.status_code"]) == (True, 503)
    [identification] = library.collector.find_spans("identify", caller.trace_id)
    assert (identification.failed, identification.attributes["error.type"]) == (
        True,
        "DOWNSTREAM_SERVICE_ERROR",
    )
