"""Where in the client's document the fields stand that errors are about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from graphql import FieldNode, SelectionSetNode

from router.operation import Operation
from router.operation.fragments import fragment_of

Locations: TypeAlias = dict[str, "tuple[int, int, Locations]"]
"""By response name: line, column, and those of the fields below."""

_NONE: Locations = {}


def locations_of(operation: Operation) -> Locations:
    """The places of all fields; of several with one response name, that of the first."""
    found: Locations = {}
    _collect(operation, operation.node.selection_set, found)
    return found


def located(errors: Iterable[dict[str, Any]], locations: Locations) -> None:
    """Adds to errors with a path where its field stands."""
    for error in errors:
        if "locations" not in error and (place := _place(error.get("path"), locations)):
            error["locations"] = [{"line": place[0], "column": place[1]}]


def _place(path: Any, locations: Locations) -> tuple[int, int] | None:
    place = None
    for segment in path or ():
        if isinstance(segment, str):
            if segment not in locations:
                return None
            line, column, locations = locations[segment]
            place = line, column
    return place


def _collect(operation: Operation, selections: SelectionSetNode, found: Locations) -> None:
    for each in selections.selections:
        if isinstance(each, FieldNode):
            _collect_field(operation, each, found)
        else:
            _collect(operation, fragment_of(each, operation.fragments).selection_set, found)


def _collect_field(operation: Operation, field: FieldNode, found: Locations) -> None:
    if field.loc is None:
        return
    start, name = field.loc.start_token, (field.alias or field.name).value
    if name not in found:
        found[name] = (start.line, start.column, {} if field.selection_set else _NONE)
    if field.selection_set:
        _collect(operation, field.selection_set, found[name][2])
