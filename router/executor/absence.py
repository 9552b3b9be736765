"""Absent fields: what a fetch should have returned and did not, and the errors that explain it.

The data just lacks such fields. Where the projection misses one, it finds its errors here, so that they
stand at exactly the field that is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from router.executor.subgraph_errors import Errors
from router.operation.selections import TYPENAME
from router.planner.plan import Output

Shape: TypeAlias = Mapping[str, "Shape"]
"""The keys of a selection set, each with the shape below it."""
AbsentFields: TypeAlias = Mapping[tuple[int, str], Errors | None]

_LEAF: Shape = {}
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Absence:
    """Objects for which a fetch returned nothing.

    An empty list of errors means that null is right, as for an entity that does not exist; None means that
    the subgraph does not say why. A dependent absence is that of a fetch for which the objects lacked the
    inputs: its reason is theirs.
    """

    objects: Sequence[Mapping[str, Any]]
    shape: Shape
    errors: Errors | None = None
    is_dependent: bool = False


def build_shape(output: Output) -> Shape:
    """The shape of a fetch's selection set, with the fields of all types."""
    shape: dict[str, Shape] = {}
    for each in (output, *(narrowed for _, narrowed in output.narrowed)):
        if each.has_typename:
            shape[TYPENAME] = _LEAF
        for field in each.fields:
            below = build_shape(field.output) if field.output else _LEAF
            shape[field.key] = {**shape[field.key], **below} if shape.get(field.key) else below
        if each is not output and each.narrowed:
            shape |= {key: below for key, below in build_shape(each).items() if key not in shape}
    return shape


def index_absent_fields(absences: Iterable[Absence]) -> AbsentFields:
    """The errors of absent fields, by the object's identity and the key, once all fetches have ended."""
    found: dict[tuple[int, str], Errors | None] = {}
    reasons: dict[int, Errors | None] = {}
    for absence in absences:
        for each in absence.objects:
            errors = reasons.get(id(each)) if absence.is_dependent else absence.errors
            reasons.setdefault(id(each), errors)
            _index_fields(each, absence.shape, errors, found)
    return found


def _index_fields(
    value: Any, shape: Shape, errors: Errors | None, found: dict[tuple[int, str], Errors | None]
) -> None:
    if isinstance(value, list):
        for each in value:
            _index_fields(each, shape, errors, found)
    elif isinstance(value, dict):
        for key, below in shape.items():
            known = value.get(key, _ABSENT)
            if known is _ABSENT:
                found.setdefault((id(value), key), errors)
            elif below:
                _index_fields(known, below, errors, found)
