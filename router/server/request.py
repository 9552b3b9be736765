"""A GraphQL request as clients send it: the same parameters in a body, a query string or a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from router.errors import MalformedRequestError

PARAMETERS: Mapping[str, tuple[type, str]] = {
    "query": (str, "a string"),
    "documentId": (str, "a string or null"),
    "operationName": (str, "a string or null"),
    "variables": (dict, "an object or null"),
    "extensions": (dict, "an object or null"),
}


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
    named, variables = value.get("operationName") or None, value.get("variables") or {}
    return GraphQLRequest(query, named, variables, document_id, _operation_id(value))


def from_body(body: bytes, max_batch: int = 1) -> GraphQLRequest | tuple[GraphQLRequest, ...]:
    """Reads one operation's parameters from a JSON body, or those of a batch, which is a JSON list.

    Raises:
        MalformedRequestError: the body is neither, or the batch is longer than allowed.
    """
    value = _decoded(body, "The body")
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
            value[name] = _decoded(value[name].encode(), f"The parameter {name!r}")
        else:
            value.pop(name, None)
    return from_json(value)


def _document_id(value: Mapping[str, Any]) -> str | None:
    """The name of a document, as the parameter `documentId` or as the hash of Apollo's protocol."""
    persisted = (value.get("extensions") or {}).get("persistedQuery")
    if persisted is None:
        return value.get("documentId") or None
    if not isinstance(persisted, dict) or persisted.get("version") != 1:
        raise MalformedRequestError("Unsupported persisted query version.")
    document_id = persisted.get("sha256Hash")
    if not isinstance(document_id, str) or not document_id:
        raise MalformedRequestError("A persisted query is named by its 'sha256Hash'.")
    return document_id


def _operation_id(value: Mapping[str, Any]) -> str | None:
    identifier = (value.get("extensions") or {}).get("operationId")
    return identifier if isinstance(identifier, str) and identifier else None


def _decoded(text: bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise MalformedRequestError(f"{what} is not valid JSON.") from None
