"""Checks of all argument values of an operation before any resolver runs: limits, and valid characters."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    get_named_type,
    value_from_ast_untyped,
)

from subgraphs.common.errors import BadUserInput
from subgraphs.common.ids import is_id
from subgraphs.common.validation import require_length

MAX_TEXT_LENGTH: Final = 10_000
MAX_ITEMS: Final = 500
"""Items of a list or an object; the router requests at most as many entities at once."""

MAX_LEVELS: Final = 16

# PostgreSQL cannot store NUL, and UTF-8 cannot encode a lone surrogate.
_INVALID_CHARACTERS: Final = re.compile("[\0\ud800-\udfff]")


def check_arguments(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Any
) -> None:
    """Check the arguments of a valid operation; BadUserInput names the field."""
    root = schema.get_root_type(operation.operation)
    assert root is not None, "a validated operation has its root type"
    _ArgumentCheck(schema, document, variables or {}).check_selections(operation.selection_set, root)


class _ArgumentCheck:
    """A traversal of an operation, which visits each fragment once."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }

    def check_selections(self, selections: SelectionSetNode, parent: GraphQLNamedType) -> None:
        for node in selections.selections:
            match node:
                case FieldNode():
                    self._check_field(node, parent)
                case InlineFragmentNode(type_condition=condition):
                    inner = self._schema.type_map[condition.name.value] if condition else parent
                    self.check_selections(node.selection_set, inner)
                case FragmentSpreadNode():
                    if fragment := self._fragments.pop(node.name.value, None):
                        condition = fragment.type_condition
                        self.check_selections(
                            fragment.selection_set, self._schema.type_map[condition.name.value]
                        )

    def _check_field(self, node: FieldNode, parent: GraphQLNamedType) -> None:
        field: GraphQLField | None = getattr(parent, "fields", {}).get(node.name.value)
        if field is None:
            return
        for argument in node.arguments or ():
            name = argument.name.value
            # Fields of an input object are reported without the argument's name, as use cases do.
            is_input = isinstance(get_named_type(field.args[name].type), GraphQLInputObjectType)
            check_value("" if is_input else name, field.args[name].type, self._evaluate(argument.value))
        if node.selection_set:
            self.check_selections(node.selection_set, get_named_type(field.type))

    def _evaluate(self, node: ValueNode) -> Any:
        return value_from_ast_untyped(node, dict(self._variables))


def check_value(path: str, type_: GraphQLInputType, value: Any, level: int = 0) -> None:
    """Check a value and everything in it; BadUserInput for what no field of this type accepts."""
    _check_within(path, get_named_type(type_), value, level)


def _check_within(path: str, named: GraphQLNamedType, value: Any, level: int) -> None:
    if level > MAX_LEVELS:
        raise BadUserInput(path, f"{path} must not be nested deeper than {MAX_LEVELS} levels.")
    match value:
        case str():
            _check_text(path, value, is_key=named.name == "ID")
        case list():
            _check_size(path, value)
            for item in value:
                _check_within(path, named, item, level + 1)
        case dict():
            _check_size(path, value)
            fields = named.fields if isinstance(named, GraphQLInputObjectType) else {}
            for name, each in value.items():
                inner = f"{path}.{name}" if path else name
                kind = get_named_type(fields[name].type) if name in fields else named
                _check_within(inner, kind, each, level + 1)


def check_representations(entities: Container[str], representations: Sequence[object]) -> None:
    """Check that representations are of entities of this subgraph; the key of each entity is its id."""
    for index, each in enumerate(representations):
        if not _is_representation(entities, each):
            path = f"representations.{index}"
            raise BadUserInput(
                path,
                f"{path} must have the __typename of an entity of this service, its id and nothing else.",
            )


def _is_representation(entities: Container[str], value: object) -> bool:
    match value:
        case {"__typename": str() as name, "id": str(), **others}:
            return name in entities and not others
    return False


def _check_size(path: str, value: list[Any] | dict[str, Any]) -> None:
    if len(value) > MAX_ITEMS:
        raise BadUserInput(path, f"{path} must have at most {MAX_ITEMS} items; it has {len(value)}.")


def _check_text(path: str, text: str, *, is_key: bool) -> None:
    require_length(path, text, MAX_TEXT_LENGTH)
    if _INVALID_CHARACTERS.search(text):
        raise BadUserInput(path, f"{path} must not have control characters.")
    if is_key and not is_id(text):
        raise BadUserInput(path, f"{path} must be an id, such as book_01k3wzr2gqe8hs9w0y5c1xv7mn.")
