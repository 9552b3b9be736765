"""Strip a supergraph document to the schema clients see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from graphql import (
    REMOVE,
    DefinitionNode,
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLDeferDirective,
    InterfaceTypeDefinitionNode,
    Node,
    NullValueNode,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    Visitor,
    parse,
    print_directive,
    visit,
)

from router.supergraph.links import Vocabulary

KEPT_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf"})
EXECUTABLE_LOCATIONS = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
    }
)

# What the router itself offers to clients, whatever the subgraphs do.
OFFERED = parse(print_directive(GraphQLDeferDirective), no_location=True).definitions

_Definition = TypeVar("_Definition", bound=DefinitionNode)


def stripped(document: DocumentNode, *, public: bool) -> DocumentNode:
    """A supergraph without federation's own definitions; `public` also drops what is inaccessible."""
    vocabulary = Vocabulary(document)
    hidden = frozenset(_hidden_types(document, vocabulary)) if public else frozenset()
    definitions = [
        node for node in document.definitions if _is_kept(node, vocabulary) and _name(node) not in hidden
    ]
    stripper = _Stripper(hidden, vocabulary if public else None)
    kept: DocumentNode = visit(DocumentNode(definitions=tuple(definitions)), stripper)
    return DocumentNode(definitions=(*kept.definitions, *OFFERED)) if public else kept


class _Stripper(Visitor):
    """Drops federation directives, and what a vocabulary calls inaccessible with all references to it."""

    def __init__(self, hidden: frozenset[str], vocabulary: Vocabulary | None) -> None:
        super().__init__()
        self._hidden = hidden
        self._vocabulary = vocabulary

    def enter(self, node: Node, *_: Any) -> Any:
        """Removes inaccessible elements on the way down."""
        if self._vocabulary and _is_inaccessible(node, self._vocabulary):
            return REMOVE
        match node:
            case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
                return _with(node, "interfaces", self._visible(node.interfaces))
            case UnionTypeDefinitionNode():
                return _with(node, "types", self._visible(node.types))
        return None

    def leave_directive(self, node: DirectiveNode, *_: Any) -> Any:
        """Removes applied federation directives, and of others what says no more than leaving it out.

        `@deprecated(reason: null)`, which composition lets through, is `@deprecated`.
        """
        if node.name.value not in KEPT_DIRECTIVES:
            return REMOVE
        told = tuple(each for each in node.arguments or () if not isinstance(each.value, NullValueNode))
        return _with(node, "arguments", told)

    def _visible(self, types: Any) -> tuple[Any, ...]:
        return tuple(node for node in types or () if node.name.value not in self._hidden)


def _with(node: Node, attribute: str, value: Any) -> Any:
    if tuple(getattr(node, attribute) or ()) == value:
        return None
    return type(node)(**{key: getattr(node, key) for key in node.keys} | {attribute: value})


def _hidden_types(document: DocumentNode, vocabulary: Vocabulary) -> Iterator[str]:
    for node in document.definitions:
        if isinstance(node, TypeDefinitionNode) and _is_inaccessible(node, vocabulary):
            yield node.name.value


def _is_inaccessible(node: Node, vocabulary: Vocabulary) -> bool:
    return any(True for _ in vocabulary.applied(node, "inaccessible"))


def _is_kept(node: DefinitionNode, vocabulary: Vocabulary) -> bool:
    match node:
        case DirectiveDefinitionNode():
            places = {place.value for place in node.locations}
            own = vocabulary.is_internal(node.name.value) or node.name.value == GraphQLDeferDirective.name
            return not own and bool(places & EXECUTABLE_LOCATIONS)
        case EnumTypeDefinitionNode() | TypeDefinitionNode():
            return not vocabulary.is_internal(node.name.value)
    return True


def _name(node: DefinitionNode) -> str | None:
    name = getattr(node, "name", None)
    return name.value if name and isinstance(node, TypeDefinitionNode) else None
