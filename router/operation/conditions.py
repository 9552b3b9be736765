"""Conditions of `@include` and `@skip`: the variables on which a selection depends.

`@include(if: $a) @skip(if: $b)` is `{("a", True), ("b", False)}`; all conditions of a selection must hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from graphql import BooleanValueNode, DirectiveNode, VariableNode

Condition: TypeAlias = tuple[str, bool]
Conditions: TypeAlias = frozenset[Condition]
ALWAYS: Conditions = frozenset()


def read_conditions(directives: Iterable[DirectiveNode] | None) -> Conditions | None:
    """The conditions of `@include` and `@skip`; None if they never hold."""
    found: set[Condition] = set()
    for directive in directives or ():
        if directive.name.value not in {"include", "skip"}:
            continue
        is_include = directive.name.value == "include"
        [argument] = directive.arguments or ()
        value = argument.value
        if isinstance(value, VariableNode):
            found.add((value.name.value, is_include))
        elif isinstance(value, BooleanValueNode) and value.value is not is_include:
            return None
    return frozenset(found)


def are_met(conditions: Conditions, variables: Mapping[str, Any]) -> bool:
    """Whether all conditions hold."""
    return all(variables.get(variable) is value for variable, value in conditions)


def is_contradictory(conditions: Conditions) -> bool:
    """Whether conditions can never hold together."""
    return any((variable, not value) in conditions for variable, value in conditions)


def exclude(conditions: Conditions, excluded: Conditions) -> Iterator[Conditions]:
    """Conditions that hold while some others do not all hold, as mutually exclusive alternatives."""
    if is_contradictory(conditions | excluded):
        yield conditions
        return
    for variable, value in sorted(excluded - conditions):
        yield conditions | {(variable, not value)}
        conditions |= {(variable, value)}


def print_conditions(conditions: Conditions) -> str:
    """Conditions as directives, each with a space before it."""
    return "".join(
        f" @{'include' if value else 'skip'}(if: ${variable})" for variable, value in sorted(conditions)
    )
