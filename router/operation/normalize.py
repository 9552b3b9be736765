"""Normalise operations: no fragments, each field once, abstract types split where they must be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeAlias

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    Visitor,
    get_named_type,
    is_abstract_type,
    is_specified_directive,
    parse,
    print_ast,
    visit,
)

from router.operation import Operation
from router.operation.deadline import NEVER, Deadline
from router.operation.deferral import DEFER, Deferring, DeferUsage, ExecutionGroup, defers, group_of, label_of
from router.operation.fragments import Fragments, fragment_of
from router.operation.selections import (
    ALWAYS,
    INTROSPECTION,
    Condition,
    Conditions,
    FieldSelection,
    NormalizedOperation,
    SelectionSet,
)


def normalize(
    operation: Operation, schema: GraphQLSchema, deferring: Deferring = None, deadline: Deadline = NEVER
) -> NormalizedOperation:
    """The normal form of an operation; introspection fields of the root are left to be answered locally."""
    root = schema.get_root_type(operation.node.operation)
    assert root is not None, "a validated operation has its root type"
    normalizer = _Normalizer(schema, operation.fragments, deferring, deadline)
    found = normalizer.selection_set(root, [(operation.node.selection_set, ALWAYS, None)])
    if operation.kind == "mutation":
        found = replace(found, fields=tuple(_in_order(found.fields, normalizer.uses, deadline)))
    local = [each for later in found.deferred.values() for each in later.fields if each.name in INTROSPECTION]
    order = tuple(dict.fromkeys(each.response_name for each in (*found.fields, *local)))
    deferred = {group: without_introspection(later) for group, later in found.deferred.items()}
    kept = replace(without_introspection(found), deferred=deferred)
    return NormalizedOperation(operation.kind, kept, order)


def field_set(schema: GraphQLSchema, type_name: str, text: str) -> SelectionSet:
    """The normal form of a federation field set, as in `@key(fields: "id owner { id }")`."""
    definition = parse(f"{{{text}}}", no_location=True).definitions[0]
    selection_set: SelectionSetNode = definition.selection_set  # type: ignore[attr-defined] # a query, as written above
    normalizer = _Normalizer(schema, {}, None, NEVER)
    return normalizer.selection_set(schema.type_map[type_name], [(selection_set, ALWAYS, None)])


def without_introspection(selections: SelectionSet) -> SelectionSet:
    """A selection of a root type without what is answered locally."""
    fields = tuple(each for each in selections.fields if each.name not in INTROSPECTION)
    return replace(selections, fields=fields)


_Source: TypeAlias = tuple[SelectionSetNode, Conditions, DeferUsage | None]
_Asked: TypeAlias = tuple[FieldNode, Conditions, DeferUsage | None]
_ByName: TypeAlias = dict[str, list[_Asked]]
_Use: TypeAlias = tuple[str, Conditions]


@dataclass(frozen=True, slots=True)
class _Here:
    """Where a selection stands: its type, its place in the response, and the group it is executed in."""

    type: GraphQLNamedType
    place: tuple[str, ...] = ()
    group: ExecutionGroup | None = None


@dataclass(frozen=True, slots=True)
class _Collected:
    """What is asked of one object, by type, and the selection sets that were read for it."""

    asked: dict[str, _ByName]
    read: set[tuple[int, str, Conditions, DeferUsage | None]] = field(default_factory=set)


class _Normalizer:
    """Normalises the selections of one document."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Fragments,
        deferring: Deferring,
        deadline: Deadline,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._deferring = deferring
        self._deadline = deadline
        self._numbers = count()
        self.uses: list[_Use] = []
        """The uses of root fields in the order of the document."""

    def selection_set(self, type_: GraphQLNamedType, sources: Iterable[_Source]) -> SelectionSet:
        return self._selection_set(_Here(type_), sources)

    def _selection_set(self, here: _Here, sources: Iterable[_Source]) -> SelectionSet:
        type_ = here.type
        found = _Collected({type_.name: {}})
        for source in sources:
            self._collect(here, type_, source, found)
        asked = found.asked
        common = asked.pop(type_.name)
        self._separate(type_, common, asked)
        by_type = {type_.name: common, **asked}
        later = self._part(here.group, by_type) if self._deferring is not None else {}
        deferred = {group: self._made(replace(here, group=group), part) for group, part in later.items()}
        return replace(self._made(here, by_type), deferred=deferred)

    def _part(
        self, own: ExecutionGroup | None, asked: dict[str, _ByName]
    ) -> dict[ExecutionGroup, dict[str, _ByName]]:
        """Takes what is asked in later groups away from what is asked in this one."""
        later: dict[ExecutionGroup, dict[str, _ByName]] = {}
        for type_name, by_name in asked.items():
            for response_name, nodes in [*by_name.items()]:
                group = group_of((usage for _, _, usage in nodes), own)
                if group is not None and group != own:
                    del by_name[response_name]
                    later.setdefault(group, {}).setdefault(type_name, {})[response_name] = nodes
        return later

    def _made(self, here: _Here, asked: dict[str, _ByName]) -> SelectionSet:
        fields = self._fields(here, asked.get(here.type.name, {}))
        narrowed = {
            name: self._fields(replace(here, type=self._schema.type_map[name]), by_name)
            for name, by_name in asked.items()
            if by_name and name != here.type.name
        }
        return SelectionSet(here.type.name, fields, narrowed)

    def _collect(self, here: _Here, type_: GraphQLNamedType, source: _Source, found: _Collected) -> None:
        selection_set, conditions, usage = source
        known = (id(selection_set), type_.name, conditions, usage)
        if known in found.read:
            return
        found.read.add(known)
        for selection in selection_set.selections:
            self._deadline.check()
            own = _conditions(selection.directives)
            if own is None:
                continue
            under = conditions | own
            if _contradicts(under):
                continue
            match selection:
                case FieldNode():
                    by_name = found.asked.setdefault(type_.name, {})
                    name = (selection.alias or selection.name).value
                    by_name.setdefault(name, []).append((selection, under, usage))
                    if not here.place:
                        self.uses.append((name, under))
                case _:
                    fragment = fragment_of(selection, self._fragments)
                    below = fragment.selection_set, under, self._usage(here, selection, usage)
                    for narrower in self._narrow(type_, fragment.type_condition):
                        self._collect(here, narrower, below, found)

    def _usage(self, here: _Here, node: SelectionNode, enclosing: DeferUsage | None) -> DeferUsage | None:
        """The deferred fragment that a fragment's fields are in."""
        if self._deferring is None:
            return enclosing
        for directive in node.directives or ():
            if defers(directive, self._deferring):
                return DeferUsage(next(self._numbers), label_of(directive), here.place, enclosing)
        return enclosing

    def _narrow(self, type_: GraphQLNamedType, condition: NamedTypeNode | None) -> list[GraphQLNamedType]:
        """The types that fields under a fragment are asked of."""
        if condition is None or condition.name.value == type_.name:
            return [type_]
        target = self._schema.type_map[condition.name.value]
        if isinstance(type_, GraphQLInterfaceType) and target in type_.interfaces:
            return [type_]
        allowed = {each.name for each in self._possible(target)}
        return [each for each in self._possible(type_) if each.name in allowed]

    def _possible(self, type_: GraphQLNamedType) -> list[GraphQLObjectType]:
        if isinstance(type_, GraphQLObjectType):
            return [type_]
        return list(self._schema.get_possible_types(type_)) if is_abstract_type(type_) else []

    def _separate(self, type_: GraphQLNamedType, common: _ByName, asked: dict[str, _ByName]) -> None:
        """Moves what is asked both of all values and of one type to the concrete types."""
        for response_name in [*common]:
            if not any(response_name in by_name for by_name in asked.values()):
                continue
            everywhere = common[response_name]
            if any(not node.selection_set and not (under or usage) for node, under, usage in everywhere):
                for by_name in asked.values():
                    by_name.pop(response_name, None)
                continue
            del common[response_name]
            for possible in self._possible(type_):
                self._deadline.check()
                by_name = asked.setdefault(possible.name, {})
                by_name[response_name] = [*everywhere, *by_name.get(response_name, [])]

    def _fields(self, here: _Here, by_name: _ByName) -> tuple[FieldSelection, ...]:
        return tuple(field for name, nodes in by_name.items() for field in self._merged(here, name, nodes))

    def _merged(self, here: _Here, response_name: str, asked: list[_Asked]) -> Iterator[FieldSelection]:
        self._deadline.check()
        first = asked[0][0]
        alternatives = list(dict.fromkeys(conditions for _, conditions, _ in asked))
        if ALWAYS in alternatives:
            alternatives = [ALWAYS]
        selections = None
        if first.selection_set:
            # Under a field that is asked for several reasons, each reason keeps its own selections.
            shared = alternatives[0] if len(alternatives) == 1 else ALWAYS
            sources = [
                (node.selection_set, under - shared, usage)
                for node, under, usage in asked
                if node.selection_set
            ]
            output = self._output_type(here.type, first.name.value)
            below = _Here(output, (*here.place, response_name), here.group)
            selections = self._selection_set(below, sources)
        arguments = "".join(f"{node.name.value}: {print_ast(node.value)}, " for node in first.arguments or ())
        text = f"({arguments[:-2]})" if arguments else ""
        directives, mentioned = applied(self._schema, "FIELD", (node for node, _, _ in asked))
        variables = mentioned | _variables(argument.value for argument in first.arguments or ())
        for conditions in alternatives:
            yield FieldSelection(
                first.name.value, response_name, text, variables, conditions, selections, directives
            )

    def _output_type(self, type_: GraphQLNamedType, name: str) -> GraphQLNamedType:
        if name == "__type":
            return self._schema.type_map["__Type"]
        if name == "__schema":
            return self._schema.type_map["__Schema"]
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        output: GraphQLNamedType = get_named_type(type_.fields[name].type)
        return output


def _in_order(
    fields: Iterable[FieldSelection], uses: Iterable[_Use], deadline: Deadline
) -> Iterator[FieldSelection]:
    """Root fields in the order in which they run: each at the first of its uses whose conditions hold."""
    by_name = {each.response_name: each for each in reversed([*fields])}
    earlier: dict[str, list[Conditions]] = {name: [] for name in by_name}
    for name, conditions in uses:
        alternatives = [conditions]
        for each in earlier[name]:
            deadline.check()
            alternatives = [rest for one in alternatives for rest in _without(one, each)]
        earlier[name].append(conditions)
        yield from (replace(by_name[name], conditions=each) for each in alternatives)


def _without(conditions: Conditions, excluded: Conditions) -> Iterator[Conditions]:
    """When some conditions hold and not all of others, as alternatives of which at most one holds."""
    if _contradicts(conditions | excluded):
        yield conditions
        return
    for variable, value in sorted(excluded - conditions):
        yield conditions | {(variable, not value)}
        conditions |= {(variable, value)}


def applied(
    schema: GraphQLSchema, location: str, nodes: Iterable[FieldNode | OperationDefinitionNode]
) -> tuple[str, frozenset[str]]:
    """The directives of one field or operation that subgraphs define for a location, and their variables.

    Nodes that are asked for together are one: each directive that is not repeatable stands there once.
    """
    found: dict[str, DirectiveNode] = {}
    for directive in (each for node in nodes for each in node.directives or ()):
        definition = schema.get_directive(directive.name.value)
        if definition is None or is_specified_directive(definition) or definition.name == DEFER:
            continue
        if location in {place.name for place in definition.locations}:
            text = print_ast(directive)
            found.setdefault(text if definition.is_repeatable else definition.name, directive)
    values = (argument.value for directive in found.values() for argument in directive.arguments or ())
    return "".join(f" {print_ast(each)}" for each in found.values()), frozenset(_variables(values))


def _conditions(directives: Iterable[DirectiveNode] | None) -> Conditions | None:
    """The conditions that directives state; None if they never hold."""
    found: set[Condition] = set()
    for directive in directives or ():
        if directive.name.value not in {"include", "skip"}:
            continue
        wanted = directive.name.value == "include"
        [argument] = directive.arguments or ()
        value = argument.value
        if isinstance(value, VariableNode):
            found.add((value.name.value, wanted))
        elif isinstance(value, BooleanValueNode) and value.value is not wanted:
            return None
    return frozenset(found)


def _contradicts(conditions: Conditions) -> bool:
    return any((variable, not value) in conditions for variable, value in conditions)


class _VariableNames(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.names.add(node.name.value)


def _variables(values: Iterable[ValueNode]) -> set[str]:
    visitor = _VariableNames()
    for value in values:
        visit(value, visitor)
    return visitor.names
