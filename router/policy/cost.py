"""What an operation may cost at most: `@cost` and `@listSize`, as federation takes them from IBM.

A field costs its own weight and that of its selections for every item it may return, and the weights of its
arguments once. Without `@cost` an object or an input object weighs 1, a leaf nothing, a mutation 10; a list
has the size that `@listSize` tells, or else the one assumed for all lists. Alternatives under fragments are
added up, so that an estimate is never too low for the sizes assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    TypeDefinitionNode,
    Undefined,
    ValueNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    value_from_ast_untyped,
)

from router.errors import CostUnknownError
from router.links import Vocabulary
from router.operation import Operation

MUTATION_WEIGHT = 10
OBJECT_WEIGHT = 1

Place: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListSize:
    """What `@listSize` says of a field."""

    assumed: int | None
    slicing: tuple[str, ...]
    sized: frozenset[str]
    one_required: bool


class CostRules:
    """The weights and sizes of a supergraph, by type, field and argument."""

    def __init__(self, supergraph: DocumentNode, list_size: int) -> None:
        self.list_size = list_size
        self._vocabulary = Vocabulary(supergraph)
        self.weights: dict[Place, int] = {}
        self.sizes: dict[Place, ListSize] = {}
        for definition in supergraph.definitions:
            if isinstance(definition, TypeDefinitionNode):
                self._read(definition)

    def _read(self, definition: TypeDefinitionNode) -> None:
        type_ = definition.name.value
        self._weigh((type_,), definition)
        for field in getattr(definition, "fields", None) or ():
            place = (type_, field.name.value)
            self._weigh(place, field)
            for found in self._vocabulary.applied(field, "listSize"):
                self.sizes[place] = ListSize(
                    found.get("assumedSize"),
                    tuple(found.get("slicingArguments") or ()),
                    frozenset(found.get("sizedFields") or ()),
                    found.get("requireOneSlicingArgument") is not False,
                )
            for argument in getattr(field, "arguments", None) or ():
                self._weigh((*place, argument.name.value), argument)

    def _weigh(self, place: Place, node: Node) -> None:
        for found in self._vocabulary.applied(node, "cost"):
            self.weights[place] = int(found["weight"])


class Cost:
    """The cost of one operation as a function of its variables."""

    def __init__(self, rules: CostRules, operation: Operation) -> None:
        self._rules = rules
        self._operation = operation

    def estimate(self, variables: Mapping[str, Any]) -> int:
        """What the operation costs at most with these variables.

        Raises:
            CostUnknownError: a list does not have exactly one of the arguments that bound it.
        """
        node = self._operation.node
        root = self._operation.schema.get_root_type(node.operation)
        assert root is not None, "a validated operation has its root type"
        base = MUTATION_WEIGHT if node.operation is OperationType.MUTATION else 0
        run = _Estimate(self._rules, self._operation, variables)
        return base + run.selections(node.selection_set, root, {})


class _Estimate:
    """One estimate, for one set of variables."""

    def __init__(self, rules: CostRules, operation: Operation, variables: Mapping[str, Any]) -> None:
        self._rules = rules
        self._schema: GraphQLSchema = operation.schema
        self._fragments = operation.fragments
        self._variables = dict(variables)

    def selections(
        self, selections: SelectionSetNode, parent: GraphQLNamedType, sized: Mapping[str, int]
    ) -> int:
        return sum(self._selection(each, parent, sized) for each in selections.selections)

    def _selection(self, node: SelectionNode, parent: GraphQLNamedType, sized: Mapping[str, int]) -> int:
        if not self._is_asked(node):
            return 0
        match node:
            case FieldNode():
                return self._field(node, parent, sized)
            case InlineFragmentNode(type_condition=condition):
                inner = self._schema.type_map[condition.name.value] if condition else parent
                return self.selections(node.selection_set, inner, sized)
            case FragmentSpreadNode():
                fragment = self._fragments[node.name.value]
                inner = self._schema.type_map[fragment.type_condition.name.value]
                return self.selections(fragment.selection_set, inner, sized)
        return 0

    def _is_asked(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            name, arguments = directive.name.value, directive.arguments or ()
            if name in ("skip", "include"):
                [condition] = [self._read(each.value) for each in arguments]
                if condition is not (name == "include"):
                    return False
        return True

    def _read(self, node: ValueNode) -> Any:
        return value_from_ast_untyped(node, self._variables)

    def _field(self, node: FieldNode, parent: GraphQLNamedType, sized: Mapping[str, int]) -> int:
        name = node.name.value
        field: GraphQLField | None = getattr(parent, "fields", {}).get(name)
        if field is None:
            return 0
        place = (parent.name, name)
        given = self._arguments(node, field)
        size, below = self._size(place, field, given, sized.get(name))
        answer = get_named_type(field.type)
        weight = self._rules.weights.get(place, self._type_weight(answer))
        if node.selection_set:
            weight += self.selections(node.selection_set, answer, below)
        arguments = sum(
            self._argument((*place, each), field.args[each], value) for each, value in given.items()
        )
        return size * weight + arguments

    def _size(
        self, place: Place, field: GraphQLField, given: Mapping[str, Any], from_above: int | None
    ) -> tuple[int, Mapping[str, int]]:
        """How many items a field has, and how many its sized fields have."""
        is_list = is_list_type(get_nullable_type(field.type))
        told = self._rules.sizes.get(place)
        if told is None:
            assumed = self._rules.list_size if from_above is None else from_above
            return (assumed if is_list else 1), {}
        size = self._told(place, told, given)
        below = dict.fromkeys(told.sized, size)
        return (size if is_list and not below else 1), below

    def _told(self, place: Place, told: ListSize, given: Mapping[str, Any]) -> int:
        found = [value for name in told.slicing if isinstance(value := _at(given, name), int)]
        if told.slicing and told.one_required and len(found) != 1:
            names = ", ".join(repr(name) for name in told.slicing)
            message = f"The field '{place[0]}.{place[1]}' needs exactly one of its arguments {names}."
            raise CostUnknownError([GraphQLError(message)])
        if found:
            return max(0, *found)
        return self._rules.list_size if told.assumed is None else told.assumed

    def _arguments(self, node: FieldNode, field: GraphQLField) -> dict[str, Any]:
        """The arguments that a field is given, with their defaults."""
        defaults = {
            name: default.value if default.literal is None else value_from_ast_untyped(default.literal)
            for name, argument in field.args.items()
            if (default := argument.default)
        }
        asked = {each.name.value: self._read(each.value) for each in node.arguments or ()}
        return defaults | {name: value for name, value in asked.items() if value is not Undefined}

    def _argument(self, place: Place, argument: GraphQLArgument, value: Any) -> int:
        own = self._rules.weights.get(place)
        return self._value_weight(get_named_type(argument.type), value) if own is None else own

    def _value_weight(self, type_: GraphQLNamedType, value: Any) -> int:
        if isinstance(value, list):
            return sum(self._value_weight(type_, each) for each in value)
        if not isinstance(type_, GraphQLInputObjectType) or not isinstance(value, dict):
            return self._rules.weights.get((type_.name,), 0)
        return OBJECT_WEIGHT + sum(
            self._argument_field(type_, name, each) for name, each in value.items() if name in type_.fields
        )

    def _argument_field(self, type_: GraphQLInputObjectType, name: str, value: Any) -> int:
        own = self._rules.weights.get((type_.name, name))
        return self._value_weight(get_named_type(type_.fields[name].type), value) if own is None else own

    def _type_weight(self, type_: GraphQLNamedType) -> int:
        return self._rules.weights.get((type_.name,), OBJECT_WEIGHT if is_composite_type(type_) else 0)


def _at(given: Mapping[str, Any], path: str) -> Any:
    """The value of an argument, or of a field within it."""
    value: Any = given
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
