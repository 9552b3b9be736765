"""Graph paths: how the query graph leads from a root to the leaves of an operation, with their costs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute

from router.planner.moves import DeferMove, EntityMove, FieldMove, Move, Moves, NarrowMove, Node

MAX_PATHS_PER_NODE = 3
MAX_FRONTIER = 24


@dataclass(frozen=True, slots=True)
class GraphPath:
    """Moves from a root, or from where a search began, to a node; after a leaf there is no node.

    `depth` counts the fetches in sequence, `entity_moves` all of them, those for inputs included. `contexts`
    maps each context that is set on the way to the node of the nearest object that sets it.
    """

    node: Node | None
    moves: Moves = ()
    depth: int = 0
    entity_moves: int = 0
    contexts: Mapping[str, Node] = attribute(default_factory=dict)

    @property
    def cost(self) -> tuple[int, int, int]:
        """Sequential fetches, then fetches, then moves."""
        return (self.depth, self.entity_moves, len(self.moves))

    @property
    def is_at_root(self) -> bool:
        """Whether the path has not left the root."""
        return all(isinstance(move, DeferMove) for move in self.moves)

    @property
    def is_deferred(self) -> bool:
        """Whether the next field is a deferred one of an object that earlier fetches have found."""
        last = next((move for move in reversed(self.moves) if not isinstance(move, NarrowMove)), None)
        return isinstance(last, DeferMove) and any(isinstance(move, FieldMove) for move in self.moves)

    @property
    def origin(self) -> Node:
        """The node of the object at the path's end before any entity move was made from it."""
        origin = self.node
        for move in reversed(self.moves):
            if isinstance(move, FieldMove | NarrowMove):
                break
            origin = move.source if isinstance(move, EntityMove) else origin
        assert origin is not None
        return origin

    def advance(self, move: Move, node: Node | None) -> GraphPath:
        """The path with one more move, which leads to a node."""
        moves, contexts = (*self.moves, move), self.contexts
        if isinstance(move, EntityMove):
            inputs = (*move.inputs, *(each for value in move.values for each in value.inputs))
            further = sum(isinstance(each, EntityMove) for input_moves in inputs for each in input_moves)
            return GraphPath(
                node, moves, self.depth + 1 + move.depth, self.entity_moves + 1 + further, contexts
            )
        if isinstance(move, FieldMove) and move.contexts:
            contexts = {**contexts, **dict.fromkeys(move.contexts, self.origin)}
        return GraphPath(node, moves, self.depth, self.entity_moves, contexts)

    def __str__(self) -> str:
        return "".join(str(move) for move in self.moves)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of an operation by its response path, and the paths that reach it, cheapest first."""

    path: tuple[str, ...]
    options: tuple[GraphPath, ...]

    def __str__(self) -> str:
        options = "".join(f"\n  {option}" for option in self.options)
        return f"{'.'.join(self.path)}{options}"


def keep_best(paths: list[GraphPath]) -> list[GraphPath]:
    """The cheapest few paths to each node, or to each subgraph for a leaf, cheapest first."""
    if len(paths) < 2:
        return paths
    kept: list[GraphPath] = []
    counts: dict[Node | str, int] = defaultdict(int)
    for path in sorted(paths, key=lambda path: path.cost):
        end = path.node or _find_last_subgraph(path)
        counts[end] += 1
        if counts[end] <= MAX_PATHS_PER_NODE:
            kept.append(path)
    return kept[:MAX_FRONTIER]


def _find_last_subgraph(path: GraphPath) -> str:
    last = path.moves[-1]
    assert isinstance(last, FieldMove)
    return last.edge.source.graph
