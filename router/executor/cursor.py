"""Cursors: how a subscription that broke off resumes after the last event seen.

A subscription field can resume if it takes an argument `after: Int` and returns a type with a field
`sequence: Int!`, which increases from event to event; `after` then means "only events with a higher number".
The router goes by this convention alone and knows no type or field of the graph by name. `sequence` is
fetched whether the client selects it or not:

    subscription { progress(id: 1) { step sequence } }

is opened first, and resumed, with the last number seen, as

    subscription ($cursor: Int!) { progress(id: 1, after: $cursor) { step sequence } }
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar, cast

import orjson
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLObjectType,
    NamedTypeNode,
    NameNode,
    Node,
    NonNullTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    parse,
    print_ast,
    strip_ignored_characters,
    visit,
)

from router.executor.absence import Shape, build_shape
from router.executor.documents import build_root_request
from router.planner.plan import FetchNode
from router.supergraph import Supergraph
from router.transport.request_body import RequestBody
from router.transport.stream_request import Cursor, StreamRequest

CURSOR_ARGUMENT = "after"
NUMBER_FIELD = "sequence"

_Node = TypeVar("_Node", bound=Node)


@dataclass(frozen=True, slots=True)
class StreamTemplate:
    """A stream request without the values of its variables."""

    subgraph: str
    opening: RequestBody
    cursor: Cursor | None
    shape: Shape

    def fill(self, variables: Mapping[str, Any]) -> StreamRequest:
        """The request with the variables of one client."""
        return StreamRequest(self.subgraph, variables, self.opening, self.cursor)


def compile_stream(supergraph: Supergraph, fetch: FetchNode, name: str = "") -> StreamTemplate:
    """The stream of a subscription plan's primary fetch."""
    body, shape = build_root_request(fetch, name), build_shape(fetch.output)
    if not _is_numbered(supergraph, fetch):
        return StreamTemplate(fetch.subgraph, body, None, shape)
    operation = cast("OperationDefinitionNode", parse(body.document, no_location=True).definitions[0])
    [field] = [each for each in operation.selection_set.selections if isinstance(each, FieldNode)]
    number, field = _select_number(field)
    opening = _replace(operation, selection_set=SelectionSetNode(selections=(field,)))
    variable = _find_free_name(
        "cursor", {each.variable.name.value for each in operation.variable_definitions or ()}
    )
    resuming = _resume_with(operation, field, variable)
    cursor = Cursor(fetch.output.fields[0].key, number, variable, _build_body(resuming))
    return StreamTemplate(fetch.subgraph, _build_body(opening), cursor, shape)


def _is_numbered(supergraph: Supergraph, fetch: FetchNode) -> bool:
    root = supergraph.schema.subscription_type
    definition = root.fields[fetch.output.fields[0].name] if root else None
    if definition is None:
        return False
    argument, return_type = definition.args.get(CURSOR_ARGUMENT), get_nullable_type(definition.type)
    if argument is None or get_nullable_type(argument.type) is not GraphQLInt:
        return False
    if not isinstance(return_type, GraphQLObjectType | GraphQLInterfaceType):
        return False
    joins = supergraph.types[get_named_type(return_type).name].fields.get(NUMBER_FIELD, {})
    join = joins.get(supergraph.subgraphs[fetch.subgraph].graph_id)
    return join is not None and not join.is_external and print_ast(join.type) == "Int!"


def _select_number(field: FieldNode) -> tuple[str, FieldNode]:
    """The response name of the event number, and the field with the number selected."""
    selections = cast("SelectionSetNode", field.selection_set)
    for each in selections.selections:
        if isinstance(each, FieldNode) and each.name.value == NUMBER_FIELD and not each.directives:
            return (each.alias or each.name).value, field
    key = _find_free_name(NUMBER_FIELD, set(_find_response_names(selections)))
    alias = NameNode(value=key) if key != NUMBER_FIELD else None
    selected = FieldNode(alias=alias, name=NameNode(value=NUMBER_FIELD), arguments=(), directives=())
    whole = SelectionSetNode(selections=(*selections.selections, selected))
    return key, _replace(field, selection_set=whole)


def _resume_with(
    operation: OperationDefinitionNode, field: FieldNode, variable: str
) -> OperationDefinitionNode:
    """The operation with `after` set to a variable, and without variables that then have no use."""
    value = VariableNode(name=NameNode(value=variable))
    others = [each for each in field.arguments or () if each.name.value != CURSOR_ARGUMENT]
    argument = ArgumentNode(name=NameNode(value=CURSOR_ARGUMENT), value=value)
    selections = SelectionSetNode(selections=(_replace(field, arguments=(*others, argument)),))
    used = _find_variables(_replace(operation, variable_definitions=(), selection_set=selections))
    kept = [each for each in operation.variable_definitions or () if each.variable.name.value in used]
    type_ = NonNullTypeNode(type=NamedTypeNode(name=NameNode(value="Int")))
    declared = VariableDefinitionNode(variable=value, type=type_, directives=())
    return _replace(operation, variable_definitions=(*kept, declared), selection_set=selections)


def _replace(node: _Node, **changes: Any) -> _Node:
    return type(node)(**{key: getattr(node, key) for key in node.keys} | changes)


def _build_body(operation: OperationDefinitionNode) -> RequestBody:
    document = strip_ignored_characters(print_ast(DocumentNode(definitions=(operation,))))
    names = tuple(each.variable.name.value for each in operation.variable_definitions or ())
    return RequestBody(document, names, b'{"query":' + orjson.dumps(document))


def _find_free_name(wanted: str, taken: set[str]) -> str:
    names = (f"_{wanted}_{number}" if number else wanted for number in count())
    return next(name for name in names if name not in taken)


def _find_response_names(selections: SelectionSetNode) -> Iterator[str]:
    for each in selections.selections:
        if isinstance(each, FieldNode):
            yield (each.alias or each.name).value
        elif below := getattr(each, "selection_set", None):
            yield from _find_response_names(below)


class _VariableCollector(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)


def _find_variables(node: Node) -> set[str]:
    found = _VariableCollector()
    visit(node, found)
    return found.names
