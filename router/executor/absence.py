"""Absent fields: what a fetch should have brought and did not, and the errors that tell why.

The data itself only lacks them. Where the projection misses a field, it finds here what to say of it, so that
an error stands at exactly the field that is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from router.operation.selections import TYPENAME
from router.planner.plan import Output

Errors: TypeAlias = Sequence[Mapping[str, Any]]
Shape: TypeAlias = Mapping[str, "Shape"]
"""The keys of a selection set, each with those below it."""
AbsentFields: TypeAlias = Mapping[tuple[int, str], Errors | None]

_LEAF: Shape = {}
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Absence:
    """Objects for which a fetch brought nothing.

    Without errors the fields are null and nothing is wrong, as for an entity that does not exist; None stands
    for a subgraph that does not say why. What was not asked because the object lacks what has to be known for
    it is `dependent`: it is absent for the same reason.
    """

    objects: Sequence[Mapping[str, Any]]
    shape: Shape
    errors: Errors | None = None
    dependent: bool = False


def shape_of(output: Output) -> Shape:
    """The shape of what a subgraph is asked for, whatever the types of the objects are."""
    shape: dict[str, Shape] = {}
    for each in (output, *(narrowed for _, narrowed in output.narrowed)):
        if each.typename:
            shape[TYPENAME] = _LEAF
        for field in each.fields:
            below = shape_of(field.output) if field.output else _LEAF
            shape[field.key] = {**shape[field.key], **below} if shape.get(field.key) else below
        if each is not output and each.narrowed:
            shape |= {key: below for key, below in shape_of(each).items() if key not in shape}
    return shape


def absent_fields(absences: Iterable[Absence]) -> AbsentFields:
    """The absent fields of each object, by its identity, once all fetches have ended."""
    found: dict[tuple[int, str], Errors | None] = {}
    reasons: dict[int, Errors | None] = {}
    for absence in absences:
        for each in absence.objects:
            errors = reasons.get(id(each)) if absence.dependent else absence.errors
            reasons.setdefault(id(each), errors)
            _note(each, absence.shape, errors, found)
    return found


def _note(
    value: Any, shape: Shape, errors: Errors | None, found: dict[tuple[int, str], Errors | None]
) -> None:
    if isinstance(value, list):
        for each in value:
            _note(each, shape, errors, found)
    elif isinstance(value, dict):
        for key, below in shape.items():
            known = value.get(key, _ABSENT)
            if known is _ABSENT:
                found.setdefault((id(value), key), errors)
            elif below:
                _note(known, below, errors, found)
