"""The fetch graph: the chosen paths become fetch steps that wait for one another.

A path is followed move by move. A field move adds its field to the selection set of the current step. An
entity move first follows the moves to its inputs, whose steps become parents, and then enters a step of its
target: an existing one, if that has the same subgraph, objects, parents and kind of representation. Where
the `email` by which `c` can be entered must be fetched from `b`, the path of `{ me { name } }` makes

    [0] A { me { id } }
    [1] B at me after 0 { email }
    [2] C at me after 0, 1 { name }
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute

from router.operation.conditions import ALWAYS, Conditions
from router.operation.deadline import Deadline
from router.operation.deferral import ExecutionGroup
from router.operation.selections import TYPENAME, FieldSelection, SelectionSet
from router.planner.context_variables import ContextVariables
from router.planner.graph import QueryGraph
from router.planner.moves import ContextValue, DeferMove, EntityMove, FieldMove, Moves, NarrowMove
from router.planner.names import ResponseNames, TypedPath, TypedSegment
from router.planner.paths import GraphPath
from router.planner.plan import LIST, ContextVariable, FetchPath, Input, InputField, Narrowing
from router.planner.steps import FetchStep, SelectedField, SelectionBuilder, StepRepresentation, merge_inputs


@dataclass(frozen=True, slots=True)
class FetchGraph:
    """The steps of an operation, in the order in which paths needed them first."""

    steps: tuple[FetchStep, ...]

    def for_group(self, group: ExecutionGroup | None) -> FetchGraph:
        """The steps of an execution group, or, without one, those of the initial response."""
        return FetchGraph(tuple(step for step in self.steps if step.group == group))

    def __str__(self) -> str:
        return "\n".join(map(str, self.steps))


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a path has arrived: in the selection set of a step, and on objects at a path of the data."""

    step: FetchStep
    selection: SelectionBuilder
    path: FetchPath
    typed_path: TypedPath
    type_name: str
    group: ExecutionGroup | None
    context_sources: Mapping[str, _ContextSource] = attribute(default_factory=dict)
    contextual_arguments: tuple[tuple[str, str], ...] = ()
    """Those of the field for which the step was entered, each with its variable."""


@dataclass(frozen=True, slots=True)
class _ContextSource:
    """An enclosing object that sets a context, and the conditions of the fields below it so far."""

    position: _Position
    conditions: Conditions


@dataclass(slots=True)
class _FoundFields:
    """The fields that moves have selected for a representation, by name and arguments and by key in the data.

    `types` are those of the objects that have them.
    """

    types: dict[str, None] = attribute(default_factory=dict)
    fields: dict[tuple[str, str], dict[str, _FoundFields]] = attribute(default_factory=dict)

    def add(self, move: FieldMove, key: str) -> _FoundFields:
        """Adds a field; returns the fields below it."""
        by_key = self.fields.setdefault((move.selection.name, move.selection.arguments), {})
        found = by_key.setdefault(key, _FoundFields())
        found.types[move.edge.source.type] = None
        return found


class FetchGraphBuilder:
    """Builds a fetch graph from graph paths."""

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
        self._steps: dict[object, FetchStep] = {}

    def build(self, paths: Iterable[GraphPath]) -> FetchGraph:
        """The fetch graph of the paths chosen for an operation's leaves."""
        paths = tuple(paths)
        # The client's names come first: those of inputs must make way for them.
        for path in paths:
            self._name_client_fields(path.moves)
        for path in paths:
            self._follow(path.moves, self._start(path.moves), ALWAYS)
        return FetchGraph(tuple(self._steps.values()))

    def _name_client_fields(self, moves: Moves) -> None:
        path: TypedPath = ()
        for move in moves:
            if isinstance(move, FieldMove) and move.selection.name != TYPENAME:
                key = self._names.assign_for_client(path, move.edge.source, move.selection)
                path = (*path, TypedSegment(move.edge.source.type, key))

    def _start(self, moves: Moves) -> _Position:
        first = next(move for move in moves if isinstance(move, FieldMove))
        group = moves[0].group if isinstance(moves[0], DeferMove) else None
        graph, type_name = first.edge.source.graph, first.edge.source.type
        step = self._get_or_add_step(graph, self._kind, (), group, ("root", graph))
        return _Position(step, step.selection, (), (), type_name, group)

    def _get_or_add_step(
        self,
        graph: str,
        kind: str,
        path: FetchPath,
        group: ExecutionGroup | None,
        identity: object,
    ) -> FetchStep:
        key = (group, identity)
        if key not in self._steps:
            self._steps[key] = FetchStep(len(self._steps), graph, kind, path, group)
        return self._steps[key]

    def _follow(
        self, moves: Moves, position: _Position, conditions: Conditions, found: _FoundFields | None = None
    ) -> _Position:
        """Follows moves, adding their fields to steps; returns where they end.

        With `found`, the moves are those to an input of an entity move, and its fields are noted there.
        """
        origin = position
        for index, move in enumerate(moves):
            self._deadline.check()
            match move:
                case FieldMove():
                    context_sources = _find_context_sources(move, position, origin, conditions)
                    key = self._assign_key(move, position, found)
                    found = found.add(move, key) if found else None
                    position, conditions = self._select(move, key, position, conditions)
                    position = (
                        replace(position, context_sources=context_sources) if context_sources else position
                    )
                case NarrowMove(type=name):
                    position = replace(
                        position,
                        selection=position.selection.narrow(name),
                        path=(*position.path, Narrowing(name)),
                        type_name=name,
                    )
                case DeferMove(group=group):
                    position = replace(position, group=group)
                case _:
                    # Requirements and contexts are needed only if the field that needs them is selected.
                    following = next((each for each in moves[index:] if isinstance(each, FieldMove)), None)
                    needs = move.requires or move.values
                    own = following.selection.conditions if following and needs else ALWAYS
                    position = self._enter(move, position, conditions | own)
            if isinstance(move, FieldMove | NarrowMove):
                origin = position
        return position

    def _assign_key(self, move: FieldMove, position: _Position, found: _FoundFields | None) -> str:
        """The key under which the data has a field."""
        if move.selection.name == TYPENAME:
            return TYPENAME
        name = self._names.assign if found else self._names.assign_for_client
        return name(position.typed_path, move.edge.source, move.selection)

    def _select(
        self, move: FieldMove, key: str, position: _Position, conditions: Conditions
    ) -> tuple[_Position, Conditions]:
        """Adds a field; returns the position below it, and the conditions that its selections must state.

        These are the ones that are not on the field itself, as others select it unconditionally.
        """
        field, target = move.selection, move.edge.target
        if field.name == TYPENAME:
            position.selection.has_typename = True
            position.selection.typename_conditions.add(field.conditions | conditions)
            return position, conditions
        wanted = SelectedField(
            key,
            field.name,
            field.arguments,
            field.variables,
            field.conditions | conditions,
            contextual_arguments=position.contextual_arguments,
            directives=field.directives,
        )
        selected = position.selection.add_field(wanted)
        if target is None or field.selections is None:
            return position, conditions
        if selected.selection is None:
            selected.selection = SelectionBuilder()
        # The supergraph's type counts: one subgraph may have an object type where others have an interface.
        needs_typename = self._is_abstract(
            field.selections.type_name
        ) and not self._graph.is_interface_object(target)
        selected.selection.has_typename |= needs_typename
        below = _Position(
            position.step,
            selected.selection,
            (*position.path, key, *[LIST] * move.edge.lists),
            (*position.typed_path, TypedSegment(move.edge.source.type, key)),
            target.type,
            position.group,
        )
        return below, wanted.conditions - selected.conditions

    def _is_abstract(self, type_name: str) -> bool:
        return self._graph.supergraph.is_abstract(type_name)

    def _enter(self, move: EntityMove, position: _Position, conditions: Conditions) -> _Position:
        """Adds the steps for the inputs of an entity move, and the step that it enters."""
        found = _FoundFields()
        parents = {position.step}
        parents.update(self._follow(moves, position, conditions, found).step for moves in move.inputs)
        contexts = tuple(
            self._add_context_value(value, position, conditions, parents) for value in move.values
        )
        path = _strip_narrowing(position.path)
        if move.key is None:
            return self._enter_root(move, position, path, parents)
        field_conditions = conditions if move.requires or move.values else ALWAYS
        # A representation names one interface object, so a step has objects for only one.
        interface_object = move.target.type if self._graph.is_interface_object(move.target) else None
        represented = (interface_object, str(move.key), str(move.requires), contexts)
        identity = (move.target.graph, path, frozenset(parents), represented, field_conditions)
        step = self._get_or_add_step(move.target.graph, "entities", path, position.group, identity)
        step.parents |= parents
        step.field_conditions = field_conditions
        step.contexts = contexts
        self._add_representation(step, move, position, found)
        selection = step.selection.narrow(move.target.type)
        if self._is_abstract(move.target.type) and not self._graph.is_interface_object(move.target):
            selection.has_typename = True
        contextual_arguments = tuple(
            (value.argument.name, variable.name)
            for value, variable in zip(move.values, contexts, strict=True)
        )
        return replace(
            position,
            step=step,
            selection=selection,
            type_name=move.target.type,
            contextual_arguments=contextual_arguments,
        )

    def _add_context_value(
        self, value: ContextValue, position: _Position, conditions: Conditions, parents: set[FetchStep]
    ) -> ContextVariable:
        """Adds the variable for a contextual argument; the steps that fetch its value become parents."""
        source = position.context_sources[value.argument.context]
        start = replace(source.position, group=position.group)
        found = _FoundFields()
        for moves in value.inputs:
            parents.add(self._follow(moves, start, source.conditions | conditions, found).step)
        wanted = self._build_input(value.selection, found)
        return self._variables.assign(value.argument.type, source.position.path, wanted)

    def _enter_root(
        self, move: EntityMove, position: _Position, path: FetchPath, parents: set[FetchStep]
    ) -> _Position:
        graph = move.target.graph
        if not path:
            # Only the value of a context leads from root to root, and no root waits for another.
            step = self._get_or_add_step(graph, self._kind, (), position.group, ("root", graph))
        else:
            identity = (graph, path, frozenset(parents))
            step = self._get_or_add_step(graph, "query", path, position.group, identity)
            step.parents |= parents
        return replace(position, step=step, selection=step.selection, type_name=move.target.type)

    def _add_representation(
        self, step: FetchStep, move: EntityMove, position: _Position, found: _FoundFields
    ) -> None:
        assert move.key is not None
        wanted = self._build_input(move.key, found)
        if move.requires:
            wanted = merge_inputs(
                wanted, self._build_required_input(move.requires, found, step.field_conditions)
            )
        source, target = position.type_name, move.target.type
        possible = self._graph.supergraph.get_possible_types
        representation = StepRepresentation(
            target,
            str(move.key),
            possible(source) | {source},
            wanted,
            possible(target) | {target},
            self._graph.get_own_typenames(move.target),
            bool(move.requires or move.values),
        )
        existing = step.representations.get((target, source))
        step.representations[target, source] = existing.merge(representation) if existing else representation

    def _build_required_input(
        self, requires: SelectionSet, found: _FoundFields, field_conditions: Conditions
    ) -> Input:
        """The input for a field's requirements, which is complete only where the field is selected."""
        return self._build_input(requires, found).map_conditions(
            lambda conditions: conditions | field_conditions
        )

    def _build_input(self, selections: SelectionSet, found: _FoundFields) -> Input:
        """How the leaves of a field set are read from the data, with only those types that moves have met."""
        narrowed: dict[str, list[InputField]] = defaultdict(list)
        for name, fields in {"": selections.fields, **selections.narrowed}.items():
            for field in fields:
                for on, wanted in self._build_input_fields(field, found) if field.name != TYPENAME else ():
                    narrowed[name or on].append(wanted)
        common = tuple(narrowed.pop("", ()))
        return Input(common, tuple((name, tuple(fields)) for name, fields in narrowed.items()))

    def _build_input_fields(
        self, field: FieldSelection, found: _FoundFields
    ) -> Iterator[tuple[str, InputField]]:
        """A field's input, one for each key in the data, with the type of the objects that have that key.

        The type is empty where there is only one key.
        """
        by_key = found.fields.get((field.name, field.arguments), {})
        for key, held in by_key.items():
            below = None
            if field.selections:
                has_typename = self._is_abstract(field.selections.type_name)
                below = replace(self._build_input(field.selections, held), has_typename=has_typename)
            wanted = InputField(field.name, key, below)
            if len(by_key) == 1:
                yield "", wanted
            else:
                yield from ((on, wanted) for on in held.types)


def _find_context_sources(
    move: FieldMove, position: _Position, origin: _Position, conditions: Conditions
) -> Mapping[str, _ContextSource]:
    """The contexts that are set for the selections below a field."""
    if not (position.context_sources or move.contexts):
        return position.context_sources
    own = move.selection.conditions
    further = {
        name: replace(each, conditions=each.conditions | own)
        for name, each in position.context_sources.items()
    }
    return {**further, **dict.fromkeys(move.contexts, _ContextSource(origin, conditions | own))}


def _strip_narrowing(path: FetchPath) -> FetchPath:
    """A path without type conditions at its end: representations select objects by type anyway."""
    while path and isinstance(path[-1], Narrowing):
        path = path[:-1]
    return path
