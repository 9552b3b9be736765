"""The schema of one subgraph: its executable types and their federation directives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    SchemaExtensionNode,
    SelectionSetNode,
    TypeNode,
    UnionTypeDefinitionNode,
    Visitor,
    build_ast_schema,
    parse,
    value_from_ast_untyped,
    visit,
)

ENTITY_ROOT = """
    scalar _Any
    union _Entity = {members}
    extend type Query {{ _entities(representations: [_Any!]!): [_Entity]! }}
"""


@dataclass(frozen=True, slots=True)
class FieldSetField:
    """One field of a field set; `on` is its type condition, if any, and its arguments are JSON."""

    name: str
    arguments: str
    selections: FieldSet
    on: str | None = None


FieldSet: TypeAlias = tuple[FieldSetField, ...]


@dataclass(frozen=True, slots=True)
class ContextualArgument:
    """An argument whose value is selected from an enclosing object, by `@fromContext`."""

    name: str
    context: str
    selection: FieldSet


@dataclass(frozen=True, slots=True)
class FederatedField:
    """A field of one subgraph."""

    name: str
    type: TypeNode
    external: bool = False
    requires: FieldSet = ()
    provides: FieldSet = ()
    override: tuple[str, str | None] | None = None
    contextual_arguments: tuple[ContextualArgument, ...] = ()


@dataclass(frozen=True, slots=True)
class FederatedType:
    """A type of one subgraph; `keys` are the resolvable ones."""

    name: str
    kind: str
    fields: Mapping[str, FederatedField] = field(default_factory=dict)
    keys: tuple[FieldSet, ...] = ()
    all_keys: tuple[FieldSet, ...] = ()
    interfaces: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    interface_object: bool = False
    contexts: frozenset[str] = frozenset()


class SubgraphSchema:
    """A subgraph's schema."""

    def __init__(self, name: str, sdl: str) -> None:
        self.name = name
        self.document = parse(sdl, no_location=True)
        self.types: Mapping[str, FederatedType] = {each.name: each for each in _read_types(self.document)}

    def find_runtime_types(self, name: str) -> frozenset[str]:
        """The object types that a value of a type can have here."""
        type_ = self.types[name]
        if type_.kind == "union":
            return type_.members
        if type_.kind == "interface":
            return frozenset(
                each.name for each in self.types.values() if name in each.interfaces and each.kind == "type"
            )
        return frozenset({name})

    @cached_property
    def executable(self) -> GraphQLSchema:
        """The schema as the subgraph executes it, with the root field for entities."""
        members = [each.name for each in self.types.values() if each.kind == "type" and each.all_keys]
        # An entity interface is represented by its object types.
        definitions = [
            each for each in self.document.definitions if not isinstance(each, SchemaExtensionNode)
        ]
        plain: DocumentNode = visit(
            DocumentNode(definitions=tuple(definitions)), _FederationDirectiveRemover()
        )
        text = "" if "Query" in self.types else "type Query { _service: Int } "
        if members:
            text += ENTITY_ROOT.format(members=" | ".join(members))
        added = parse(text, no_location=True).definitions if text else ()
        return build_ast_schema(DocumentNode(definitions=(*plain.definitions, *added)))


class _FederationDirectiveRemover(Visitor):
    """Removes the directives of federation."""

    def leave_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return None if node.name.value in {"deprecated", "oneOf"} else REMOVE


def parse_field_set(text: str) -> FieldSet:
    """Parses a field set, such as `id country { code }`."""
    definition: Any = parse(f"{{{text}}}", no_location=True).definitions[0]
    return tuple(_read_field_set_fields(definition.selection_set, None))


def _read_field_set_fields(selection_set: SelectionSetNode, on: str | None) -> Iterator[FieldSetField]:
    for node in selection_set.selections:
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition.name.value if node.type_condition else on
            yield from _read_field_set_fields(node.selection_set, condition)
        elif isinstance(node, FieldNode) and node.name.value != "__typename":
            arguments = json.dumps(
                {each.name.value: value_from_ast_untyped(each.value) for each in node.arguments or ()}
            )
            selections = tuple(_read_field_set_fields(node.selection_set, None)) if node.selection_set else ()
            yield FieldSetField(node.name.value, arguments, selections, on)


def _read_types(document: DocumentNode) -> Iterator[FederatedType]:
    for node in document.definitions:
        match node:
            case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
                keys = [
                    (parse_field_set(each["fields"]), each.get("resolvable", True))
                    for each in _read_applications(node, "key")
                ]
                yield FederatedType(
                    node.name.value,
                    "type" if isinstance(node, ObjectTypeDefinitionNode) else "interface",
                    {each.name.value: _read_field(each) for each in node.fields or ()},
                    tuple(key for key, resolvable in keys if resolvable),
                    tuple(key for key, _ in keys),
                    frozenset(each.name.value for each in node.interfaces or ()),
                    interface_object=any(_read_applications(node, "interfaceObject")),
                    contexts=frozenset(each["name"] for each in _read_applications(node, "context")),
                )
            case UnionTypeDefinitionNode():
                members = frozenset(each.name.value for each in node.types or ())
                yield FederatedType(node.name.value, "union", members=members)


def _read_field(node: FieldDefinitionNode) -> FederatedField:
    override = next(_read_applications(node, "override"), None)
    return FederatedField(
        node.name.value,
        node.type,
        any(True for _ in _read_applications(node, "external")),
        _read_field_set(node, "requires"),
        _read_field_set(node, "provides"),
        (override["from"], override.get("label")) if override else None,
        tuple(_read_contextual_arguments(node.arguments or ())),
    )


def _read_field_set(node: FieldDefinitionNode, directive: str) -> FieldSet:
    return tuple(
        selection
        for each in _read_applications(node, directive)
        for selection in parse_field_set(each["fields"])
    )


def _read_contextual_arguments(nodes: Iterable[InputValueDefinitionNode]) -> Iterator[ContextualArgument]:
    for node in nodes:
        for each in _read_applications(node, "fromContext"):
            context, _, selection = each["field"].strip().lstrip("$").partition(" ")
            yield ContextualArgument(node.name.value, context, parse_field_set(selection.strip()[1:-1]))


def _read_applications(node: Any, name: str) -> Iterator[dict[str, Any]]:
    for directive in node.directives or ():
        if directive.name.value == name:
            yield {each.name.value: value_from_ast_untyped(each.value) for each in directive.arguments or ()}
