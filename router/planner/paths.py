"""Paths: the ways through the query graph to what an operation asks, and the best of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute

from router.planner.moves import Defer, EntityMove, Move, Narrow, Node, Select, Way

PATHS_PER_PLACE = 3
MAX_FRONTIER = 24


@dataclass(frozen=True, slots=True)
class Path:
    """A way through the graph; `depth` counts its fetches in sequence, `jumps` its entity moves.

    `contexts` are those that the objects on the way set, each with the nearest of them.
    """

    node: Node | None
    moves: Way = ()
    depth: int = 0
    jumps: int = 0
    contexts: Mapping[str, Node] = attribute(default_factory=dict)

    @property
    def cost(self) -> tuple[int, int, int]:
        """Fewer sequential fetches, then fewer fetches, then fewer fields."""
        return (self.depth, self.jumps, len(self.moves))

    @property
    def is_start(self) -> bool:
        """Whether the path has not left the root."""
        return all(isinstance(move, Defer) for move in self.moves)

    @property
    def is_deferred(self) -> bool:
        """Whether what comes next is asked later of an object that earlier fetches have found."""
        last = next((move for move in reversed(self.moves) if not isinstance(move, Narrow)), None)
        return isinstance(last, Defer) and any(isinstance(move, Select) for move in self.moves)

    @property
    def holder(self) -> Node:
        """Where the object at the end was before it was entered by a key."""
        holder = self.node
        for move in reversed(self.moves):
            if isinstance(move, Select | Narrow):
                break
            holder = move.source if isinstance(move, EntityMove) else holder
        assert holder is not None
        return holder

    def then(self, move: Move, node: Node | None) -> Path:
        """The path with one more move."""
        moves, contexts = (*self.moves, move), self.contexts
        if isinstance(move, EntityMove):
            ways = (*move.leaves, *(way for value in move.values for way in value.leaves))
            hops = sum(isinstance(each, EntityMove) for way in ways for each in way)
            return Path(node, moves, self.depth + 1 + move.depth, self.jumps + 1 + hops, contexts)
        if isinstance(move, Select) and move.sets:
            contexts = {**contexts, **dict.fromkeys(move.sets, self.holder)}
        return Path(node, moves, self.depth, self.jumps, contexts)

    def __str__(self) -> str:
        return "".join(str(move) for move in self.moves)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of an operation, and every path that reaches it, best first."""

    place: tuple[str, ...]
    options: tuple[Path, ...]

    def __str__(self) -> str:
        options = "".join(f"\n  {option}" for option in self.options)
        return f"{'.'.join(self.place)}{options}"


def best(paths: list[Path]) -> list[Path]:
    """The best few paths to each place, cheapest first."""
    if len(paths) < 2:
        return paths
    kept: list[Path] = []
    per_place: dict[Node | str | None, int] = defaultdict(int)
    for path in sorted(paths, key=lambda path: path.cost):
        place = path.node or _graph_of(path)
        per_place[place] += 1
        if per_place[place] <= PATHS_PER_PLACE:
            kept.append(path)
    return kept[:MAX_FRONTIER]


def _graph_of(path: Path) -> str:
    last = path.moves[-1]
    assert isinstance(last, Select)
    return last.move.source.graph
