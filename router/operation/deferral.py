"""`@defer`: deferred fragments, and the execution groups of their fields.

The terms are those of the GraphQL specification's proposal for incremental delivery. A field belongs to the
group of all deferred fragments that select it; in

    { me { ... @defer(label: "a") { name email } ... @defer(label: "b") { email } } }

`name` is in the group of `a`, and `email` in another one, that of `a` and `b`.
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

Deferral: TypeAlias = frozenset[str] | None
"""The variables of `@defer(if:)` that are true; None where the client accepts no incremental delivery."""


@dataclass(frozen=True, slots=True, eq=False)
class DeferUsage:
    """One use of `@defer`, in the objects at a response path; `number` is its position in the operation."""

    number: int
    label: str | None
    path: tuple[str, ...]
    parent: DeferUsage | None

    def __str__(self) -> str:
        return f"@{DEFER}" + (f'(label: "{self.label}")' if self.label else "")


@dataclass(frozen=True, slots=True)
class ExecutionGroup:
    """Fields that the same deferred fragments select; `parent` is the group in which their objects are."""

    usages: frozenset[DeferUsage]
    parent: ExecutionGroup | None

    @property
    def ordered_usages(self) -> list[DeferUsage]:
        """The fragments in the operation's order."""
        return sorted(self.usages, key=lambda usage: usage.number)

    def __str__(self) -> str:
        return " ".join(map(str, self.ordered_usages))


def find_execution_group(
    usages: Iterable[DeferUsage | None], parent_group: ExecutionGroup | None
) -> ExecutionGroup | None:
    """The group of a field that some deferred fragments select, and None if it is selected outside of them.

    A fragment does not count if one around it selects the field as well.
    """
    selecting = set(usages)
    if None in selecting:
        return None
    own = frozenset(usage for usage in selecting if usage and not _is_covered(usage, selecting))
    return parent_group if parent_group and own == parent_group.usages else ExecutionGroup(own, parent_group)


def find_defer_variables(operation: Operation) -> frozenset[str] | None:
    """The variables of the operation's `@defer(if:)`; None if it never defers anything."""
    found = _DeferVariableCollector()
    for node in (operation.node, *operation.fragments.values()):
        visit(node, found)
    return frozenset(found.variables) if found.has_defer else None


class _DeferVariableCollector(Visitor):
    """Collects the variables of `@defer(if:)`, and whether any `@defer` can be active."""

    def __init__(self) -> None:
        super().__init__()
        self.has_defer = False
        self.variables: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        if node.name.value != DEFER:
            return
        condition = _read_argument(node, "if")
        if isinstance(condition, VariableNode):
            self.variables.add(condition.name.value)
        self.has_defer |= not (isinstance(condition, BooleanValueNode) and condition.value is False)


def is_deferred(directive: DirectiveNode, deferral: frozenset[str]) -> bool:
    """Whether a directive is an active `@defer`."""
    if directive.name.value != DEFER:
        return False
    match _read_argument(directive, "if"):
        case BooleanValueNode(value=value):
            return value
        case VariableNode(name=name):
            return name.value in deferral
    return True


def read_label(directive: DirectiveNode) -> str | None:
    """The label of a `@defer`."""
    label = _read_argument(directive, "label")
    return label.value if isinstance(label, StringValueNode) else None


def _read_argument(directive: DirectiveNode, name: str) -> object:
    return next((each.value for each in directive.arguments or () if each.name.value == name), None)


def _is_covered(usage: DeferUsage, others: set[DeferUsage | None]) -> bool:
    """Whether a deferred fragment around this one is among the others."""
    outer = usage.parent
    return outer is not None and (outer in others or _is_covered(outer, others))
