"""The fetch graph: chosen paths laid together into steps that wait for one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute

from router.operation.deadline import Deadline
from router.operation.deferral import ExecutionGroup
from router.operation.selections import ALWAYS, TYPENAME, Conditions, FieldSelection, SelectionSet
from router.planner.context_variables import ContextVariables
from router.planner.graph import QueryGraph
from router.planner.moves import ContextValue, Defer, EntityMove, Narrow, Select, Way
from router.planner.names import Place, ResponseNames, Segment
from router.planner.paths import Path
from router.planner.plan import LIST, ContextVariable, FetchPath, Input, InputField, Narrowing
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
    enclosing: Mapping[str, _Enclosing] = attribute(default_factory=dict)
    given: tuple[tuple[str, str], ...] = ()
    """Arguments that contexts give to the field for which the step was entered, each with its variable."""


@dataclass(frozen=True, slots=True)
class _Enclosing:
    """An object on the way that sets a context, and the conditions met since."""

    position: _Position
    conditions: Conditions


@dataclass(slots=True)
class _Read:
    """What ways find for a representation: fields by name and arguments, and by the key that data has."""

    types: dict[str, None] = attribute(default_factory=dict)
    fields: dict[tuple[str, str], dict[str, _Read]] = attribute(default_factory=dict)

    def below(self, move: Select, key: str) -> _Read:
        """What is found below a field."""
        by_key = self.fields.setdefault((move.selection.name, move.selection.arguments), {})
        found = by_key.setdefault(key, _Read())
        found.types[move.move.source.type] = None
        return found


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
            self._follow(path.moves, self._root(path.moves), ALWAYS)
        return FetchGraph(tuple(self._steps.values()))

    def _name_client_fields(self, way: Way) -> None:
        place: Place = ()
        for move in way:
            if isinstance(move, Select) and move.selection.name != TYPENAME:
                key = self._names.for_client(place, move.move.source, move.selection)
                place = (*place, Segment(move.move.source.type, key))

    def _root(self, way: Way) -> _Position:
        first = next(move for move in way if isinstance(move, Select))
        group = way[0].group if isinstance(way[0], Defer) else None
        graph, type_name = first.move.source.graph, first.move.source.type
        step = self._step(graph, self._kind, (), group, ("root", graph))
        return _Position(step, step.selection, (), (), type_name, group)

    def _step(
        self,
        graph: str,
        kind: str,
        path: FetchPath,
        group: ExecutionGroup | None,
        identity: object,
    ) -> Step:
        known = (group, identity)
        if known not in self._steps:
            self._steps[known] = Step(len(self._steps), graph, kind, path, group)
        return self._steps[known]

    def _follow(
        self, way: Way, position: _Position, conditions: Conditions, read: _Read | None = None
    ) -> _Position:
        """Where a way ends; what it asks is the client's, or to be `read` for a representation."""
        holder = position
        for index, move in enumerate(way):
            self._deadline.check()
            match move:
                case Select():
                    enclosing = _enclosing(move, position, holder, conditions)
                    key = self._named(move, position, read)
                    read = read.below(move, key) if read else None
                    position, conditions = self._select(move, key, position, conditions)
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

    def _named(self, move: Select, position: _Position, read: _Read | None) -> str:
        """The key under which data holds a field."""
        if move.selection.name == TYPENAME:
            return TYPENAME
        name = self._names.assign if read else self._names.for_client
        return name(position.place, move.move.source, move.selection)

    def _select(
        self, move: Select, key: str, position: _Position, conditions: Conditions
    ) -> tuple[_Position, Conditions]:
        """The position after a field, and the conditions that still have to be stated below it."""
        field, target = move.selection, move.move.target
        if field.name == TYPENAME:
            position.selection.typename = True
            position.selection.naming.add(field.conditions | conditions)
            return position, conditions
        wanted = SelectedField(
            key,
            field.name,
            field.arguments,
            field.variables,
            field.conditions | conditions,
            contextual=position.given,
            directives=field.directives,
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
            (*position.place, Segment(move.move.source.type, key)),
            target.type,
            position.group,
        )
        return below, wanted.conditions - selected.conditions

    def _tells_types(self, type_name: str) -> bool:
        return self._graph.supergraph.is_abstract(type_name)

    def _enter(self, move: EntityMove, position: _Position, conditions: Conditions) -> _Position:
        read = _Read()
        waits = {position.step}
        waits.update(self._follow(leaf, position, conditions, read).step for leaf in move.leaves)
        contexts = tuple(self._given(value, position, conditions, waits) for value in move.values)
        path = _unnarrowed(position.path)
        if move.key is None:
            return self._enter_root(move, position, path, waits)
        reason = conditions if move.requires or move.values else ALWAYS
        # Only as one interface object can an object be presented at one time.
        sole = move.target.type if self._graph.is_interface_object(move.target) else None
        presented = (sole, str(move.key), str(move.requires), contexts)
        identity = (move.target.graph, path, frozenset(waits), presented, reason)
        step = self._step(move.target.graph, "entities", path, position.group, identity)
        step.parents |= waits
        step.reason = reason
        step.contexts = contexts
        self._present(step, move, position, read)
        selection = step.selection.narrow(move.target.type)
        if self._tells_types(move.target.type) and not self._graph.is_interface_object(move.target):
            selection.typename = True
        given = tuple(
            (value.argument.name, variable.name)
            for value, variable in zip(move.values, contexts, strict=True)
        )
        return replace(position, step=step, selection=selection, type_name=move.target.type, given=given)

    def _given(
        self, value: ContextValue, position: _Position, conditions: Conditions, waits: set[Step]
    ) -> ContextVariable:
        """The variable that gives an argument its value; the steps that fetch it are to be waited for."""
        around = position.enclosing[value.argument.context]
        start = replace(around.position, group=position.group)
        read = _Read()
        for leaf in value.leaves:
            waits.add(self._follow(leaf, start, around.conditions | conditions, read).step)
        wanted = self._input(value.selection, read)
        return self._variables.variable(value.argument.type, around.position.path, wanted)

    def _enter_root(
        self, move: EntityMove, position: _Position, path: FetchPath, waits: set[Step]
    ) -> _Position:
        graph = move.target.graph
        if not path:
            # Only what a context reads leads from one root to another, and no root waits for any other.
            step = self._step(graph, self._kind, (), position.group, ("root", graph))
        else:
            identity = (graph, path, frozenset(waits))
            step = self._step(graph, "query", path, position.group, identity)
            step.parents |= waits
        return replace(position, step=step, selection=step.selection, type_name=move.target.type)

    def _present(self, step: Step, move: EntityMove, position: _Position, read: _Read) -> None:
        assert move.key is not None
        given = self._input(move.key, read)
        if move.requires:
            given = united(given, self._required(move.requires, read, step.reason))
        source, target = position.type_name, move.target.type
        possible = self._graph.supergraph.possible_types
        presented = Presented(
            target,
            str(move.key),
            possible(source) | {source},
            given,
            possible(target) | {target},
            self._graph.known_by_name(move.target),
            bool(move.requires or move.values),
        )
        mine = step.presented.get((target, source))
        step.presented[target, source] = mine.joined(presented) if mine else presented

    def _required(self, requires: SelectionSet, read: _Read, reason: Conditions) -> Input:
        """What a field requires, which is there only if the field is asked for."""
        return self._input(requires, read).conditioned(lambda conditions: conditions | reason)

    def _input(self, selections: SelectionSet, read: _Read) -> Input:
        """How what is selected is read, in which types that the ways never meet do not occur."""
        narrowed: dict[str, list[InputField]] = defaultdict(list)
        for name, fields in {"": selections.fields, **selections.narrowed}.items():
            for field in fields:
                for on, wanted in self._input_fields(field, read) if field.name != TYPENAME else ():
                    narrowed[name or on].append(wanted)
        common = tuple(narrowed.pop("", ()))
        return Input(common, tuple((name, tuple(fields)) for name, fields in narrowed.items()))

    def _input_fields(self, field: FieldSelection, read: _Read) -> Iterator[tuple[str, InputField]]:
        """A field, with the type that it is read of where types hold it under keys of their own."""
        by_key = read.fields.get((field.name, field.arguments), {})
        for key, held in by_key.items():
            below = None
            if field.selections:
                typename = self._tells_types(field.selections.type_name)
                below = replace(self._input(field.selections, held), typename=typename)
            wanted = InputField(field.name, key, below)
            if len(by_key) == 1:
                yield "", wanted
            else:
                yield from ((on, wanted) for on in held.types)


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
