"""Parsing the parameters of GraphQL requests."""

import time
from typing import Any

import pytest

from router.errors import MalformedRequestError
from router.pipeline.request import GraphQLRequest, parse_body, parse_query_string

INVALID = "The body is not valid JSON"


def test_a_body_holds_the_four_parameters():
    body = b'{"query": "{ a }", "operationName": "Q", "variables": {"n": 1}, "extensions": {"x": 1}}'
    assert parse_body(body) == GraphQLRequest("{ a }", "Q", {"n": 1})


def test_null_parameters_are_absent_parameters():
    body = b'{"query": "{ a }", "operationName": null, "variables": null, "extensions": null}'
    assert parse_body(body) == GraphQLRequest("{ a }", None, {})


def test_a_document_can_be_given_by_id_or_hash():
    assert parse_body(b'{"documentId": "one"}') == GraphQLRequest(None, None, {}, "one")
    body = b'{"query": "{ a }", "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "two"}}}'
    assert parse_body(body) == GraphQLRequest("{ a }", None, {}, "two")


def test_a_query_string_holds_variables_as_json():
    parameters = {"query": "{ a }", "variables": '{"n": 1}', "operationName": "Q", "extensions": ""}
    assert parse_query_string(parameters) == GraphQLRequest("{ a }", "Q", {"n": 1})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b"",
            f"{INVALID}: Input is a zero-length, empty document: line 1 column 1 (char 0).",
        ),
        (b"{", f"{INVALID}: unexpected end of data: line 1 column 2 (char 1)."),
        (
            b"\xff",
            f"{INVALID}: str is not valid UTF-8: surrogates not allowed: line 1 column 1 (char 0).",
        ),
        (b"null", "A GraphQL request must be a JSON object."),
        (b'"{ a }"', "A GraphQL request must be a JSON object."),
        (b'[{"query": "{ a }"}]', "Batching is not enabled."),
        (b"{}", "The parameter 'query' is missing."),
        (b'{"query": null}', "The parameter 'query' is missing."),
        (b'{"query": 1}', "The parameter 'query' must be a string."),
        (b'{"query": "{ a }", "variables": []}', "The parameter 'variables' must be an object or null."),
        (b'{"query": "{ a }", "variables": "{}"}', "The parameter 'variables' must be an object or null."),
        (
            b'{"query": "{ a }", "operationName": 1}',
            "The parameter 'operationName' must be a string or null.",
        ),
        (b'{"query": "{ a }", "extensions": 1}', "The parameter 'extensions' must be an object or null."),
        (b'{"documentId": 1}', "The parameter 'documentId' must be a string or null."),
        (b'{"extensions": {"persistedQuery": {"version": 2}}}', "Unsupported persisted query version."),
        (b'{"extensions": {"persistedQuery": 1}}', "Unsupported persisted query version."),
        (
            b'{"extensions": {"persistedQuery": {"version": 1}}}',
            "A persisted query must have a 'sha256Hash'.",
        ),
    ],
)
def test_a_malformed_request_has_a_plain_message(body: bytes, message: str):
    with pytest.raises(MalformedRequestError) as refusal:
        parse_body(body)
    assert refusal.value.message == message


LONG = b"a" * 501


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            b'{"query": "{ a }", "operationName": "%s"}' % LONG,
            "'operationName' is longer than 500 characters.",
        ),
        (b'{"documentId": "%s"}' % LONG, "'documentId' is longer than 500 characters."),
        (
            b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "%s"}}}' % LONG,
            "'sha256Hash' is longer than 500 characters.",
        ),
        (
            b'{"query": "{ a }", "extensions": {"operationId": "%s"}}' % LONG,
            "'operationId' is longer than 500 characters.",
        ),
        (b'{"variables": {"a": [%s]}}' % (b"0," * 10_000), "The body has more than 10000 values."),
        (b'{"variables": {"a": [%s]}}' % (b"{}" * 10_000), "The body has more than 10000 values."),
        (
            b'{"query": "{ a }", "variables": {"a": %s}}' % (b"[" * 199 + b"]" * 199),
            "The body is nested more than 200 levels deep.",
        ),
        (
            b'{"query": "{ a }", "variables": %s}' % (b'{"a": ' * 900 + b"1" + b"}" * 900),
            "The body is nested more than 200 levels deep.",
        ),
    ],
)
def test_an_overlong_or_deep_request_has_a_plain_message(body: bytes, message: str):
    with pytest.raises(MalformedRequestError) as refusal:
        parse_body(body)
    assert refusal.value.message.endswith(message)


def test_deep_json_with_large_integers_is_decoded_exactly():
    deep = b"[" * 198 + b"]" * 198
    request = parse_body(b'{"query": "{ a }", "variables": {"a": %s, "n": 123456789012345678901234}}' % deep)
    assert isinstance(request, GraphQLRequest)
    assert request.variables["n"] == 123456789012345678901234


def test_bodies_of_the_largest_size_are_parsed_quickly():
    for values in (b"[],", b"{},", b"0,", b'"",', b'{"a":0},', b"1e9,", b"12345678901234567890,"):
        body = b'{"query": "", "variables": {"a": [%s0]}}' % (values * (1_000_000 // len(values)))
        before = time.thread_time()
        with pytest.raises(MalformedRequestError, match="more than 10000 values"):
            parse_body(body)
        assert time.thread_time() - before < 0.02


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "The parameter 'query' is missing."),
        (
            {"query": "{ a }", "variables": "{"},
            "The parameter 'variables' is not valid JSON: unexpected end of data: line 1 column 2 (char 1).",
        ),
        ({"query": "{ a }", "variables": "1"}, "The parameter 'variables' must be an object or null."),
    ],
)
def test_a_query_string_is_checked_like_a_body(parameters: dict[str, Any], message: str):
    with pytest.raises(MalformedRequestError) as refusal:
        parse_query_string(parameters)
    assert refusal.value.message == message
