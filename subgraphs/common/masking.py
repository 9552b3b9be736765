"""Masking: errors as a client may see them, whichever protocol carries them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from graphql import GraphQLError
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.types import ExecutionResult

from subgraphs.common.context import Context
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


class MaskingSocketHandler(BaseGraphQLTransportWSHandler[Context[Any], None]):
    """Strawberry's side of a socket with our errors: its own passes by the view, which masks all others."""

    async def _send_result_stream(
        self, operation: Operation[Context[Any], None], result_source: AsyncGenerator[Any, None]
    ) -> None:
        async with aclosing(_masked(result_source)) as results:
            await super()._send_result_stream(operation, results)


async def _masked(results: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
    async for result in results:
        if isinstance(result, ExecutionResult):
            errors = [_alone(public_error(error)) for error in result.errors or ()]
            yield replace(result, errors=errors or None)
        else:
            yield result


def _alone(told: dict[str, Any]) -> GraphQLError:
    """An error that holds nothing but what is told of it."""
    return GraphQLError(told["message"], path=told.get("path"), extensions=told.get("extensions"))
