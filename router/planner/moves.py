"""Moves: the steps of a way through the query graph, from a type in one subgraph to the next.

A field move stays in the subgraph, an entity move enters another one (or the same again) by a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from router.operation.deferral import ExecutionGroup
from router.operation.selections import FieldSelection, SelectionSet
from router.supergraph.join_spec import ContextArgument

Provided: TypeAlias = frozenset[tuple[str, str, "Provided"]]
NOTHING: Provided = frozenset()
NO_CONTEXTS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Node:
    """A type as one subgraph knows it, and what the way there provides beyond what the subgraph owns."""

    type: str
    graph: str
    provided: Provided = NOTHING

    def __str__(self) -> str:
        mark = (
            f" (provides {', '.join(sorted(name for _, name, _ in self.provided))})" if self.provided else ""
        )
        return f"{self.type}/{self.graph}{mark}"


@dataclass(frozen=True, slots=True)
class FieldMove:
    """A field that a subgraph resolves on its own; `target` is None for scalars and enums."""

    name: str
    source: Node
    target: Node | None
    lists: int = 0

    def __str__(self) -> str:
        return f"{self.source} --{self.name}--> {self.target or 'leaf'}"


@dataclass(frozen=True, slots=True)
class Select:
    """A field move made for one field selection; `sets` are the contexts that what is below can read."""

    move: FieldMove
    selection: FieldSelection
    sets: frozenset[str] = NO_CONTEXTS

    def __str__(self) -> str:
        return f".{self.selection.response_name}"


@dataclass(frozen=True, slots=True)
class Narrow:
    """The move from an abstract type to one of its concrete types."""

    type: str

    def __str__(self) -> str:
        return f"|[{self.type}]"


@dataclass(frozen=True, slots=True)
class Defer:
    """The move to what is asked of the same object later."""

    group: ExecutionGroup

    def __str__(self) -> str:
        return f" {self.group} "


@dataclass(frozen=True, slots=True)
class ContextValue:
    """What a contextual argument is given: `selection` of the nearest enclosing object that sets its context.

    `leaves` are the ways to it from that object, as far as it was known before it was entered by a key.
    """

    argument: ContextArgument
    selection: SelectionSet
    leaves: tuple[Way, ...]
    depth: int

    def __str__(self) -> str:
        return f"{self.argument.name}: {self.argument.context} {{{inline(self.selection)}}}"


@dataclass(frozen=True, slots=True)
class EntityMove:
    """The move into a subgraph by a key, or into a root type again, which needs none.

    `leaves` are the ways, from the source, to everything that the key and `requires` ask for; `depth` is how
    many fetches they make one after the other. `values` are given to the field for which the move is made.
    """

    source: Node
    target: Node
    key: SelectionSet | None
    requires: SelectionSet | None = None
    leaves: tuple[Way, ...] = ()
    depth: int = 0
    values: tuple[ContextValue, ...] = ()

    def __str__(self) -> str:
        key = "{}" if self.key is None else f"{{{inline(self.key)}}}"
        needs = f" requires {{{inline(self.requires)}}}" if self.requires else ""
        needs += f" given {', '.join(map(str, self.values))}" if self.values else ""
        return f" =={key}{needs}==> {self.target}"


@dataclass(frozen=True, slots=True)
class Route:
    """How a field is reached from a node: directly, or after one entity move."""

    entity: EntityMove | None
    move: FieldMove


# What the way to a field may not need: the types on it, and the fields of types, that it is searched for.
Excluded: TypeAlias = frozenset[str | tuple[str, str]]
Move: TypeAlias = Select | Narrow | Defer | EntityMove
Way: TypeAlias = tuple[Move, ...]


def inline(selections: SelectionSet) -> str:
    """A selection on one line."""
    return " ".join(str(selections).split())
