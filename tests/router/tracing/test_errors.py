"""What spans tell of what goes wrong."""

from starlette.responses import PlainTextResponse

from tests.router.library import serving
from tests.router.tracing.running import Traced, callers_trace, traced
from tests.support.serving import refusing

QUERY = {"query": "query Failing { books { title stars } }"}


async def _broken(scope, receive, send):
    await PlainTextResponse("Mila is missing", 503)(scope, receive, send)


async def test_a_fetch_that_fails_is_told_by_its_outcome_and_sent_again_with_a_span_of_its_own():
    async with serving(_broken) as origin, traced(REVIEWS_URL=f"{origin}/graphql") as library:
        caller = callers_trace()
        answer = await library.ask(QUERY, traceparent=caller.traceparent)
        await library.collected(caller.trace_id, "query")

    assert answer["data"]["books"][0] == {"title": "Moon", "stars": None}
    first, second = library.collector.named("POST reviews", caller.trace_id)
    for fetch in (first, second):
        assert (fetch.failed, fetch.message) == (True, "")
        assert fetch.attributes["error.type"] == "unavailable"
        assert fetch.attributes["http.response.status_code"] == 503
    [executed] = library.collector.named("execute", caller.trace_id)
    assert first.parent_id == second.parent_id == executed.id
    [server] = library.collector.named("query", caller.trace_id)
    assert (server.failed, server.attributes["error.type"]) == (True, "DOWNSTREAM_SERVICE_ERROR")
    [healthy] = library.collector.named("POST books", caller.trace_id)
    assert not healthy.failed
    assert b"Mila" not in b"".join(library.collector.bodies)


async def test_a_subgraph_that_is_not_there_leaves_no_status():
    async with (
        refusing() as origin,
        traced(REVIEWS_URL=f"{origin}/graphql", ROUTER_RETRIES="0") as library,
    ):
        caller = callers_trace()
        await library.ask(QUERY, traceparent=caller.traceparent)
        await library.collected(caller.trace_id, "query")

    [fetch] = library.collector.named("POST reviews", caller.trace_id)
    assert (fetch.failed, fetch.attributes["error.type"]) == (True, "unreachable")
    assert "http.response.status_code" not in fetch.attributes


async def test_a_fetch_that_is_refused_is_an_event_and_no_span():
    environ = {"ROUTER_RETRIES": "0", "ROUTER_BREAKER_FAILURES": "1", "ROUTER_BREAKER_SECONDS": "3600"}
    async with serving(_broken) as origin, traced(REVIEWS_URL=f"{origin}/graphql", **environ) as library:
        await library.ask(QUERY)
        caller = callers_trace()
        await library.ask(QUERY, traceparent=caller.traceparent)
        await library.collected(caller.trace_id, "query")

    assert not library.collector.named("POST reviews", caller.trace_id)
    [executed] = library.collector.named("execute", caller.trace_id)
    assert executed.events == [("refused fetch", {"subgraph.name": "reviews"})]


async def test_what_the_client_is_to_blame_for_is_told_but_is_no_error(running: Traced):
    caller = callers_trace()
    headers = {"traceparent": caller.traceparent, "accept": "application/graphql-response+json"}

    await running.ask({"query": "query Wrong { nothing }"}, **headers)
    await running.collected(caller.trace_id, "POST /graphql")

    [server] = running.collector.named("POST /graphql", caller.trace_id)
    assert (server.failed, server.attributes["error.type"]) == (False, "GRAPHQL_VALIDATION_FAILED")
    assert server.attributes["http.response.status_code"] == 400
    [validated] = running.collector.named("validate", caller.trace_id)
    assert (validated.failed, validated.attributes["error.type"]) == (False, "GRAPHQL_VALIDATION_FAILED")


async def test_an_identity_that_cannot_be_verified_now_is_an_error():
    async with refusing() as origin, traced(JWKS_URL=f"{origin}/keys") as library:
        caller = callers_trace()
        token = "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.e30.AAAA"
        await library.ask(QUERY, traceparent=caller.traceparent, authorization=token)
        await library.collected(caller.trace_id, "POST /graphql")

    [server] = library.collector.named("POST /graphql", caller.trace_id)
    assert (server.failed, server.attributes["http.response.status_code"]) == (True, 503)
    [identified] = library.collector.named("identify", caller.trace_id)
    assert (identified.failed, identified.attributes["error.type"]) == (True, "DOWNSTREAM_SERVICE_ERROR")
