"""A GraphQL request as clients send it: the same parameters in a body, a query string or a message."""

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
MAX_NAME = 500
# A text of the largest size that is nothing but empty lists takes 70 ms to read, and lists of an input type
# are coerced at a thousand items a millisecond.
MAX_VALUES = 10_000
MAX_LEVELS = 200


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of one operation; its document is sent, or named, or both."""

    query: str | None
    operation_name: str | None
    variables: dict[str, Any]
    document_id: str | None = None
    operation_id: str | None = None
    """What tells the operation from others on the same event stream."""


def from_json(value: Any) -> GraphQLRequest:
    """Reads the parameters from a decoded JSON value.

    Raises:
        MalformedRequestError: the value is not an object of these parameters.
    """
    if not isinstance(value, dict):
        raise MalformedRequestError("A GraphQL request is a JSON object.")
    for name, (kind, wording) in PARAMETERS.items():
        if value.get(name) is not None and not isinstance(value[name], kind):
            raise MalformedRequestError(f"The parameter {name!r} must be {wording}.")
    query, document_id = value.get("query"), _document_id(value)
    if document_id is not None:
        # Protocols that want a text with every request are sent an empty one.
        query = query or None
    elif query is None:
        raise MalformedRequestError("The request has no parameter 'query'.")
    named, variables = _short(value, "operationName"), value.get("variables") or {}
    return GraphQLRequest(query, named, variables, document_id, _operation_id(value))


def from_body(body: bytes, max_batch: int = 1) -> GraphQLRequest | tuple[GraphQLRequest, ...]:
    """Reads one operation's parameters from a JSON body, or those of a batch, which is a JSON list.

    Raises:
        MalformedRequestError: the body is neither, or the batch is longer than allowed.
    """
    value = from_text(body, "The body")
    if not isinstance(value, list):
        return from_json(value)
    if max_batch == 1:
        raise MalformedRequestError("Several operations in one request are not accepted.")
    if not 1 <= len(value) <= max_batch:
        raise MalformedRequestError(f"A batch has 1 to {max_batch} operations; this one has {len(value)}.")
    return tuple(from_json(each) for each in value)


def from_query(parameters: Mapping[str, str]) -> GraphQLRequest:
    """Reads the parameters from a query string, where variables and extensions are JSON."""
    value: dict[str, Any] = {name: parameters[name] for name in PARAMETERS if name in parameters}
    for name in ("variables", "extensions"):
        if value.get(name):
            value[name] = from_text(value[name].encode(errors="replace"), f"The parameter {name!r}")
        else:
            value.pop(name, None)
    return from_json(value)


def _document_id(value: Mapping[str, Any]) -> str | None:
    """The name of a document, as the parameter `documentId` or as the hash of Apollo's protocol."""
    persisted = (value.get("extensions") or {}).get("persistedQuery")
    if persisted is None:
        return _short(value, "documentId")
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise MalformedRequestError("Unsupported persisted query version.")
    if isinstance(persisted.get("sha256Hash"), str) and (document_id := _short(persisted, "sha256Hash")):
        return document_id
    raise MalformedRequestError("A persisted query is named by its 'sha256Hash'.")


def _operation_id(value: Mapping[str, Any]) -> str | None:
    extensions = value.get("extensions") or {}
    return _short(extensions, "operationId") if isinstance(extensions.get("operationId"), str) else None


def _short(values: Mapping[str, Any], name: str) -> str | None:
    """A name, which is kept and told; an empty one is none."""
    value: str | None = values.get(name)
    if value and len(value) > MAX_NAME:
        raise MalformedRequestError(f"The parameter {name!r} is longer than {MAX_NAME} characters.")
    return value or None


def from_text(text: bytes, what: str) -> Any:
    """The value of a JSON text that a client sends.

    Raises:
        MalformedRequestError: it is not JSON, or has too many values, or too many levels.
    """
    containers = text.count(b"[") + text.count(b"{")
    if containers + text.count(b",") > MAX_VALUES:
        raise MalformedRequestError(f"{what} has more than {MAX_VALUES} values.")
    try:
        value = decode(text)
    except InvalidJsonError as error:
        raise MalformedRequestError(f"{what} is not valid JSON: {error}.") from None
    if containers > MAX_LEVELS and _levels_exceed(value, MAX_LEVELS):
        raise MalformedRequestError(f"{what} is nested more than {MAX_LEVELS} levels deep.")
    return value


def _levels_exceed(value: Any, limit: int) -> bool:
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
