"""What an operation may cost at most: `@cost` and `@listSize`, as federation takes them from IBM.

A field costs its own weight and that of its selections for every item it may return, and the weights of its
arguments once, but never less than nothing. Without `@cost` an object or an input object weighs 1, a leaf
nothing, a mutation 10; a list has the size that `@listSize` tells, or else the one assumed for all lists.
Alternatives under fragments are added up, and what is asked of an interface or a union weighs as much as in
the heaviest of its types, so that an estimate is never too low for the sizes assumed.
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
from router.operation.fragments import iterate_fields
from router.supergraph.links import Vocabulary

MUTATION_WEIGHT = 10
OBJECT_WEIGHT = 1
# Values of variables, of one operation, whose costs are kept.
MAX_FOUND = 100
# How long the place of an argument is: type, field and argument.
ARGUMENT = 3
# What such a variable is given bounds no list, and weighs nothing unless its place does.
UNWEIGHED = frozenset({"ID", "String"})

Place: TypeAlias = tuple[str, ...]
_Input: TypeAlias = GraphQLArgument | GraphQLInputField


@dataclass(frozen=True, slots=True)
class ListSize:
    """What `@listSize` says of a field."""

    assumed: int | None
    slicing: tuple[tuple[str, ...], ...]
    """Arguments, each with the path to a field within it."""
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
        self._heaviest = self._heaviest_types(supergraph)

    def weight(self, place: Place, default: int) -> int:
        """What a type, a field or an argument weighs, at most."""
        own = self.weights.get(place, default)
        return max(own, self._heaviest.get(place, own))

    @property
    def weighs_values(self) -> bool:
        """Whether a leaf may weigh something as a value that is given."""
        return any(len(place) == ARGUMENT or not place[1:] for place in self.weights)

    def _heaviest_types(self, supergraph: DocumentNode) -> Mapping[Place, int]:
        """The highest weight that the types of an interface or a union give to each place in it."""
        weights: dict[str, dict[Place, int]] = defaultdict(dict)
        for place, weight in self.weights.items():
            weights[place[0]][place[1:]] = weight
        found: dict[Place, int] = {}
        for definition in supergraph.definitions:
            for abstract, concrete in _abstractions(definition):
                for rest, weight in weights[concrete].items():
                    place = (abstract, *rest)
                    found[place] = max(weight, found.get(place, weight))
        return found

    def _read(self, definition: TypeDefinitionNode) -> None:
        type_ = definition.name.value
        self._weigh((type_,), definition)
        for field in getattr(definition, "fields", None) or ():
            place = (type_, field.name.value)
            self._weigh(place, field)
            for found in self._vocabulary.applications(field, "listSize"):
                self.sizes[place] = ListSize(
                    found.get("assumedSize"),
                    tuple(tuple(path.split(".")) for path in found.get("slicingArguments") or ()),
                    frozenset(found.get("sizedFields") or ()),
                    found.get("requireOneSlicingArgument") is not False,
                )
            for argument in getattr(field, "arguments", None) or ():
                self._weigh((*place, argument.name.value), argument)

    def _weigh(self, place: Place, node: Node) -> None:
        for found in self._vocabulary.applications(node, "cost"):
            self.weights[place] = int(found["weight"])


class Cost:
    """The cost of one operation as a function of its variables.

    It is worked out once for all values of the variables that it depends on, as far as these are no objects
    or lists. An operation whose cost depends on none is no longer kept.
    """

    def __init__(self, rules: CostRules, operation: Operation) -> None:
        definitions = operation.node.variable_definitions or ()
        self._depends_on = tuple(
            each.variable.name.value
            for each in definitions
            if rules.weighs_values or _named_type(each.type) not in UNWEIGHED
        )
        self._found: dict[tuple[Any, ...], int] = {}
        self._rules = rules
        self._operation: Operation | None = operation
        if not self._depends_on:
            self._found[()] = self._estimated({})
            self._operation = None

    @property
    def keeps_document(self) -> bool:
        """Whether the operation is kept, as its cost depends on variables."""
        return self._operation is not None

    def estimate(self, variables: Mapping[str, Any]) -> int:
        """What the operation costs at most with these variables.

        Raises:
            CostUnknownError: a list does not have exactly one of the arguments that bound it.
        """
        # A variable that is not given is not the same as one that is null.
        values = tuple(variables.get(name, Undefined) for name in self._depends_on)
        try:
            found = self._found.get(values)
        except TypeError:
            return self._estimated(variables)
        if found is None:
            if len(self._found) >= MAX_FOUND:
                self._found.clear()
            found = self._found[values] = self._estimated(variables)
        return found

    def _estimated(self, variables: Mapping[str, Any]) -> int:
        assert self._operation is not None, "what depends on no variable is known"
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
        fields = iterate_fields(self._schema, self._fragments, selections, parent, self._is_included)
        return sum(self._field(node, type_, sized) for node, type_ in fields)

    def _is_included(self, node: SelectionNode) -> bool:
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
        asked = {each.name.value: self._read(each.value) for each in node.arguments or ()}
        given = _filled(field.args, asked)
        size, below = self._size(place, field, asked, sized.get(name))
        answer = get_named_type(field.type)
        weight = self._rules.weight(place, self._type_weight(answer))
        if node.selection_set:
            weight += self.selections(node.selection_set, answer, below)
        arguments = sum(
            self._argument((*place, each), field.args[each], value) for each, value in given.items()
        )
        return max(0, size * weight + arguments)

    def _size(
        self, place: Place, field: GraphQLField, asked: Mapping[str, Any], from_above: int | None
    ) -> tuple[int, Mapping[str, int]]:
        """How many items a field has, and how many its sized fields have."""
        is_list = is_list_type(get_nullable_type(field.type))
        size = self._rules.list_size if from_above is None else from_above
        told = self._rules.sizes.get(place)
        if told is None:
            return (size if is_list else 1), {}
        size = self._told(place, told, field, asked, size)
        return (size if is_list else 1), dict.fromkeys(told.sized, size)

    def _told(
        self, place: Place, told: ListSize, field: GraphQLField, asked: Mapping[str, Any], default: int
    ) -> int:
        found = _numbers(told.slicing, asked, field.args)
        # A default bounds a list, but does not count beside the argument that a client chose.
        chosen = _numbers(told.slicing, asked, {})
        if told.slicing and told.one_required and len(chosen or found) != 1:
            names = ", ".join(repr(".".join(path)) for path in told.slicing)
            message = f"The field '{place[0]}.{place[1]}' needs exactly one of its arguments {names}."
            raise CostUnknownError([GraphQLError(message)])
        if found:
            return max(0, *found)
        return default if told.assumed is None else told.assumed

    def _argument(self, place: Place, definition: _Input, value: Any) -> int:
        """What a given value weighs: as its place says or else its type, and all that stands within it."""
        type_ = get_named_type(definition.type)
        items = list(_items(value))
        own = self._rules.weight(place, self._type_weight(type_) * len(items))
        if not isinstance(type_, GraphQLInputObjectType):
            return own
        return own + sum(
            self._argument((type_.name, name), type_.fields[name], each)
            for item in items
            for name, each in item.items()
            if each is not Undefined and name in type_.fields
        )

    def _type_weight(self, type_: GraphQLNamedType) -> int:
        return self._rules.weight((type_.name,), 0 if is_leaf_type(type_) else OBJECT_WEIGHT)


def _named_type(node: TypeNode) -> str:
    while not isinstance(node, NamedTypeNode):
        node = cast("ListTypeNode | NonNullTypeNode", node).type
    return node.name.value


def _abstractions(definition: DefinitionNode) -> Iterator[tuple[str, str]]:
    """The abstract types that a type has a part in, each as a pair with the narrower one."""
    if isinstance(definition, UnionTypeDefinitionNode):
        yield from ((definition.name.value, each.name.value) for each in definition.types or ())
    elif isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        yield from ((each.name.value, definition.name.value) for each in definition.interfaces or ())


def _items(value: Any) -> Iterator[Any]:
    """What an argument is given: the items of a list, or the one value, or nothing."""
    if isinstance(value, list):
        for each in value:
            yield from _items(each)
    elif value is not None:
        yield value


def _filled(inputs: Mapping[str, _Input], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, and the defaults of what is not."""
    filled = {
        name: default.value if default.literal is None else value_from_ast_untyped(default.literal)
        for name, each in inputs.items()
        if (default := each.default)
    }
    return filled | {name: value for name, value in given.items() if value is not Undefined}


def _numbers(
    paths: Iterable[Sequence[str]], given: Mapping[str, Any], inputs: Mapping[str, _Input]
) -> list[int]:
    """The numbers that arguments are given, or fields within them, with the defaults of `inputs`."""
    found = (_number(path, given, inputs) for path in paths)
    return [number for number in found if number is not None]


def _number(path: Sequence[str], given: Any, inputs: Mapping[str, _Input]) -> int | None:
    if not isinstance(given, Mapping):
        return None
    name, *within = path
    value = _filled(inputs, given).get(name)
    if within:
        type_ = get_named_type(inputs[name].type) if name in inputs else None
        return _number(within, value, type_.fields if isinstance(type_, GraphQLInputObjectType) else {})
    # JSON may write a whole number as 5.0, which a variable's Int accepts.
    return int(value) if isinstance(value, int | float) else None
