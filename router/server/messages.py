"""The messages of the graphql-transport-ws protocol that a client may send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from router.errors import MalformedRequestError
from router.pipeline.request import GraphQLRequest, parse_json, parse_request

# An id is sent back with every result.
MAX_ID_CHARACTERS = 500


class InvalidMessageError(Exception):
    """The message violates the protocol; the error's message says how."""


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    """Direction: client to server. Initialises the connection; the payload may contain a token."""

    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ping:
    """Direction: bidirectional. Asks for a pong."""

    payload: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    """Direction: bidirectional. The response to a ping, or an unsolicited heartbeat."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Direction: client to server. Starts an operation of any kind."""

    id: str
    request: GraphQLRequest


@dataclass(frozen=True, slots=True)
class Complete:
    """Direction: bidirectional. Ends an operation."""

    id: str


Message = ConnectionInit | Ping | Pong | Subscribe | Complete


def parse(text: str | bytes) -> Message:
    """Parses one message.

    Raises:
        InvalidMessageError: it is not one of the protocol's messages.
    """
    try:
        value = parse_json(text if isinstance(text, bytes) else text.encode(), "The message")
    except MalformedRequestError as error:
        raise InvalidMessageError(error.message) from None
    if not isinstance(value, dict):
        raise InvalidMessageError("A message must be a JSON object")
    match value.get("type"):
        case "connection_init":
            return ConnectionInit(_read_payload(value) or {})
        case "ping":
            return Ping(_read_payload(value))
        case "pong":
            _read_payload(value)
            return Pong()
        case "subscribe":
            return Subscribe(_read_id(value), _read_request(value))
        case "complete":
            return Complete(_read_id(value))
        case _:
            raise InvalidMessageError("The message has an unknown type")


def _read_payload(value: dict[str, Any]) -> dict[str, Any] | None:
    payload = value.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise InvalidMessageError("The payload must be an object or null")
    return payload


def _read_id(value: dict[str, Any]) -> str:
    identifier = value.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise InvalidMessageError("The id must be a non-empty string")
    if len(identifier) > MAX_ID_CHARACTERS:
        raise InvalidMessageError(f"The id is longer than {MAX_ID_CHARACTERS} characters")
    return identifier


def _read_request(value: dict[str, Any]) -> GraphQLRequest:
    try:
        return parse_request(value.get("payload"))
    except MalformedRequestError as error:
        raise InvalidMessageError(error.message) from None
