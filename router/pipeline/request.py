"""The parameters of a GraphQL request, parsed from a body, a query string or a WebSocket message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from router.errors import MalformedRequestError
from router.json_text import InvalidJsonError, decode

PARAMETERS: Mapping[str, tuple[type, str]] = {
    "query": (str, "a string"),
    "documentId": (str, "a string or null"),
    "operationName": (str, "a string or null"),
    "variables": (dict, "an object or null"),
    "extensions": (dict, "an object or null"),
}
# Hashes and names of operations are much shorter.
MAX_NAME_CHARACTERS = 500
# A body of the maximum size full of empty lists takes 70 ms to decode, and a thousand items of an input type
# take a millisecond to coerce.
MAX_VALUES = 10_000
MAX_LEVELS = 200


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of one operation, whose document is sent as text, by id, or both."""

    query: str | None
    operation_name: str | None
    variables: dict[str, Any]
    document_id: str | None = None
    operation_id: str | None = None
    """The operation's id on an event stream (graphql-sse, single connection mode)."""


def parse_request(value: Any) -> GraphQLRequest:
    """Parses the parameters from a decoded JSON value.

    Raises:
        MalformedRequestError: the value is not an object of these parameters.
    """
    if not isinstance(value, dict):
        raise MalformedRequestError("A GraphQL request must be a JSON object.")
    for name, (kind, wording) in PARAMETERS.items():
        if value.get(name) is not None and not isinstance(value[name], kind):
            raise MalformedRequestError(f"The parameter {name!r} must be {wording}.")
    query, document_id = value.get("query"), _read_document_id(value)
    if document_id is not None:
        # Some clients send an empty document with an id.
        query = query or None
    elif query is None:
        raise MalformedRequestError("The parameter 'query' is missing.")
    operation_name, variables = _read_name(value, "operationName"), value.get("variables") or {}
    return GraphQLRequest(query, operation_name, variables, document_id, _read_operation_id(value))


def parse_body(body: bytes, max_batch: int = 1) -> GraphQLRequest | tuple[GraphQLRequest, ...]:
    """Parses a JSON body: one operation's parameters, or an array of them, which is a batch.

    Raises:
        MalformedRequestError: the body is neither, or the batch is too long.
    """
    value = parse_json(body, "The body")
    if not isinstance(value, list):
        return parse_request(value)
    if max_batch == 1:
        raise MalformedRequestError("Batching is not enabled.")
    if not 1 <= len(value) <= max_batch:
        message = f"A batch must have 1 to {max_batch} operations; this one has {len(value)}."
        raise MalformedRequestError(message)
    return tuple(parse_request(each) for each in value)


def parse_query_string(parameters: Mapping[str, str]) -> GraphQLRequest:
    """Parses a query string, in which `variables` and `extensions` are JSON (GraphQL over HTTP, GET)."""
    value: dict[str, Any] = {name: parameters[name] for name in PARAMETERS if name in parameters}
    for name in ("variables", "extensions"):
        if value.get(name):
            value[name] = parse_json(value[name].encode(errors="replace"), f"The parameter {name!r}")
        else:
            value.pop(name, None)
    return parse_request(value)


def _read_document_id(value: Mapping[str, Any]) -> str | None:
    """The document's id: the parameter `documentId`, or the hash of Apollo's persisted queries."""
    persisted = (value.get("extensions") or {}).get("persistedQuery")
    if persisted is None:
        return _read_name(value, "documentId")
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise MalformedRequestError("Unsupported persisted query version.")
    if isinstance(persisted.get("sha256Hash"), str) and (document_id := _read_name(persisted, "sha256Hash")):
        return document_id
    raise MalformedRequestError("A persisted query must have a 'sha256Hash'.")


def _read_operation_id(value: Mapping[str, Any]) -> str | None:
    extensions = value.get("extensions") or {}
    return _read_name(extensions, "operationId") if isinstance(extensions.get("operationId"), str) else None


def _read_name(values: Mapping[str, Any], name: str) -> str | None:
    """A name or id, bounded because it is cached and logged; an empty one is None."""
    value: str | None = values.get(name)
    if value and len(value) > MAX_NAME_CHARACTERS:
        message = f"The parameter {name!r} is longer than {MAX_NAME_CHARACTERS} characters."
        raise MalformedRequestError(message)
    return value or None


def parse_json(text: bytes, what: str) -> Any:
    """Decodes a client's JSON; `what` names it in error messages.

    Raises:
        MalformedRequestError: it is not JSON, has too many values, or is nested too deeply.
    """
    containers = text.count(b"[") + text.count(b"{")
    if containers + text.count(b",") > MAX_VALUES:
        raise MalformedRequestError(f"{what} has more than {MAX_VALUES} values.")
    try:
        value = decode(text)
    except InvalidJsonError as error:
        raise MalformedRequestError(f"{what} is not valid JSON: {error}.") from None
    if containers > MAX_LEVELS and _exceeds_levels(value, MAX_LEVELS):
        raise MalformedRequestError(f"{what} is nested more than {MAX_LEVELS} levels deep.")
    return value


def _exceeds_levels(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
