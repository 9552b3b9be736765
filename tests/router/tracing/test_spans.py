"""The spans of HTTP requests: their tree, their attributes, and their continuation in subgraphs."""

import orjson

from tests.router.tracing.traced_library import TracedLibrary, create_callers_trace, run_traced_library
from tests.support.router_process import read_log


async def test_a_query_over_subgraphs_is_a_tree_of_its_stages_and_fetches(shared_library: TracedLibrary):
    caller = create_callers_trace()

    answer = await shared_library.execute(
        {"query": "query Tree { books { title stars } }"}, traceparent=caller.traceparent
    )
    await shared_library.wait_for_span(caller.trace_id, "query")

    assert answer["data"]["books"][0] == {"title": "Moon", "stars": 4}
    assert shared_library.collector.render_tree(caller.trace_id).splitlines() == [
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
    [server] = shared_library.collector.find_spans("query", caller.trace_id)
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
    assert not any(span.failed for span in shared_library.collector.spans if span.trace_id == caller.trace_id)


async def test_each_subgraph_continues_the_span_of_its_own_fetch(shared_library: TracedLibrary):
    caller = create_callers_trace()

    body = {"query": "query Own { books { title stars } }"}
    await shared_library.execute(body, traceparent=caller.traceparent, tracestate="vendor=1")
    await shared_library.wait_for_span(caller.trace_id, "query")

    for subgraph, name in ((shared_library.books, "books"), (shared_library.reviews, "reviews")):
        [fetch] = shared_library.collector.find_spans(f"POST {name}", caller.trace_id)
        [request] = [each for each in subgraph.requests if caller.trace_id in each["traceparent"]]
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


async def test_a_cached_operation_is_not_prepared_again(shared_library: TracedLibrary):
    first, second = create_callers_trace(), create_callers_trace()

    for caller in (first, second):
        await shared_library.execute({"query": "query Twice { average }"}, traceparent=caller.traceparent)
        await shared_library.wait_for_span(caller.trace_id, "query")

    [missed], [hit] = (
        shared_library.collector.find_spans("prepare", each.trace_id) for each in (first, second)
    )
    assert (missed.attributes, hit.attributes) == (
        {"router.operation_cache": "miss"},
        {"router.operation_cache": "hit"},
    )
    assert not shared_library.collector.find_spans("parse", second.trace_id)


async def test_a_request_without_a_trace_begins_one_and_logs_its_id():
    async with run_traced_library() as library:
        await library.execute({"query": "query Alone { average }"})
        line = await anext(read_log(library.process))
        await library.wait_for_span(line["traceId"], "query")

    [server] = library.collector.find_spans("query")
    assert (server.trace_id, server.parent_id) == (line["traceId"], "")
    assert line["metadata"]["name"] == "Alone"


async def test_an_unsampled_trace_is_not_recorded_but_is_propagated(shared_library: TracedLibrary):
    unsampled, sampled = create_callers_trace(sampled=False), create_callers_trace()

    for caller in (unsampled, sampled):
        body = {"query": "query Flags { average }"}
        await shared_library.execute(body, traceparent=caller.traceparent, tracestate="vendor=2")
    await shared_library.wait_for_span(sampled.trace_id, "query")

    assert shared_library.collector.render_tree(unsampled.trace_id) == ""
    [request] = [
        each for each in shared_library.reviews.requests if unsampled.trace_id in each["traceparent"]
    ]
    version, _, span_id, flags = request["traceparent"].split("-")
    assert (version, flags, request["tracestate"]) == ("00", "00", "vendor=2")
    assert span_id != unsampled.span_id


async def test_a_batch_has_a_span_and_one_below_it_for_each_operation(shared_library: TracedLibrary):
    caller = create_callers_trace()

    batch = [{"query": "query One { average }"}, {"query": "query Two { nothing }"}]
    await shared_library.execute(batch, traceparent=caller.traceparent)
    await shared_library.wait_for_span(caller.trace_id, "POST /graphql")

    [request] = shared_library.collector.find_spans("POST /graphql", caller.trace_id)
    [one] = shared_library.collector.find_spans("query", caller.trace_id)
    [two] = shared_library.collector.find_spans("GraphQL Operation", caller.trace_id)
    assert {one.parent_id, two.parent_id} == {request.id}
    assert (one.kind, one.attributes["graphql.operation.name"]) == ("SERVER", "One")
    assert (two.kind, two.attributes["error.type"]) == ("SERVER", "GRAPHQL_VALIDATION_FAILED")


async def test_a_deduplicated_fetch_is_an_event_instead_of_a_span(shared_library: TracedLibrary):
    caller = create_callers_trace()

    batch = [{"query": "query Same { average }"}, {"query": "query Same { average }"}]
    await shared_library.execute(batch, traceparent=caller.traceparent)
    await shared_library.wait_for_span(caller.trace_id, "POST /graphql")

    assert len(shared_library.collector.find_spans("POST reviews", caller.trace_id)) == 1
    execution = shared_library.collector.find_spans("execute", caller.trace_id)
    assert [each.events for each in execution] == [[], [("shared fetch", {"subgraph.name": "reviews"})]]


async def test_spans_contain_no_documents_variables_or_results(shared_library: TracedLibrary):
    caller = create_callers_trace()

    query = 'query Secret($id: ID!) { book(id: $id) { title } other: book(id: "Mila") { title } }'
    headers = {"authorization": "Basic hunter2", "traceparent": caller.traceparent}
    for variables in ({"id": "Tom"}, {"id": ["Tom"]}):
        await shared_library.execute({"query": query, "variables": variables}, **headers)
    shared_library.collector.bodies.clear()
    await shared_library.execute(
        {"query": query, "variables": {"id": "1"}}, traceparent=(later := create_callers_trace()).traceparent
    )
    await shared_library.wait_for_span(later.trace_id, "query")

    sent = b"".join(shared_library.collector.bodies)
    assert b"Secret" in sent
    assert not [word for word in (b"Mila", b"Tom", b"hunter2", b"Moon", b"title") if word in sent]


async def test_the_service_name_comes_from_the_environment_and_defaults_to_router(
    shared_library: TracedLibrary,
):
    caller = create_callers_trace()
    await shared_library.execute({"query": "{ average }"}, traceparent=caller.traceparent)
    await shared_library.wait_for_span(caller.trace_id, "query")
    assert shared_library.collector.resource["service.name"] == "router"

    named = {"OTEL_SERVICE_NAME": "edge", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"}
    async with run_traced_library(**named) as library:
        await library.execute({"query": "{ average }"}, traceparent=caller.traceparent)
        await library.wait_for_span(caller.trace_id, "query")
    assert (
        library.collector.resource.items()
        >= {
            "service.name": "edge",
            "deployment.environment.name": "test",
        }.items()
    )


async def test_spans_are_sampled_as_the_environment_configures():
    async with run_traced_library(OTEL_TRACES_SAMPLER="parentbased_always_off") as library:
        await library.execute({"query": "query Unasked { average }"})
        caller = create_callers_trace()
        await library.execute({"query": "query Asked { average }"}, traceparent=caller.traceparent)
        await library.wait_for_span(caller.trace_id, "query")
    assert {span.trace_id for span in library.collector.spans} == {caller.trace_id}


async def test_the_console_exporter_prints_spans_as_lines_beside_the_log():
    async with run_traced_library(OTEL_TRACES_EXPORTER="console") as library:
        caller = create_callers_trace()
        await library.execute({"query": "query Shown { average }"}, traceparent=caller.traceparent)
        async for line in read_log(library.process):
            if line.get("name") == "query":
                break
    assert line["context"]["trace_id"] == f"0x{caller.trace_id}"
    assert line["attributes"]["graphql.operation.name"] == "Shown"
    assert not library.collector.spans
    assert orjson.dumps(line)
