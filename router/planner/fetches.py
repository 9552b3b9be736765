"""The fetch graph: chosen paths laid together into steps that wait for one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from router.deferral import ExecutionGroup
from router.normalize import ALWAYS, TYPENAME, Conditions, FieldSelection, SelectionSet
from router.planner.graph import Defer, EntityMove, Narrow, QueryGraph, Select, Way
from router.planner.names import Place, ResponseNames
from router.planner.paths import Path
from router.planner.plan import LIST, FetchPath, Input, InputField, Narrowing
from router.planner.steps import Presented, SelectedField, Selection, Step, united


@dataclass(frozen=True, slots=True)
class FetchGraph:
    """The steps of an operation, those that wait for nothing first."""

    steps: tuple[Step, ...]

    def part(self, group: ExecutionGroup | None) -> FetchGraph:
        """The steps of one group, or those of the first answer."""
        return FetchGraph(tuple(step for step in self.steps if step.group == group))

    def __str__(self) -> str:
        return "\n".join(map(str, self.steps))


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a path has arrived: in which step's selection, where in the data, and for which group."""

    step: Step
    selection: Selection
    path: FetchPath
    place: Place
    type_name: str
    group: ExecutionGroup | None


class FetchGraphBuilder:
    """Lays paths together; paths that share their moves share their steps."""

    def __init__(self, graph: QueryGraph, kind: str, names: ResponseNames) -> None:
        self._graph = graph
        self._kind = kind
        self._names = names
        self._steps: dict[object, Step] = {}

    def build(self, paths: Iterable[Path]) -> FetchGraph:
        """The fetch graph of the paths chosen for an operation's leaves."""
        paths = tuple(paths)
        for path in paths:
            self._name_client_fields(path.moves)
        for path in paths:
            self._follow(path.moves, self._root(path.moves), ALWAYS, client=True)
        return FetchGraph(tuple(self._steps.values()))

    def _name_client_fields(self, way: Way) -> None:
        place: Place = ()
        for move in way:
            if isinstance(move, Select) and move.selection.name != TYPENAME:
                key = self._key(place, move.move.source.type, move.selection, client=True)
                place = (*place, key)

    def _key(self, place: Place, type_name: str, field: FieldSelection, *, client: bool) -> str:
        name = self._names.for_client if client else self._names.assign
        return name(place, type_name, field.name, field.arguments, field.response_name)

    def _root(self, way: Way) -> _Position:
        first = next(move for move in way if isinstance(move, Select))
        group = way[0].group if isinstance(way[0], Defer) else None
        graph, type_name = first.move.source.graph, first.move.source.type
        step = self._step(graph, self._kind, (), (), group, ("root", graph))
        return _Position(step, step.selection, (), (), type_name, group)

    def _step(
        self,
        graph: str,
        kind: str,
        path: FetchPath,
        place: Place,
        group: ExecutionGroup | None,
        identity: object,
    ) -> Step:
        known = (group, identity)
        if known not in self._steps:
            self._steps[known] = Step(len(self._steps), graph, kind, path, place, group)
        return self._steps[known]

    def _follow(self, way: Way, position: _Position, conditions: Conditions, *, client: bool) -> _Position:
        for index, move in enumerate(way):
            match move:
                case Select():
                    position, conditions = self._select(move, position, conditions, client=client)
                case Narrow(type=name):
                    position = replace(
                        position,
                        selection=position.selection.narrow(name),
                        path=(*position.path, Narrowing(name)),
                        type_name=name,
                    )
                case Defer(group=group):
                    position = replace(position, group=group)
                case _:
                    following = next((each for each in way[index:] if isinstance(each, Select)), None)
                    own = following.selection.conditions if following and move.requires else ALWAYS
                    position = self._enter(move, position, conditions | own)
        return position

    def _select(
        self, move: Select, position: _Position, conditions: Conditions, *, client: bool
    ) -> tuple[_Position, Conditions]:
        """The position after a field, and the conditions that still have to be stated below it."""
        field, target = move.selection, move.move.target
        if field.name == TYPENAME:
            position.selection.typename = True
            return position, conditions
        key = self._key(position.place, move.move.source.type, field, client=client)
        wanted = SelectedField(
            key, field.name, field.arguments, field.variables, field.conditions | conditions
        )
        selected = position.selection.field(wanted)
        if target is None or field.selections is None:
            return position, conditions
        if selected.selection is None:
            selected.selection = Selection()
        # A subgraph may return one type where the whole graph has an interface or a union.
        typed = self._tells_types(field.selections.type_name) and not self._graph.is_interface_object(target)
        selected.selection.typename |= typed
        below = _Position(
            position.step,
            selected.selection,
            (*position.path, key, *[LIST] * move.move.lists),
            (*position.place, key),
            target.type,
            position.group,
        )
        return below, conditions - selected.conditions

    def _tells_types(self, type_name: str) -> bool:
        return self._graph.supergraph.is_abstract(type_name)

    def _enter(self, move: EntityMove, position: _Position, conditions: Conditions) -> _Position:
        ends = [self._follow(leaf, position, conditions, client=False).step for leaf in move.leaves]
        waits = {position.step, *ends}
        path = _unnarrowed(position.path)
        if move.key is None:
            step = self._step(
                move.target.graph,
                "query",
                path,
                position.place,
                position.group,
                (move.target.graph, path, frozenset(waits)),
            )
            step.parents |= waits
            return replace(position, step=step, selection=step.selection, type_name=move.target.type)
        reason = conditions if move.requires else ALWAYS
        identity = (move.target.graph, path, frozenset(waits), str(move.key), str(move.requires), reason)
        step = self._step(move.target.graph, "entities", path, position.place, position.group, identity)
        step.parents |= waits
        step.reason = reason
        self._present(step, move, position)
        selection = step.selection.narrow(move.target.type)
        if self._tells_types(move.target.type) and not self._graph.is_interface_object(move.target):
            selection.typename = True
        return replace(position, step=step, selection=selection, type_name=move.target.type)

    def _present(self, step: Step, move: EntityMove, position: _Position) -> None:
        assert move.key is not None
        given = self._input(move.key, position.place)
        if move.requires:
            given = united(given, self._input(move.requires, position.place))
        source = position.type_name
        accepts = self._graph.supergraph.possible_types(source) | {source}
        known = step.presented.get((move.target.type, source))
        if known:
            given = united(known.input, given)
        step.presented[move.target.type, source] = Presented(str(move.key), accepts, given)

    def _input(self, selections: SelectionSet, place: Place) -> Input:
        fields = tuple(self._input_fields(selections.type_name, selections.fields, place))
        narrowed = tuple(
            (name, tuple(self._input_fields(name, fields, place)))
            for name, fields in selections.narrowed.items()
        )
        return Input(fields, narrowed)

    def _input_fields(
        self, type_name: str, fields: Iterable[FieldSelection], place: Place
    ) -> Iterator[InputField]:
        for field in fields:
            if field.name == TYPENAME:
                continue
            key = self._key(place, type_name, field, client=False)
            below = None
            if field.selections:
                typename = self._tells_types(field.selections.type_name)
                below = replace(self._input(field.selections, (*place, key)), typename=typename)
            yield InputField(field.name, key, below)


def _unnarrowed(path: FetchPath) -> FetchPath:
    """A path without the types it ends in: representations choose objects by their own type."""
    while path and isinstance(path[-1], Narrowing):
        path = path[:-1]
    return path
