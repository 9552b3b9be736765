"""Moves: the steps of a path through the query graph, from node to node.

A field move follows an edge within a subgraph; an entity move enters another subgraph, or the same one
again, by a key. Where `a` has `Query.me` and `b` has `User.email`, the path of `{ me { email } }` is
`.me =={id}==> User/B.email`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from router.operation.deferral import ExecutionGroup
from router.operation.selections import FieldSelection, SelectionSet
from router.supergraph.join_spec import ContextArgument

# Fields that `@provides` makes available at a node: the type they are on, their name, and those below.
Provided: TypeAlias = frozenset[tuple[str, str, "Provided"]]
NOTHING: Provided = frozenset()
NO_CONTEXTS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Node:
    """A type in a subgraph, with the external fields that `@provides` makes available on the way there."""

    type: str
    graph: str
    provided: Provided = NOTHING

    def __str__(self) -> str:
        mark = (
            f" (provides {', '.join(sorted(name for _, name, _ in self.provided))})" if self.provided else ""
        )
        return f"{self.type}/{self.graph}{mark}"


@dataclass(frozen=True, slots=True)
class FieldEdge:
    """A field that leads from node to node within a subgraph; `target` is None for scalars and enums.

    `lists` counts the list types around the target.
    """

    name: str
    source: Node
    target: Node | None
    lists: int = 0

    def __str__(self) -> str:
        return f"{self.source} --{self.name}--> {self.target or 'leaf'}"


@dataclass(frozen=True, slots=True)
class FieldMove:
    """A move along a field's edge for one field selection.

    `contexts` are those that the object with the field sets for the selections below it.
    """

    edge: FieldEdge
    selection: FieldSelection
    contexts: frozenset[str] = NO_CONTEXTS

    def __str__(self) -> str:
        return f".{self.selection.response_name}"


@dataclass(frozen=True, slots=True)
class NarrowMove:
    """A move from an abstract type to one of its object types."""

    type: str

    def __str__(self) -> str:
        return f"|[{self.type}]"


@dataclass(frozen=True, slots=True)
class DeferMove:
    """A move to the same object's fields of a deferred execution group."""

    group: ExecutionGroup

    def __str__(self) -> str:
        return f" {self.group} "


@dataclass(frozen=True, slots=True)
class ContextValue:
    """The value of a contextual argument: a selection on the nearest enclosing object that sets its context.

    `inputs` are the moves to each leaf of the selection, from the node at which a field returned that object.
    """

    argument: ContextArgument
    selection: SelectionSet
    inputs: tuple[Moves, ...]
    depth: int

    def __str__(self) -> str:
        return f"{self.argument.name}: {self.argument.context} {{{print_inline(self.selection)}}}"


@dataclass(frozen=True, slots=True)
class EntityMove:
    """A move into a subgraph by a key, or into a root type, which needs no key.

    `inputs` are the moves from the source to each leaf of the key and of `requires`, which make up the
    representation; `depth` is how many sequential fetches they take. `values` are the contextual arguments of
    the field for which the move is made.
    """

    source: Node
    target: Node
    key: SelectionSet | None
    requires: SelectionSet | None = None
    inputs: tuple[Moves, ...] = ()
    depth: int = 0
    values: tuple[ContextValue, ...] = ()

    def __str__(self) -> str:
        key = "{}" if self.key is None else f"{{{print_inline(self.key)}}}"
        needs = f" requires {{{print_inline(self.requires)}}}" if self.requires else ""
        needs += f" given {', '.join(map(str, self.values))}" if self.values else ""
        return f" =={key}{needs}==> {self.target}"


@dataclass(frozen=True, slots=True)
class Route:
    """How a field is reached from a node: along an edge of the node itself, or after one entity move."""

    entity: EntityMove | None
    edge: FieldEdge


# Types, and fields as (type, name), that are being searched for: to need them again would be a circle.
Excluded: TypeAlias = frozenset[str | tuple[str, str]]
Move: TypeAlias = FieldMove | NarrowMove | DeferMove | EntityMove
Moves: TypeAlias = tuple[Move, ...]


def print_inline(selections: SelectionSet) -> str:
    """A selection set on one line."""
    return " ".join(str(selections).split())
