"""The request of a subscription stream: at first without a cursor, later for the events after a number."""

import json

import pytest

from router.executor import build_stream_request, compile_operation
from router.planner import Planner
from router.supergraph import Supergraph
from router.transport.stream_request import StreamRequest
from tests.support.planning import SUPERGRAPHS, build_operation_on, load_operation, load_supergraph


def build_request(text: str, **variables: object) -> StreamRequest:
    compiled = compile_operation(Planner(load_supergraph("counters")), load_operation("counters", text))
    return build_stream_request(compiled, variables)


def decode_request(request: StreamRequest, position: int | None = None) -> tuple[str, dict[str, object]]:
    body = json.loads(request.encode(position))
    return body["query"], body.get("variables", {})


def test_the_sequence_number_is_selected_and_the_stream_resumes_after_it():
    request = build_request("subscription { counts { text } }")

    assert decode_request(request) == ("subscription{counts{text sequence}}", {})
    assert decode_request(request, 7) == (
        "subscription($cursor:Int!){counts(after:$cursor){text sequence}}",
        {"cursor": 7},
    )
    assert request.cursor is not None
    assert request.cursor.read_position({"data": {"counts": {"text": "a", "sequence": 7}}}) == 7


def test_the_cursor_of_the_client_is_replaced_and_its_other_variables_are_kept():
    request = build_request(
        "subscription ($from: Int! = 2, $cursor: Int) { events(name: $cursor, after: $from) { sequence } }",
        **{"from": 3, "cursor": 1},
    )

    assert decode_request(request) == (
        "subscription($cursor:Int$from:Int!=2){events(name:$cursor after:$from){__typename sequence}}",
        {"from": 3, "cursor": 1},
    )
    assert decode_request(request, 9) == (
        (
            "subscription($cursor:Int$_cursor_1:Int!)"
            "{events(name:$cursor after:$_cursor_1){__typename sequence}}"
        ),
        {"cursor": 1, "_cursor_1": 9},
    )


@pytest.mark.parametrize(
    ("text", "field", "number"),
    [
        ("subscription { counts { at: sequence } }", "counts", "at"),
        ("subscription { seen: counts { sequence: text } }", "seen", "_sequence_1"),
        ("subscription { events { ... on Count { sequence: text } } }", "events", "_sequence_1"),
    ],
)
def test_aliases_of_the_client_do_not_hide_the_number(text: str, field: str, number: str):
    cursor = build_request(text).cursor

    assert cursor is not None
    assert (cursor.field, cursor.number) == (field, number)
    assert cursor.read_position({"data": {field: {number: 3}}}) == 3


def test_a_conditional_number_is_selected_again_without_its_condition():
    request = build_request("subscription ($no: Boolean!) { counts { sequence @skip(if: $no) } }", no=True)

    assert decode_request(request)[0] == (
        "subscription($no:Boolean!){counts{sequence@skip(if:$no)_sequence_1:sequence}}"
    )


@pytest.mark.parametrize("field", ["beats", "lists", "dated", "notes"])
def test_a_stream_without_an_argument_or_a_number_has_no_cursor(field: str):
    request = build_request(f"subscription {{ {field} {{ text }} }}")

    assert request.cursor is None
    assert decode_request(request, 5) == (f"subscription{{{field}{{text}}}}", {})


@pytest.mark.parametrize("event", [{"data": None}, {"data": {"counts": None}}, {"errors": []}, {"data": 3}])
def test_an_event_that_failed_has_no_number(event: dict[str, object]):
    cursor = build_request("subscription { counts { text } }").cursor

    assert cursor is not None
    assert cursor.read_position(event) is None


def test_a_directive_of_the_operation_keeps_its_variable_when_the_stream_resumes():
    sdl = (SUPERGRAPHS / "counters.graphql").read_text() + "directive @tagged(by: Int) on SUBSCRIPTION"
    graph = Supergraph.parse(sdl)
    text = "subscription ($by: Int) @tagged(by: $by) { counts { text } }"
    request = build_stream_request(
        compile_operation(Planner(graph), build_operation_on(graph, text)), {"by": 4}
    )

    assert decode_request(request, 7) == (
        "subscription($by:Int$cursor:Int!)@tagged(by:$by){counts(after:$cursor){text sequence}}",
        {"by": 4, "cursor": 7},
    )
