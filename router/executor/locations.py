"""Locations: where in the client's document the fields of errors are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from graphql import SelectionSetNode

from router.operation import Operation
from router.operation.fragments import iterate_fields

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


def drop_unselected(
    errors: Iterable[dict[str, Any]], data: dict[str, Any] | None, locations: Locations
) -> list[dict[str, Any]]:
    """The errors without those of fields that the client selects, but not on the object that has the error.

    A subgraph with an interface object does not know the types of its objects, so it is sent what is selected
    on any of them: for `{ ... on Child { age } ... on Pet { kind } }`, it resolves `age` for a pet too.
    """
    return [
        each
        for each in errors
        if _is_selected(each.get("path"), data) or _find_location(each.get("path"), locations) is None
    ]


def _is_selected(path: Any, data: Any) -> bool:
    """Whether the data has the position of a path, or null above it."""
    for segment in path or ():
        if isinstance(data, dict) and segment not in data:
            return False
        if not isinstance(data, dict | list):
            return True
        data = data[segment] if isinstance(data, dict) or _is_index(segment, data) else None
    return True


def _is_index(segment: Any, items: list[Any]) -> bool:
    return isinstance(segment, int) and 0 <= segment < len(items)


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
    for field, _ in iterate_fields(operation.fragments, selections):
        if field.loc is None:
            continue
        start, name = field.loc.start_token, (field.alias or field.name).value
        if name not in found:
            found[name] = (start.line, start.column, {} if field.selection_set else _NONE)
        if field.selection_set:
            _collect(operation, field.selection_set, found[name][2])
