"""Selection sets in normal form: without fragments, and with each field once.

On an object type a normal selection set is a list of fields. On an interface or a union it has fields on the
type itself and fields on single object types; no response name is in both. Deferred fields are kept
separately, by execution group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from router.operation.conditions import ALWAYS, Conditions, print_conditions
from router.operation.deferral import ExecutionGroup

TYPENAME = "__typename"
INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class FieldSelection:
    """A field with its arguments, selected under a response name if all its conditions hold.

    `arguments` and `directives` are GraphQL text, the latter without those that the router executes itself;
    `variables` are the ones used in both.
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
        head = f"{alias}{self.name}{self.arguments_and_directives}{print_conditions(self.conditions)}"
        return head if self.selections is None else f"{head} {brace(str(self.selections))}"

    @property
    def arguments_and_directives(self) -> str:
        """Arguments and directives as they follow the name: selections are one field if these are equal."""
        return f"{self.arguments}{self.directives}"


@dataclass(frozen=True, slots=True)
class SelectionSet:
    """The selections on a type: on all its objects, on those of single object types, and deferred ones."""

    type_name: str
    fields: tuple[FieldSelection, ...] = ()
    narrowed: Mapping[str, tuple[FieldSelection, ...]] = field(default_factory=dict)
    deferred: Mapping[ExecutionGroup, SelectionSet] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [str(each) for each in self.fields]
        for name, fields in self.narrowed.items():
            lines.append(f"... on {name} {brace(chr(10).join(map(str, fields)))}")
        lines += [f"... {group} {brace(str(later))}" for group, later in self.deferred.items()]
        return "\n".join(lines)

    def select_for_type(self, name: str) -> tuple[FieldSelection, ...]:
        """All fields that are selected on objects of one type."""
        return (*self.fields, *self.narrowed.get(name, ()))

    def iterate_execution_groups(self) -> Iterator[ExecutionGroup]:
        """The execution groups here and below."""
        for fields in (self.fields, *self.narrowed.values()):
            for each in fields:
                if each.selections:
                    yield from each.selections.iterate_execution_groups()
        for group, later in self.deferred.items():
            yield group
            yield from later.iterate_execution_groups()


@dataclass(frozen=True, slots=True)
class NormalizedOperation:
    """The normal form of an operation; `order` has all root response names, introspection's included."""

    kind: str
    selections: SelectionSet
    order: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind} {brace(str(self.selections))}"


def brace(text: str) -> str:
    """A block of text in braces, indented by two."""
    return "{\n" + indent(text) + "\n}" if text else "{}"


def indent(text: str) -> str:
    """A block of text, indented by two."""
    return "\n".join(f"  {line}" for line in text.split("\n"))
