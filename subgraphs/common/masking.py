"""Masking: errors as a client may see them."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from subgraphs.common.errors import DomainError
from subgraphs.common.redaction import cut
from subgraphs.common.telemetry import logger, trace_id


def public_error(error: GraphQLError) -> Any:
    """An error as the client may see it: stated when it is expected, masked and logged when it is not."""
    formatted: dict[str, Any] = dict(error.formatted)
    # Suggestions would tell a stranger what the schema has.
    formatted["message"] = cut(error.message.split(" Did you mean ")[0])
    cause = error.original_error
    if isinstance(cause, DomainError):
        return formatted | {"extensions": cause.extensions}
    if cause is None or isinstance(cause, GraphQLError):
        return formatted | {"extensions": {"code": "GRAPHQL_VALIDATION_FAILED"} | (error.extensions or {})}
    logger().error("A resolver failed", path=error.path, exc_info=cause)
    return formatted | masked()


def masked() -> dict[str, Any]:
    """What a client is told of an unexpected error: where to find it in the logs."""
    return {
        "message": "Something went wrong on our side.",
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "traceId": trace_id()},
    }
