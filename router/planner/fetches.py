"""The fetch graph: chosen paths laid together into steps that wait for one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute

from router.deadline import Deadline
from router.deferral import ExecutionGroup
from router.planner.contexts import ContextVariables
from router.planner.graph import QueryGraph
from router.planner.moves import ContextValue, Defer, EntityMove, Narrow, Select, Way
from router.planner.names import Place, ResponseNames
from router.planner.paths import Path
from router.planner.plan import LIST, ContextVariable, FetchPath, Input, InputField, Narrowing
from router.planner.steps import Presented, SelectedField, Selection, Step, united
from router.selections import ALWAYS, TYPENAME, Conditions, FieldSelection, SelectionSet


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
    enclosing: Mapping[str, _Enclosing] = attribute(default_factory=dict)
    given: tuple[tuple[str, str], ...] = ()
    """Arguments that contexts give to the field for which the step was entered, each with its variable."""


@dataclass(frozen=True, slots=True)
class _Enclosing:
    """An object on the way that sets a context, and the conditions met since."""

    position: _Position
    conditions: Conditions


class FetchGraphBuilder:
    """Lays paths together; paths that share their moves share their steps."""

    def __init__(
        self,
        graph: QueryGraph,
        kind: str,
        names: ResponseNames,
        variables: ContextVariables,
        deadline: Deadline,
    ) -> None:
        self._graph = graph
        self._kind = kind
        self._names = names
        self._variables = variables
        self._deadline = deadline
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
        holder = position
        for index, move in enumerate(way):
            self._deadline.check()
            match move:
                case Select():
                    enclosing = _enclosing(move, position, holder, conditions)
                    position, conditions = self._select(move, position, conditions, client=client)
                    position = replace(position, enclosing=enclosing) if enclosing else position
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
                    needs = move.requires or move.values
                    own = following.selection.conditions if following and needs else ALWAYS
                    position = self._enter(move, position, conditions | own)
            if isinstance(move, Select | Narrow):
                holder = position
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
            key,
            field.name,
            field.arguments,
            field.variables,
            field.conditions | conditions,
            contextual=position.given,
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
        waits = {position.step, *self._ends(move, position, conditions)}
        path = _unnarrowed(position.path)
        if move.key is None:
            return self._enter_root(move, position, path, waits)
        contexts = tuple(self._context_variable(value, position) for value in move.values)
        reason = conditions if move.requires or move.values else ALWAYS
        presented = (str(move.key), str(move.requires), contexts)
        identity = (move.target.graph, path, frozenset(waits), presented, reason)
        step = self._step(move.target.graph, "entities", path, position.place, position.group, identity)
        step.parents |= waits
        step.reason = reason
        step.contexts = contexts
        self._present(step, move, position)
        selection = step.selection.narrow(move.target.type)
        if self._tells_types(move.target.type) and not self._graph.is_interface_object(move.target):
            selection.typename = True
        given = tuple(
            (value.argument.name, variable.name)
            for value, variable in zip(move.values, contexts, strict=True)
        )
        return replace(position, step=step, selection=selection, type_name=move.target.type, given=given)

    def _ends(self, move: EntityMove, position: _Position, conditions: Conditions) -> Iterator[Step]:
        """The steps that fetch what a move presents, and what contexts give."""
        for leaf in move.leaves:
            yield self._follow(leaf, position, conditions, client=False).step
        for value in move.values:
            around = position.enclosing[value.argument.context]
            start = replace(around.position, group=position.group)
            for leaf in value.leaves:
                yield self._follow(leaf, start, around.conditions | conditions, client=False).step

    def _enter_root(
        self, move: EntityMove, position: _Position, path: FetchPath, waits: set[Step]
    ) -> _Position:
        graph = move.target.graph
        if not path:
            # Only what a context reads leads from one root to another, and no root waits for any other.
            step = self._step(graph, self._kind, (), (), position.group, ("root", graph))
        else:
            identity = (graph, path, frozenset(waits))
            step = self._step(graph, "query", path, position.place, position.group, identity)
            step.parents |= waits
        return replace(position, step=step, selection=step.selection, type_name=move.target.type)

    def _context_variable(self, value: ContextValue, position: _Position) -> ContextVariable:
        around = position.enclosing[value.argument.context].position
        wanted = self._input(value.selection, around.place)
        return self._variables.variable(value.argument.type, around.path, wanted)

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


def _enclosing(
    move: Select, position: _Position, holder: _Position, conditions: Conditions
) -> Mapping[str, _Enclosing]:
    """The contexts that what is below a field can read."""
    if not (position.enclosing or move.sets):
        return position.enclosing
    own = move.selection.conditions
    further = {
        name: replace(each, conditions=each.conditions | own) for name, each in position.enclosing.items()
    }
    return {**further, **dict.fromkeys(move.sets, _Enclosing(holder, conditions | own))}


def _unnarrowed(path: FetchPath) -> FetchPath:
    """A path without the types it ends in: representations choose objects by their own type."""
    while path and isinstance(path[-1], Narrowing):
        path = path[:-1]
    return path
