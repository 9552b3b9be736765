"""Batching: several operations in one HTTP request, run concurrently; their responses are in the same order.

There is no specification; the format is that of Apollo's and other clients: a JSON array of requests, a JSON
array of responses, and status 200. An operation that fails has an error response of its own.
"""

from __future__ import annotations

from typing import Any

from graphql import OperationType

from router.errors import MalformedRequestError, RouterError, build_internal_error
from router.pipeline import Pipeline
from router.pipeline.caller import Caller
from router.pipeline.request import GraphQLRequest
from router.telemetry import Trace, log


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
