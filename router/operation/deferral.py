"""`@defer`: the fragments that a client takes later, and the fields that are worked out together for them.

The terms are those of the GraphQL specification's proposal for incremental delivery.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    GraphQLDeferDirective,
    StringValueNode,
    VariableNode,
    Visitor,
    visit,
)

from router.operation import Operation

DEFER = GraphQLDeferDirective.name

Deferring: TypeAlias = frozenset[str] | None
"""The variables that are true of those in `@defer(if:)`; None for clients that take everything at once."""


@dataclass(frozen=True, slots=True, eq=False)
class DeferUsage:
    """One `@defer` at one place of an operation, named by response names; `number` orders those of one."""

    number: int
    label: str | None
    place: tuple[str, ...]
    parent: DeferUsage | None

    def __str__(self) -> str:
        return f"@{DEFER}" + (f'(label: "{self.label}")' if self.label else "")


@dataclass(frozen=True, slots=True)
class ExecutionGroup:
    """Fields that the same deferred fragments ask for; `parent` is the group whose objects they belong to."""

    usages: frozenset[DeferUsage]
    parent: ExecutionGroup | None

    @property
    def ordered(self) -> list[DeferUsage]:
        """Its fragments in the operation's order."""
        return sorted(self.usages, key=lambda usage: usage.number)

    def __str__(self) -> str:
        return " ".join(map(str, self.ordered))


def group_of(usages: Iterable[DeferUsage | None], within: ExecutionGroup | None) -> ExecutionGroup | None:
    """The group of a field that is asked for by some fragments, or by none, where its object is `within`."""
    asking = set(usages)
    if None in asking:
        return None
    own = frozenset(usage for usage in asking if usage and not _comes_with(usage, asking))
    return within if within and own == within.usages else ExecutionGroup(own, within)


def conditions_of(operation: Operation) -> frozenset[str] | None:
    """The variables that decide what of an operation is deferred; None if nothing ever is."""
    found = _Conditions()
    for node in (operation.node, *operation.fragments.values()):
        visit(node, found)
    return frozenset(found.variables) if found.any else None


class _Conditions(Visitor):
    """Collects what decides on the `@defer` directives of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.any = False
        self.variables: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        if node.name.value != DEFER:
            return
        condition = _argument(node, "if")
        if isinstance(condition, VariableNode):
            self.variables.add(condition.name.value)
        self.any |= not (isinstance(condition, BooleanValueNode) and condition.value is False)


def defers(directive: DirectiveNode, deferring: frozenset[str]) -> bool:
    """Whether a directive is a `@defer` that holds."""
    if directive.name.value != DEFER:
        return False
    match _argument(directive, "if"):
        case BooleanValueNode(value=value):
            return value
        case VariableNode(name=name):
            return name.value in deferring
    return True


def label_of(directive: DirectiveNode) -> str | None:
    """The label of a `@defer`."""
    label = _argument(directive, "label")
    return label.value if isinstance(label, StringValueNode) else None


def _argument(directive: DirectiveNode, name: str) -> object:
    return next((each.value for each in directive.arguments or () if each.name.value == name), None)


def _comes_with(usage: DeferUsage, others: set[DeferUsage | None]) -> bool:
    """Whether an enclosing fragment brings what this one asks for."""
    outer = usage.parent
    return outer is not None and (outer in others or _comes_with(outer, others))
