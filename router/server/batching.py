"""Batching: several operations in one HTTP request; their responses are in the same order.

There is no specification; the format is that of Apollo's and other clients: a JSON array of requests, a JSON
array of responses, and status 200. An operation that fails has an error response of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from graphql import OperationType

from router.errors import MalformedRequestError, RouterError, build_internal_error
from router.pipeline import Pipeline
from router.pipeline.caller import Caller
from router.pipeline.request import GraphQLRequest
from router.telemetry import Trace, log

# A batch is one request of one client: if all of its operations ran at once, others would wait for them.
MAX_CONCURRENT = 3


async def execute_batch(
    batch: Iterable[GraphQLRequest], execute: Callable[[GraphQLRequest], Awaitable[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Executes the operations of a batch, a few at a time; returns their responses in the same order."""
    slots = asyncio.Semaphore(MAX_CONCURRENT)

    async def execute_in_turn(request: GraphQLRequest) -> dict[str, Any]:
        async with slots:
            return await execute(request)

    return await asyncio.gather(*map(execute_in_turn, batch))


async def execute_member(
    pipeline: Pipeline, request: GraphQLRequest, caller: Caller, trace: Trace
) -> dict[str, Any]:
    """Executes one operation of a batch; returns its response, which reports any error."""
    try:
        operation = await pipeline.open(request, caller, trace)
        if operation.kind is OperationType.SUBSCRIPTION:
            raise MalformedRequestError("A subscription cannot be part of a batch.")
        return await operation.execute()
    except RouterError as error:
        return error.to_response()
    except Exception:  # noqa: BLE001 - the last resort: logged with its traceback, masked for clients
        log.exception("An operation of a batch failed")
        return {"errors": [build_internal_error(trace.trace_id)]}
