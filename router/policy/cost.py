"""The maximum cost of an operation: `@cost` and `@listSize` of federation and IBM's specification.

A field costs its own weight and that of its selections for every item it may return, plus the weights of its
arguments once, but at least 0. Without `@cost`, an object or input object weighs 1, a leaf 0 and a mutation
10; the size of a list is that of `@listSize`, or else the default. The alternatives of fragments are added
up, and a field of an interface or a union has the weight of its heaviest type, so that an estimate is never
too low for the assumed sizes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from graphql import (
    DefinitionNode,
    DocumentNode,
    FieldNode,
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    InterfaceTypeDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    Node,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    TypeDefinitionNode,
    TypeNode,
    Undefined,
    UnionTypeDefinitionNode,
    ValueNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    value_from_ast_untyped,
)

from router.errors import CostUnknownError
from router.operation import Operation
from router.operation.fragments import iterate_typed_fields
from router.supergraph.links import Vocabulary

MUTATION_WEIGHT = 10
OBJECT_WEIGHT = 1
# Estimates cached per operation, one for each set of variable values.
MAX_ESTIMATES = 100
# Type, field and argument.
ARGUMENT_COORDINATE_LENGTH = 3
# Variables of these types bound no list, and have no weight unless values have weights.
UNWEIGHED = frozenset({"ID", "String"})

SchemaCoordinate: TypeAlias = tuple[str, ...]
"""A type, and optionally its field and the field's argument."""
_Input: TypeAlias = GraphQLArgument | GraphQLInputField


@dataclass(frozen=True, slots=True)
class ListSize:
    """The arguments of `@listSize` on a field."""

    assumed: int | None
    slicing: tuple[tuple[str, ...], ...]
    """The slicing arguments, each as the path to an argument or to a field of it."""
    sized: frozenset[str]
    requires_one: bool


class CostRules:
    """The weights and list sizes of a supergraph, by schema coordinate."""

    def __init__(self, supergraph: DocumentNode, list_size: int) -> None:
        self.list_size = list_size
        self._vocabulary = Vocabulary(supergraph)
        self.weights: dict[SchemaCoordinate, int] = {}
        self.sizes: dict[SchemaCoordinate, ListSize] = {}
        for definition in supergraph.definitions:
            if isinstance(definition, TypeDefinitionNode):
                self._read(definition)
        self._heaviest = self._find_heaviest_weights(supergraph)

    def get_weight(self, coordinate: SchemaCoordinate, default: int) -> int:
        """The maximum weight of a type, field or argument."""
        own = self.weights.get(coordinate, default)
        return max(own, self._heaviest.get(coordinate, own))

    @property
    def weighs_values(self) -> bool:
        """Whether an argument's leaf value may have a weight."""
        return any(
            len(coordinate) == ARGUMENT_COORDINATE_LENGTH or not coordinate[1:] for coordinate in self.weights
        )

    def _find_heaviest_weights(self, supergraph: DocumentNode) -> Mapping[SchemaCoordinate, int]:
        """The highest weights among the member types of each interface and union."""
        weights: dict[str, dict[SchemaCoordinate, int]] = defaultdict(dict)
        for coordinate, weight in self.weights.items():
            weights[coordinate[0]][coordinate[1:]] = weight
        heaviest: dict[SchemaCoordinate, int] = {}
        for definition in supergraph.definitions:
            for abstract, member in _iterate_memberships(definition):
                for rest, weight in weights[member].items():
                    coordinate = (abstract, *rest)
                    heaviest[coordinate] = max(weight, heaviest.get(coordinate, weight))
        return heaviest

    def _read(self, definition: TypeDefinitionNode) -> None:
        type_ = definition.name.value
        self._weigh((type_,), definition)
        for field in getattr(definition, "fields", None) or ():
            coordinate = (type_, field.name.value)
            self._weigh(coordinate, field)
            for arguments in self._vocabulary.iterate_applications(field, "listSize"):
                self.sizes[coordinate] = ListSize(
                    arguments.get("assumedSize"),
                    tuple(tuple(path.split(".")) for path in arguments.get("slicingArguments") or ()),
                    frozenset(arguments.get("sizedFields") or ()),
                    arguments.get("requireOneSlicingArgument") is not False,
                )
            for argument in getattr(field, "arguments", None) or ():
                self._weigh((*coordinate, argument.name.value), argument)

    def _weigh(self, coordinate: SchemaCoordinate, node: Node) -> None:
        for arguments in self._vocabulary.iterate_applications(node, "cost"):
            self.weights[coordinate] = int(arguments["weight"])


class OperationCost:
    """The cost of one operation as a function of its variables.

    Estimates are cached by the values of the variables that the cost depends on, unless one is an object or a
    list. If the cost depends on no variable, the operation itself is not kept.
    """

    def __init__(self, rules: CostRules, operation: Operation) -> None:
        definitions = operation.node.variable_definitions or ()
        self._depends_on = tuple(
            each.variable.name.value
            for each in definitions
            if rules.weighs_values or _find_named_type(each.type) not in UNWEIGHED
        )
        self._estimates: dict[tuple[Any, ...], int] = {}
        self._rules = rules
        self._operation: Operation | None = operation
        if not self._depends_on:
            self._estimates[()] = self._compute({})
            self._operation = None

    @property
    def keeps_document(self) -> bool:
        """Whether the operation is kept because its cost depends on variables."""
        return self._operation is not None

    def estimate(self, variables: Mapping[str, Any]) -> int:
        """The maximum cost of the operation with these variables.

        Raises:
            CostUnknownError: a list does not have exactly one of its slicing arguments.
        """
        # A variable that is not given differs from one that is null.
        values = tuple(variables.get(name, Undefined) for name in self._depends_on)
        try:
            estimate = self._estimates.get(values)
        except TypeError:
            return self._compute(variables)
        if estimate is None:
            if len(self._estimates) >= MAX_ESTIMATES:
                self._estimates.clear()
            estimate = self._estimates[values] = self._compute(variables)
        return estimate

    def _compute(self, variables: Mapping[str, Any]) -> int:
        assert self._operation is not None, "an estimate without variables is cached"
        node = self._operation.node
        root = self._operation.schema.get_root_type(node.operation)
        assert root is not None, "a validated operation has its root type"
        base = MUTATION_WEIGHT if node.operation is OperationType.MUTATION else 0
        estimator = _Estimator(self._rules, self._operation, variables)
        return base + estimator.estimate(node.selection_set, root, {})


class _Estimator:
    """Estimates the cost of an operation for one set of variables."""

    def __init__(self, rules: CostRules, operation: Operation, variables: Mapping[str, Any]) -> None:
        self._rules = rules
        self._schema: GraphQLSchema = operation.schema
        self._fragments = operation.fragments
        self._variables = dict(variables)

    def estimate(
        self, selections: SelectionSetNode, parent: GraphQLNamedType, sized: Mapping[str, int]
    ) -> int:
        fields = iterate_typed_fields(self._schema, self._fragments, selections, parent, self._is_included)
        return sum(self._estimate_field(node, type_, sized) for node, type_ in fields)

    def _is_included(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            name, arguments = directive.name.value, directive.arguments or ()
            if name in ("skip", "include"):
                [condition] = [self._evaluate(each.value) for each in arguments]
                if condition is not (name == "include"):
                    return False
        return True

    def _evaluate(self, node: ValueNode) -> Any:
        return value_from_ast_untyped(node, self._variables)

    def _estimate_field(self, node: FieldNode, parent: GraphQLNamedType, sized: Mapping[str, int]) -> int:
        name = node.name.value
        field: GraphQLField | None = getattr(parent, "fields", {}).get(name)
        if field is None:
            return 0
        coordinate = (parent.name, name)
        given = {each.name.value: self._evaluate(each.value) for each in node.arguments or ()}
        size, child_sizes = self._estimate_size(coordinate, field, given, sized.get(name))
        field_type = get_named_type(field.type)
        weight = self._rules.get_weight(coordinate, self._get_type_weight(field_type))
        if node.selection_set:
            weight += self.estimate(node.selection_set, field_type, child_sizes)
        arguments = sum(
            self._weigh_argument((*coordinate, each), field.args[each], value)
            for each, value in _add_defaults(field.args, given).items()
        )
        return max(0, size * weight + arguments)

    def _estimate_size(
        self,
        coordinate: SchemaCoordinate,
        field: GraphQLField,
        given: Mapping[str, Any],
        parent_size: int | None,
    ) -> tuple[int, Mapping[str, int]]:
        """The number of items of a field, and of its sized fields; `parent_size` is set by its parent."""
        is_list = is_list_type(get_nullable_type(field.type))
        size = self._rules.list_size if parent_size is None else parent_size
        list_size = self._rules.sizes.get(coordinate)
        if list_size is None:
            return (size if is_list else 1), {}
        size = self._estimate_declared_size(coordinate, list_size, field, given, size)
        return (size if is_list else 1), dict.fromkeys(list_size.sized, size)

    def _estimate_declared_size(
        self,
        coordinate: SchemaCoordinate,
        list_size: ListSize,
        field: GraphQLField,
        given: Mapping[str, Any],
        default: int,
    ) -> int:
        sizes = _read_numbers(list_size.slicing, given, field.args)
        # A default value bounds a list, but does not count as a second slicing argument.
        explicit = _read_numbers(list_size.slicing, given, {})
        if list_size.slicing and list_size.requires_one and len(explicit or sizes) != 1:
            names = ", ".join(repr(".".join(path)) for path in list_size.slicing)
            message = (
                f"The field '{coordinate[0]}.{coordinate[1]}' requires exactly one of the arguments {names}."
            )
            raise CostUnknownError([GraphQLError(message)])
        if sizes:
            return max(0, *sizes)
        return default if list_size.assumed is None else list_size.assumed

    def _weigh_argument(self, coordinate: SchemaCoordinate, definition: _Input, value: Any) -> int:
        """The weight of an argument's value, with that of the input fields within it."""
        type_ = get_named_type(definition.type)
        items = list(_iterate_items(value))
        own = self._rules.get_weight(coordinate, self._get_type_weight(type_) * len(items))
        if not isinstance(type_, GraphQLInputObjectType):
            return own
        return own + sum(
            self._weigh_argument((type_.name, name), type_.fields[name], each)
            for item in items
            for name, each in item.items()
            if each is not Undefined and name in type_.fields
        )

    def _get_type_weight(self, type_: GraphQLNamedType) -> int:
        return self._rules.get_weight((type_.name,), 0 if is_leaf_type(type_) else OBJECT_WEIGHT)


def _find_named_type(node: TypeNode) -> str:
    while not isinstance(node, NamedTypeNode):
        node = cast("ListTypeNode | NonNullTypeNode", node).type
    return node.name.value


def _iterate_memberships(definition: DefinitionNode) -> Iterator[tuple[str, str]]:
    """The pairs of an abstract type and a member of it that a definition declares."""
    if isinstance(definition, UnionTypeDefinitionNode):
        yield from ((definition.name.value, each.name.value) for each in definition.types or ())
    elif isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        yield from ((each.name.value, definition.name.value) for each in definition.interfaces or ())


def _iterate_items(value: Any) -> Iterator[Any]:
    """The items of nested lists, or the single value, or nothing for null."""
    if isinstance(value, list):
        for each in value:
            yield from _iterate_items(each)
    elif value is not None:
        yield value


def _add_defaults(inputs: Mapping[str, _Input], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, and the default values of the others."""
    defaults = {
        name: default.value if default.literal is None else value_from_ast_untyped(default.literal)
        for name, each in inputs.items()
        if (default := each.default)
    }
    return defaults | {name: value for name, value in given.items() if value is not Undefined}


def _read_numbers(
    paths: Iterable[Sequence[str]], given: Mapping[str, Any], inputs: Mapping[str, _Input]
) -> list[int]:
    """The numbers at these paths of the given values, with the defaults of `inputs`."""
    numbers = (_read_number(path, given, inputs) for path in paths)
    return [number for number in numbers if number is not None]


def _read_number(path: Sequence[str], given: Any, inputs: Mapping[str, _Input]) -> int | None:
    if not isinstance(given, Mapping):
        return None
    name, *rest = path
    value = _add_defaults(inputs, given).get(name)
    if rest:
        type_ = get_named_type(inputs[name].type) if name in inputs else None
        return _read_number(rest, value, type_.fields if isinstance(type_, GraphQLInputObjectType) else {})
    # Int accepts a float without a fractional part, such as 5.0.
    return int(value) if isinstance(value, int | float) else None
