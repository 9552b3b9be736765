"""Changes between two public schemas, classified by their effect on clients."""

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
    """The effect of a change on existing clients."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the public schema."""

    severity: Severity
    kind: str
    description: str


def compare_schemas(before: str, after: str) -> Sequence[Change]:
    """Compare two public schemas; breaking changes come first."""
    found = [_classify(change) for change in find_schema_changes(_parse_schema(before), _parse_schema(after))]
    order = list(Severity)
    return sorted(found, key=lambda change: (order.index(change.severity), change.description))


def _parse_schema(sdl: str) -> GraphQLSchema:
    return build_schema(sdl, assume_valid=True)


def _classify(change: SchemaChange) -> Change:
    match change:
        case BreakingChange():
            severity = Severity.BREAKING
        case DangerousChange():
            severity = Severity.DANGEROUS
        case _:
            severity = Severity.SAFE
    return Change(severity, change.type.name, change.description)
