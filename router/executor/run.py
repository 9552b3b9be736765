"""A run of an operation: the state that its fetches share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from router.executor.absence import Absence, Shape
from router.executor.entities import Object
from router.executor.subgraph_errors import Errors, describe_error
from router.transport.base import RequestContext, Transport


@dataclass(slots=True)
class Run:
    """One run of an operation: the data merged so far, the errors, and what fetches did not return.

    `data` is the root of the data, or the list of the roots of several events, as in `CompileContext.root`.
    In a contextual run, objects at different paths never share what a fetch returned for both, because
    later fetches may return different values for them.
    """

    variables: Mapping[str, Any]
    transport: Transport
    context: RequestContext
    data: Any
    errors: Errors
    is_contextual: bool = False
    absences: list[Absence] = field(default_factory=list)

    async def fetch(self, subgraph: str, body: bytes) -> tuple[Object | None, Errors]:
        """A subgraph's response: its data, if there is any, and its errors."""
        response = await self.transport.fetch(subgraph, body, self.context)
        data, errors = response.get("data"), response.get("errors")
        return data if isinstance(data, dict) else None, errors if isinstance(errors, list) else []

    def record_absence(self, objects: Sequence[Object], shape: Shape, errors: Errors | None) -> None:
        """Records that a fetch returned nothing for some objects."""
        if objects:
            reasons = None if errors is None else [describe_error(error) for error in errors]
            self.absences.append(Absence(objects, shape, reasons))

    def record_missing_data(self, objects: Sequence[Object], shape: Shape, errors: Errors) -> Errors:
        """Records what a response without data lacks; returns the errors that have their own paths."""
        located = [error for error in errors if isinstance(error.get("path"), list) and error["path"]]
        self.record_absence(objects, shape, [error for error in errors if error not in located] or None)
        return located


Runnable: TypeAlias = Callable[[Run], Awaitable[None]]
