"""The spans of requests over HTTP: their tree, what they tell, and what subgraphs continue."""

import orjson

from tests.router.tracing.running import Traced, callers_trace, traced
from tests.support.router_process import lines


async def test_a_query_over_subgraphs_is_a_tree_of_its_stages_and_fetches(running: Traced):
    caller = callers_trace()

    answer = await running.ask(
        {"query": "query Tree { books { title stars } }"}, traceparent=caller.traceparent
    )
    await running.collected(caller.trace_id, "query")

    assert answer["data"]["books"][0] == {"title": "Moon", "stars": 4}
    assert running.collector.outline(caller.trace_id).splitlines() == [
        "SERVER query",
        "  identify",
        "  prepare",
        "    parse",
        "    validate",
        "    plan",
        "  authorise",
        "  coerce",
        "  execute",
        "    CLIENT POST books",
        "    CLIENT POST reviews",
        "    project",
    ]
    [server] = running.collector.named("query", caller.trace_id)
    assert server.parent_id == caller.span_id
    assert server.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/graphql",
        "url.path": "/graphql",
        "url.scheme": "http",
        "graphql.operation.type": "query",
        "graphql.operation.name": "Tree",
    }
    assert not any(span.failed for span in running.collector.spans if span.trace_id == caller.trace_id)


async def test_each_subgraph_continues_the_span_of_its_own_fetch(running: Traced):
    caller = callers_trace()

    question = {"query": "query Own { books { title stars } }"}
    await running.ask(question, traceparent=caller.traceparent, tracestate="vendor=1")
    await running.collected(caller.trace_id, "query")

    for shelf, name in ((running.books, "books"), (running.reviews, "reviews")):
        [fetch] = running.collector.named(f"POST {name}", caller.trace_id)
        [request] = [each for each in shelf.requests if caller.trace_id in each["traceparent"]]
        assert request["traceparent"] == f"00-{caller.trace_id}-{fetch.id}-01"
        assert request["tracestate"] == "vendor=1"
        address, port = request["host"].split(":")
        assert fetch.attributes == {
            "subgraph.name": name,
            "http.request.method": "POST",
            "http.response.status_code": 200,
            "server.address": address,
            "server.port": int(port),
            "url.full": f"http://{address}:{port}/graphql",
        }


async def test_an_operation_that_is_known_is_not_prepared_again(running: Traced):
    first, second = callers_trace(), callers_trace()

    for caller in (first, second):
        await running.ask({"query": "query Twice { average }"}, traceparent=caller.traceparent)
        await running.collected(caller.trace_id, "query")

    [missed], [hit] = (running.collector.named("prepare", each.trace_id) for each in (first, second))
    assert (missed.attributes, hit.attributes) == (
        {"router.operation_cache": "miss"},
        {"router.operation_cache": "hit"},
    )
    assert not running.collector.named("parse", second.trace_id)


async def test_a_request_without_a_trace_begins_one_and_logs_its_id():
    async with traced() as library:
        await library.ask({"query": "query Alone { average }"})
        line = await anext(lines(library.process))
        await library.collected(line["traceId"], "query")

    [server] = library.collector.named("query")
    assert (server.trace_id, server.parent_id) == (line["traceId"], "")
    assert line["metadata"]["name"] == "Alone"


async def test_what_the_caller_does_not_sample_is_not_recorded_but_its_trace_goes_on(running: Traced):
    unsampled, sampled = callers_trace(sampled=False), callers_trace()

    for caller in (unsampled, sampled):
        question = {"query": "query Flags { average }"}
        await running.ask(question, traceparent=caller.traceparent, tracestate="vendor=2")
    await running.collected(sampled.trace_id, "query")

    assert running.collector.outline(unsampled.trace_id) == ""
    [request] = [each for each in running.reviews.requests if unsampled.trace_id in each["traceparent"]]
    version, _, span_id, flags = request["traceparent"].split("-")
    assert (version, flags, request["tracestate"]) == ("00", "00", "vendor=2")
    assert span_id != unsampled.span_id


async def test_a_batch_has_a_span_and_one_below_it_for_each_operation(running: Traced):
    caller = callers_trace()

    batch = [{"query": "query One { average }"}, {"query": "query Two { nothing }"}]
    await running.ask(batch, traceparent=caller.traceparent)
    await running.collected(caller.trace_id, "POST /graphql")

    [request] = running.collector.named("POST /graphql", caller.trace_id)
    [one] = running.collector.named("query", caller.trace_id)
    [two] = running.collector.named("GraphQL Operation", caller.trace_id)
    assert {one.parent_id, two.parent_id} == {request.id}
    assert (one.kind, one.attributes["graphql.operation.name"]) == ("SERVER", "One")
    assert (two.kind, two.attributes["error.type"]) == ("SERVER", "GRAPHQL_VALIDATION_FAILED")


async def test_a_fetch_that_another_answers_is_an_event_and_no_span(running: Traced):
    caller = callers_trace()

    batch = [{"query": "query Same { average }"}, {"query": "query Same { average }"}]
    await running.ask(batch, traceparent=caller.traceparent)
    await running.collected(caller.trace_id, "POST /graphql")

    assert len(running.collector.named("POST reviews", caller.trace_id)) == 1
    executed = running.collector.named("execute", caller.trace_id)
    assert [each.events for each in executed] == [[], [("shared fetch", {"subgraph.name": "reviews"})]]


async def test_what_is_asked_and_answered_is_in_no_span(running: Traced):
    caller = callers_trace()

    query = 'query Secret($id: ID!) { book(id: $id) { title } other: book(id: "Mila") { title } }'
    headers = {"authorization": "Basic hunter2", "traceparent": caller.traceparent}
    for variables in ({"id": "Tom"}, {"id": ["Tom"]}):
        await running.ask({"query": query, "variables": variables}, **headers)
    running.collector.bodies.clear()
    await running.ask(
        {"query": query, "variables": {"id": "1"}}, traceparent=(later := callers_trace()).traceparent
    )
    await running.collected(later.trace_id, "query")

    sent = b"".join(running.collector.bodies)
    assert b"Secret" in sent
    assert not [word for word in (b"Mila", b"Tom", b"hunter2", b"Moon", b"title") if word in sent]


async def test_the_process_is_named_as_the_environment_says_and_else_the_router(running: Traced):
    caller = callers_trace()
    await running.ask({"query": "{ average }"}, traceparent=caller.traceparent)
    await running.collected(caller.trace_id, "query")
    assert running.collector.resource["service.name"] == "router"

    named = {"OTEL_SERVICE_NAME": "edge", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"}
    async with traced(**named) as library:
        await library.ask({"query": "{ average }"}, traceparent=caller.traceparent)
        await library.collected(caller.trace_id, "query")
    assert (
        library.collector.resource.items()
        >= {
            "service.name": "edge",
            "deployment.environment.name": "test",
        }.items()
    )


async def test_spans_are_sampled_as_the_environment_says():
    async with traced(OTEL_TRACES_SAMPLER="parentbased_always_off") as library:
        await library.ask({"query": "query Unasked { average }"})
        caller = callers_trace()
        await library.ask({"query": "query Asked { average }"}, traceparent=caller.traceparent)
        await library.collected(caller.trace_id, "query")
    assert {span.trace_id for span in library.collector.spans} == {caller.trace_id}


async def test_the_console_has_spans_as_lines_beside_the_log():
    async with traced(OTEL_TRACES_EXPORTER="console") as library:
        caller = callers_trace()
        await library.ask({"query": "query Shown { average }"}, traceparent=caller.traceparent)
        async for line in lines(library.process):
            if line.get("name") == "query":
                break
    assert line["context"]["trace_id"] == f"0x{caller.trace_id}"
    assert line["attributes"]["graphql.operation.name"] == "Shown"
    assert not library.collector.spans
    assert orjson.dumps(line)
