"""What changed in the public API, and for whom it matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from graphql import (
    BreakingChange,
    DangerousChange,
    GraphQLSchema,
    SchemaChange,
    build_schema,
    find_schema_changes,
)


class Severity(StrEnum):
    """What a change does to a client that is not changed with it."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the public schema, in a sentence."""

    severity: Severity
    kind: str
    description: str


def changes_between(before: str, after: str) -> Sequence[Change]:
    """Compare two public schemas; the worst changes come first."""
    found = [_described(change) for change in find_schema_changes(_schema(before), _schema(after))]
    order = list(Severity)
    return sorted(found, key=lambda change: (order.index(change.severity), change.description))


def _schema(sdl: str) -> GraphQLSchema:
    return build_schema(sdl, assume_valid=True)


def _described(change: SchemaChange) -> Change:
    match change:
        case BreakingChange():
            severity = Severity.BREAKING
        case DangerousChange():
            severity = Severity.DANGEROUS
        case _:
            severity = Severity.SAFE
    return Change(severity, change.type.name, change.description)
