"""Masking of unexpected errors, which clients must not see."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from subgraphs.common.errors import DomainError
from subgraphs.common.redaction import truncate
from subgraphs.common.telemetry import get_logger, get_trace_id


def format_error(error: GraphQLError) -> Any:
    """Format an error for the client; an unexpected one is logged and masked."""
    formatted: dict[str, Any] = dict(error.formatted)
    # Suggestions would reveal the schema.
    formatted["message"] = truncate(error.message.split(" Did you mean ")[0])
    cause = error.original_error
    if isinstance(cause, DomainError):
        return formatted | {"extensions": cause.extensions}
    if cause is None or isinstance(cause, GraphQLError):
        return formatted | {"extensions": {"code": "GRAPHQL_VALIDATION_FAILED"} | (error.extensions or {})}
    get_logger().error("A resolver failed", path=error.path, exc_info=cause)
    return formatted | build_masked_error()


def build_masked_error() -> dict[str, Any]:
    """Build the masked form of an unexpected error, with the trace id to find it in the logs."""
    return {
        "message": "Something went wrong on our side.",
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "traceId": get_trace_id()},
    }
