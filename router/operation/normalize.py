"""Normalisation: an operation without fragments, with each field of an object once.

Uses of one response name are merged as in the specification's CollectFields, conditions go to the fields,
and a field stays on an interface unless it is selected on an object type too. With `Book` and `Film` as the
types of the interface `Work`

    query ($full: Boolean!) {
      work { id ...Details @include(if: $full) ... on Book { author { name } } }
    }
    fragment Details on Work { title author { id } }

becomes

    query {
      work {
        id
        title @include(if: $full)
        ... on Book {
          author {
            id @include(if: $full)
            name
          }
        }
        ... on Film {
          author @include(if: $full) {
            id
          }
        }
      }
    }
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeAlias

from graphql import (
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
from router.operation.conditions import ALWAYS, Conditions, exclude, is_contradictory, read_conditions
from router.operation.deadline import NEVER, Deadline
from router.operation.deferral import (
    DEFER,
    Deferral,
    DeferUsage,
    ExecutionGroup,
    find_execution_group,
    is_deferred,
    read_label,
)
from router.operation.fragments import Fragments, resolve_fragment
from router.operation.selections import INTROSPECTION, FieldSelection, NormalizedOperation, SelectionSet


def normalize(
    operation: Operation, schema: GraphQLSchema, deferral: Deferral = None, deadline: Deadline = NEVER
) -> NormalizedOperation:
    """The normal form of an operation, without the introspection fields, which the router resolves itself."""
    root = schema.get_root_type(operation.node.operation)
    assert root is not None, "a validated operation has its root type"
    normalizer = _Normalizer(schema, operation.fragments, deferral, deadline)
    found = normalizer.normalize(root, [(operation.node.selection_set, ALWAYS, None)])
    if operation.kind == "mutation":
        found = replace(
            found, fields=tuple(_order_root_fields(found.fields, normalizer.root_field_uses, deadline))
        )
    local = [each for later in found.deferred.values() for each in later.fields if each.name in INTROSPECTION]
    order = tuple(dict.fromkeys(each.response_name for each in (*found.fields, *local)))
    deferred = {group: drop_introspection(later) for group, later in found.deferred.items()}
    kept = replace(drop_introspection(found), deferred=deferred)
    return NormalizedOperation(operation.kind, kept, order)


def normalize_field_set(schema: GraphQLSchema, type_name: str, text: str) -> SelectionSet:
    """The normal form of a federation field set, as in `@key(fields: "id owner { id }")`."""
    definition = parse(f"{{{text}}}", no_location=True).definitions[0]
    selection_set: SelectionSetNode = definition.selection_set  # type: ignore[attr-defined] # a query, as written above
    normalizer = _Normalizer(schema, {}, None, NEVER)
    return normalizer.normalize(schema.type_map[type_name], [(selection_set, ALWAYS, None)])


def drop_introspection(selections: SelectionSet) -> SelectionSet:
    """A root selection set without the introspection fields."""
    fields = tuple(each for each in selections.fields if each.name not in INTROSPECTION)
    return replace(selections, fields=fields)


# A selection set or a field of the document, the conditions on the way to it, and its deferred fragment.
_SelectionSource: TypeAlias = tuple[SelectionSetNode, Conditions, DeferUsage | None]
# The names are those of CollectFields in the proposal for incremental delivery.
_FieldDetails: TypeAlias = tuple[FieldNode, Conditions, DeferUsage | None]
_GroupedFieldSet: TypeAlias = dict[str, list[_FieldDetails]]
_RootFieldUse: TypeAlias = tuple[str, Conditions]


@dataclass(frozen=True, slots=True)
class _Scope:
    """A selection set's type, the response path of its objects, and the execution group these belong to."""

    type: GraphQLNamedType
    path: tuple[str, ...] = ()
    group: ExecutionGroup | None = None


@dataclass(frozen=True, slots=True)
class _CollectedFields:
    """The fields collected for one object, by the type they are selected on; `visited` has what was read."""

    by_type: dict[str, _GroupedFieldSet]
    visited: set[tuple[int, str, Conditions, DeferUsage | None]] = field(default_factory=set)


class _Normalizer:
    """Normalises the selections of one document."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Fragments,
        deferral: Deferral,
        deadline: Deadline,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._deferral = deferral
        self._deadline = deadline
        self._numbers = count()
        self.root_field_uses: list[_RootFieldUse] = []
        """Response name and conditions of each use of a root field, in document order."""

    def normalize(self, type_: GraphQLNamedType, sources: Iterable[_SelectionSource]) -> SelectionSet:
        return self._build_selection_set(_Scope(type_), sources)

    def _build_selection_set(self, scope: _Scope, sources: Iterable[_SelectionSource]) -> SelectionSet:
        type_ = scope.type
        found = _CollectedFields({type_.name: {}})
        for source in sources:
            self._collect_fields(scope, type_, source, found)
        by_type = found.by_type
        common = by_type.pop(type_.name)
        self._split_by_type(type_, common, by_type)
        by_type = {type_.name: common, **by_type}
        later = self._take_deferred(scope.group, by_type) if self._deferral is not None else {}
        deferred = {group: self._build(replace(scope, group=group), part) for group, part in later.items()}
        return replace(self._build(scope, by_type), deferred=deferred)

    def _take_deferred(
        self, own: ExecutionGroup | None, by_type: dict[str, _GroupedFieldSet]
    ) -> dict[ExecutionGroup, dict[str, _GroupedFieldSet]]:
        """Moves the fields of other groups than the object's own out of the collected ones."""
        later: dict[ExecutionGroup, dict[str, _GroupedFieldSet]] = {}
        for type_name, by_name in by_type.items():
            for response_name, nodes in [*by_name.items()]:
                group = find_execution_group((usage for _, _, usage in nodes), own)
                if group is not None and group != own:
                    del by_name[response_name]
                    later.setdefault(group, {}).setdefault(type_name, {})[response_name] = nodes
        return later

    def _build(self, scope: _Scope, by_type: dict[str, _GroupedFieldSet]) -> SelectionSet:
        fields = self._build_fields(scope, by_type.get(scope.type.name, {}))
        narrowed = {
            name: self._build_fields(replace(scope, type=self._schema.type_map[name]), by_name)
            for name, by_name in by_type.items()
            if by_name and name != scope.type.name
        }
        return SelectionSet(scope.type.name, fields, narrowed)

    def _collect_fields(
        self, scope: _Scope, type_: GraphQLNamedType, source: _SelectionSource, found: _CollectedFields
    ) -> None:
        selection_set, conditions, usage = source
        visit = (id(selection_set), type_.name, conditions, usage)
        if visit in found.visited:
            return
        found.visited.add(visit)
        for selection in selection_set.selections:
            self._deadline.check()
            own = read_conditions(selection.directives)
            if own is None:
                continue
            under = conditions | own
            if is_contradictory(under):
                continue
            match selection:
                case FieldNode():
                    by_name = found.by_type.setdefault(type_.name, {})
                    name = (selection.alias or selection.name).value
                    by_name.setdefault(name, []).append((selection, under, usage))
                    if not scope.path:
                        self.root_field_uses.append((name, under))
                case _:
                    fragment = resolve_fragment(selection, self._fragments)
                    below = fragment.selection_set, under, self._find_usage(scope, selection, usage)
                    for narrower in self._narrow_type(type_, fragment.type_condition):
                        self._collect_fields(scope, narrower, below, found)

    def _find_usage(
        self, scope: _Scope, node: SelectionNode, enclosing: DeferUsage | None
    ) -> DeferUsage | None:
        """The innermost deferred fragment around the fields of a fragment."""
        if self._deferral is None:
            return enclosing
        for directive in node.directives or ():
            if is_deferred(directive, self._deferral):
                return DeferUsage(next(self._numbers), read_label(directive), scope.path, enclosing)
        return enclosing

    def _narrow_type(
        self, type_: GraphQLNamedType, condition: NamedTypeNode | None
    ) -> list[GraphQLNamedType]:
        """The types on which the fields of a fragment within a type are collected.

        That is the type itself where the fragment applies to all its objects, or those of its object types
        that satisfy the type condition.
        """
        if condition is None or condition.name.value == type_.name:
            return [type_]
        target = self._schema.type_map[condition.name.value]
        if isinstance(type_, GraphQLInterfaceType) and target in type_.interfaces:
            return [type_]
        allowed = {each.name for each in self._get_possible_types(target)}
        return [each for each in self._get_possible_types(type_) if each.name in allowed]

    def _get_possible_types(self, type_: GraphQLNamedType) -> list[GraphQLObjectType]:
        if isinstance(type_, GraphQLObjectType):
            return [type_]
        return list(self._schema.get_possible_types(type_)) if is_abstract_type(type_) else []

    def _split_by_type(
        self, type_: GraphQLNamedType, common: _GroupedFieldSet, by_type: dict[str, _GroupedFieldSet]
    ) -> None:
        """Splits up what is selected both on an abstract type and on one of its object types.

        It goes to every object type, where its uses are merged.
        """
        for response_name in [*common]:
            if not any(response_name in by_name for by_name in by_type.values()):
                continue
            everywhere = common[response_name]
            if any(not node.selection_set and not (under or usage) for node, under, usage in everywhere):
                # An unconditional leaf on the abstract type covers all other uses.
                for by_name in by_type.values():
                    by_name.pop(response_name, None)
                continue
            del common[response_name]
            for possible in self._get_possible_types(type_):
                self._deadline.check()
                by_name = by_type.setdefault(possible.name, {})
                by_name[response_name] = [*everywhere, *by_name.get(response_name, [])]

    def _build_fields(self, scope: _Scope, by_name: _GroupedFieldSet) -> tuple[FieldSelection, ...]:
        return tuple(
            field for name, nodes in by_name.items() for field in self._merge_uses(scope, name, nodes)
        )

    def _merge_uses(
        self, scope: _Scope, response_name: str, uses: list[_FieldDetails]
    ) -> Iterator[FieldSelection]:
        self._deadline.check()
        first = uses[0][0]
        alternatives = list(dict.fromkeys(conditions for _, conditions, _ in uses))
        if ALWAYS in alternatives:
            alternatives = [ALWAYS]
        selections = None
        if first.selection_set:
            # Conditions that the whole field has are stated on it; where uses differ, on what they select.
            shared = alternatives[0] if len(alternatives) == 1 else ALWAYS
            sources = [
                (node.selection_set, under - shared, usage)
                for node, under, usage in uses
                if node.selection_set
            ]
            output = self._get_output_type(scope.type, first.name.value)
            below = _Scope(output, (*scope.path, response_name), scope.group)
            selections = self._build_selection_set(below, sources)
        arguments = "".join(f"{node.name.value}: {print_ast(node.value)}, " for node in first.arguments or ())
        text = f"({arguments[:-2]})" if arguments else ""
        directives, mentioned = read_directives(self._schema, "FIELD", (node for node, _, _ in uses))
        variables = mentioned | _find_variables(argument.value for argument in first.arguments or ())
        for conditions in alternatives:
            yield FieldSelection(
                first.name.value, response_name, text, variables, conditions, selections, directives
            )

    def _get_output_type(self, type_: GraphQLNamedType, name: str) -> GraphQLNamedType:
        if name == "__type":
            return self._schema.type_map["__Type"]
        if name == "__schema":
            return self._schema.type_map["__Schema"]
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        output: GraphQLNamedType = get_named_type(type_.fields[name].type)
        return output


def _order_root_fields(
    fields: Iterable[FieldSelection], uses: Iterable[_RootFieldUse], deadline: Deadline
) -> Iterator[FieldSelection]:
    """A mutation's root fields in the order in which they run.

    A field runs at the first of its uses whose conditions hold. Of `a @include(if: $x)  b  a` the first `a`
    runs if `$x` is true, and the second one, after `b`, only if `$x` is false.
    """
    by_name = {each.response_name: each for each in reversed([*fields])}
    earlier: dict[str, list[Conditions]] = {name: [] for name in by_name}
    for name, conditions in uses:
        alternatives = [conditions]
        for each in earlier[name]:
            deadline.check()
            alternatives = [rest for one in alternatives for rest in exclude(one, each)]
        earlier[name].append(conditions)
        yield from (replace(by_name[name], conditions=each) for each in alternatives)


def read_directives(
    schema: GraphQLSchema, location: str, nodes: Iterable[FieldNode | OperationDefinitionNode]
) -> tuple[str, frozenset[str]]:
    """The subgraphs' own directives of a field or an operation, printed, and the variables in them.

    The nodes are merged into one, on which a directive that is not repeatable may stand only once.
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
    return "".join(f" {print_ast(each)}" for each in found.values()), frozenset(_find_variables(values))


class _VariableCollector(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.names.add(node.name.value)


def _find_variables(values: Iterable[ValueNode]) -> set[str]:
    visitor = _VariableCollector()
    for value in values:
        visit(value, visitor)
    return visitor.names
