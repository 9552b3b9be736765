"""Locations: where in the client's document the fields of errors are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from graphql import FieldNode, SelectionSetNode

from router.operation import Operation
from router.operation.fragments import fragment_of

Locations: TypeAlias = dict[str, "tuple[int, int, Locations]"]
"""By response name: line, column, and the locations of the fields below."""

_NONE: Locations = {}


def collect_locations(operation: Operation) -> Locations:
    """The locations of all fields; of several with one response name, that of the first."""
    found: Locations = {}
    _collect(operation, operation.node.selection_set, found)
    return found


def add_locations(errors: Iterable[dict[str, Any]], locations: Locations) -> None:
    """Adds the location of its field to each error that has a path."""
    for error in errors:
        if "locations" not in error and (location := _find_location(error.get("path"), locations)):
            error["locations"] = [{"line": location[0], "column": location[1]}]


def _find_location(path: Any, locations: Locations) -> tuple[int, int] | None:
    location = None
    for segment in path or ():
        if isinstance(segment, str):
            if segment not in locations:
                return None
            line, column, locations = locations[segment]
            location = line, column
    return location


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
