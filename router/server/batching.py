"""Members of a batch: several operations in one HTTP request, run side by side and answered in their order.

No specification describes them; the form is the one that Apollo's and other clients send: a JSON list there,
a JSON list back, status 200. What is wrong with one operation is that operation's own answer.
"""

from __future__ import annotations

from typing import Any

from graphql import OperationType

from router.errors import MalformedRequestError, RouterError, internal_error
from router.pipeline import Pipeline
from router.pipeline.caller import Caller
from router.pipeline.request import GraphQLRequest
from router.telemetry import Trace, log


async def answered(
    pipeline: Pipeline, request: GraphQLRequest, caller: Caller, trace: Trace
) -> dict[str, Any]:
    """The response of one operation, whatever becomes of it."""
    try:
        operation = await pipeline.open(request, caller, trace)
        if operation.kind is OperationType.SUBSCRIPTION:
            raise MalformedRequestError("A subscription cannot be part of a batch.")
        return await operation.execute()
    except RouterError as error:
        return error.response()
    except Exception:  # noqa: BLE001 - the last resort: logged whole, internal_error for the client
        log.exception("An operation of a batch failed")
        return {"errors": [internal_error(trace.trace_id)]}
