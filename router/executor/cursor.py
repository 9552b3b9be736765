"""Numbered streams: how a subscription that broke off is asked to go on after the last event seen.

A subscription field can go on where it stopped if it takes an argument `after: Int` and answers with a type
that has a field `sequence: Int!`, higher for every later event; `after` then means "only events with a higher
number". Nothing else tells the router so: no name of a type or field of the graph is known to it. Such a
stream is asked for `sequence` whether the client selects it or not.
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

from router.executor.absence import Shape, shape_of
from router.executor.documents import root_body
from router.planner.plan import FetchNode
from router.supergraph import Supergraph
from router.transport.request_body import RequestBody
from router.transport.stream_request import Cursor, StreamRequest

ARGUMENT = "after"
NUMBER = "sequence"

_Node = TypeVar("_Node", bound=Node)


@dataclass(frozen=True, slots=True)
class StreamTemplate:
    """A stream request that lacks only the values of its variables."""

    subgraph: str
    opening: RequestBody
    cursor: Cursor | None
    shape: Shape

    def filled(self, variables: Mapping[str, Any]) -> StreamRequest:
        """The request of one client."""
        return StreamRequest(self.subgraph, variables, self.opening, self.cursor)


def stream_template(supergraph: Supergraph, fetch: FetchNode, name: str = "") -> StreamTemplate:
    """The stream that the first fetch of a subscription's plan opens."""
    body, shape = root_body(fetch, name), shape_of(fetch.output)
    if not _is_numbered(supergraph, fetch):
        return StreamTemplate(fetch.subgraph, body, None, shape)
    operation = cast("OperationDefinitionNode", parse(body.document, no_location=True).definitions[0])
    [field] = [each for each in operation.selection_set.selections if isinstance(each, FieldNode)]
    number, field = _numbered(field)
    opening = _with(operation, selection_set=SelectionSetNode(selections=(field,)))
    variable = _free("cursor", {each.variable.name.value for each in operation.variable_definitions or ()})
    resuming = _going_on(operation, field, variable)
    cursor = Cursor(fetch.output.fields[0].key, number, variable, _body(resuming))
    return StreamTemplate(fetch.subgraph, _body(opening), cursor, shape)


def _is_numbered(supergraph: Supergraph, fetch: FetchNode) -> bool:
    root = supergraph.schema.subscription_type
    definition = root.fields[fetch.output.fields[0].name] if root else None
    if definition is None:
        return False
    argument, answer = definition.args.get(ARGUMENT), get_nullable_type(definition.type)
    if argument is None or get_nullable_type(argument.type) is not GraphQLInt:
        return False
    if not isinstance(answer, GraphQLObjectType | GraphQLInterfaceType):
        return False
    joins = supergraph.types[get_named_type(answer).name].fields.get(NUMBER, {})
    join = joins.get(supergraph.subgraphs[fetch.subgraph].graph_id)
    return join is not None and not join.is_external and print_ast(join.type) == "Int!"


def _numbered(field: FieldNode) -> tuple[str, FieldNode]:
    """The response name of an event's number, and the field with it selected."""
    selections = cast("SelectionSetNode", field.selection_set)
    for each in selections.selections:
        if isinstance(each, FieldNode) and each.name.value == NUMBER and not each.directives:
            return (each.alias or each.name).value, field
    key = _free(NUMBER, set(_response_names(selections)))
    alias = NameNode(value=key) if key != NUMBER else None
    asked = FieldNode(alias=alias, name=NameNode(value=NUMBER), arguments=(), directives=())
    whole = SelectionSetNode(selections=(*selections.selections, asked))
    return key, _with(field, selection_set=whole)


def _going_on(operation: OperationDefinitionNode, field: FieldNode, variable: str) -> OperationDefinitionNode:
    """The operation with the argument set to a variable; its old value may leave variables without a use."""
    value = VariableNode(name=NameNode(value=variable))
    others = [each for each in field.arguments or () if each.name.value != ARGUMENT]
    argument = ArgumentNode(name=NameNode(value=ARGUMENT), value=value)
    selections = SelectionSetNode(selections=(_with(field, arguments=(*others, argument)),))
    used = _variables(_with(operation, variable_definitions=(), selection_set=selections))
    kept = [each for each in operation.variable_definitions or () if each.variable.name.value in used]
    type_ = NonNullTypeNode(type=NamedTypeNode(name=NameNode(value="Int")))
    declared = VariableDefinitionNode(variable=value, type=type_, directives=())
    return _with(operation, variable_definitions=(*kept, declared), selection_set=selections)


def _with(node: _Node, **changes: Any) -> _Node:
    return type(node)(**{key: getattr(node, key) for key in node.keys} | changes)


def _body(operation: OperationDefinitionNode) -> RequestBody:
    document = strip_ignored_characters(print_ast(DocumentNode(definitions=(operation,))))
    names = tuple(each.variable.name.value for each in operation.variable_definitions or ())
    return RequestBody(document, names, b'{"query":' + orjson.dumps(document))


def _free(wanted: str, taken: set[str]) -> str:
    names = (f"_{wanted}_{number}" if number else wanted for number in count())
    return next(name for name in names if name not in taken)


def _response_names(selections: SelectionSetNode) -> Iterator[str]:
    for each in selections.selections:
        if isinstance(each, FieldNode):
            yield (each.alias or each.name).value
        elif below := getattr(each, "selection_set", None):
            yield from _response_names(below)


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)


def _variables(node: Node) -> set[str]:
    found = _Variables()
    visit(node, found)
    return found.names
