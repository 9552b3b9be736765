"""Selections in normal form: what is asked of a type, each field once.

On an object type a normal selection is a list of fields. On an interface or a union it has fields asked of
every possible type, and fields asked of one concrete type; no response name is in both. What `@defer` leaves
for later stands apart, by the fragments that ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from router.operation.deferral import ExecutionGroup

TYPENAME = "__typename"
INTROSPECTION = frozenset({"__schema", "__type"})

Condition: TypeAlias = tuple[str, bool]
Conditions: TypeAlias = frozenset[Condition]
ALWAYS: Conditions = frozenset()


@dataclass(frozen=True, slots=True)
class FieldSelection:
    """A field asked once: by name and arguments, under a response name, if all its conditions hold.

    `directives` are those that the subgraphs define, and its own words for them.
    """

    name: str
    response_name: str
    arguments: str = ""
    variables: frozenset[str] = frozenset()
    conditions: Conditions = ALWAYS
    selections: SelectionSet | None = None
    directives: str = ""

    def __str__(self) -> str:
        alias = f"{self.response_name}: " if self.response_name != self.name else ""
        head = f"{alias}{self.name}{self.asked}{conditions_text(self.conditions)}"
        return head if self.selections is None else f"{head} {braced(str(self.selections))}"

    @property
    def asked(self) -> str:
        """What tells it apart from other uses of the field: its arguments and directives."""
        return f"{self.arguments}{self.directives}"


@dataclass(frozen=True, slots=True)
class SelectionSet:
    """What is asked of a type: of all its values, of those of one concrete type, and what is asked later."""

    type_name: str
    fields: tuple[FieldSelection, ...] = ()
    narrowed: Mapping[str, tuple[FieldSelection, ...]] = field(default_factory=dict)
    deferred: Mapping[ExecutionGroup, SelectionSet] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [str(each) for each in self.fields]
        for name, fields in self.narrowed.items():
            lines.append(f"... on {name} {braced(chr(10).join(map(str, fields)))}")
        lines += [f"... {group} {braced(str(later))}" for group, later in self.deferred.items()]
        return "\n".join(lines)

    def for_type(self, name: str) -> tuple[FieldSelection, ...]:
        """All that is asked of values of one concrete type."""
        return (*self.fields, *self.narrowed.get(name, ()))

    def groups(self) -> Iterator[ExecutionGroup]:
        """The groups of fields that are deferred here and below."""
        for fields in (self.fields, *self.narrowed.values()):
            for each in fields:
                if each.selections:
                    yield from each.selections.groups()
        for group, later in self.deferred.items():
            yield group
            yield from later.groups()


@dataclass(frozen=True, slots=True)
class NormalizedOperation:
    """The normal form of an operation; `order` also has the root fields that are answered locally."""

    kind: str
    selections: SelectionSet
    order: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {braced(str(self.selections))}"


def hold(conditions: Conditions, variables: Mapping[str, Any]) -> bool:
    """Whether all of some conditions hold."""
    return all(variables.get(variable) is value for variable, value in conditions)


def braced(text: str) -> str:
    """A block of text in braces, indented by two."""
    return "{\n" + indented(text) + "\n}" if text else "{}"


def indented(text: str) -> str:
    """A block of text, indented by two."""
    return "\n".join(f"  {line}" for line in text.split("\n"))


def conditions_text(conditions: Conditions) -> str:
    """Conditions as directives, each with a space before it."""
    return "".join(
        f" @{'include' if value else 'skip'}(if: ${variable})" for variable, value in sorted(conditions)
    )
