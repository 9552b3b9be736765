"""The public schema: a supergraph without federation's definitions and without what is inaccessible."""

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

# The router itself implements `@defer`, whatever the subgraphs define.
ROUTER_DIRECTIVES = parse(print_directive(GraphQLDeferDirective), no_location=True).definitions

_Definition = TypeVar("_Definition", bound=DefinitionNode)


def strip_federation(document: DocumentNode, *, public: bool) -> DocumentNode:
    """Removes federation's own definitions; for the public schema also what is `@inaccessible`."""
    vocabulary = Vocabulary(document)
    hidden = frozenset(_find_hidden_types(document, vocabulary)) if public else frozenset()
    definitions = [
        node
        for node in document.definitions
        if _is_kept(node, vocabulary) and _get_type_name(node) not in hidden
    ]
    stripper = _Stripper(hidden, vocabulary if public else None)
    kept: DocumentNode = visit(DocumentNode(definitions=tuple(definitions)), stripper)
    return DocumentNode(definitions=(*kept.definitions, *ROUTER_DIRECTIVES)) if public else kept


class _Stripper(Visitor):
    """Removes federation's directives; with a vocabulary also inaccessible elements and all references."""

    def __init__(self, hidden: frozenset[str], vocabulary: Vocabulary | None) -> None:
        super().__init__()
        self._hidden = hidden
        self._vocabulary = vocabulary

    def enter(self, node: Node, *_: Any) -> Any:
        """Removes inaccessible elements and the names of hidden types."""
        if self._vocabulary and _is_inaccessible(node, self._vocabulary):
            return REMOVE
        match node:
            case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
                return _replace(node, "interfaces", self._keep_visible(node.interfaces))
            case UnionTypeDefinitionNode():
                return _replace(node, "types", self._keep_visible(node.types))
        return None

    def leave_directive(self, node: DirectiveNode, *_: Any) -> Any:
        """Removes all but standard directives, and arguments that are null.

        Composition lets `@deprecated(reason: null)` pass, which is not a valid application.
        """
        if node.name.value not in KEPT_DIRECTIVES:
            return REMOVE
        arguments = tuple(each for each in node.arguments or () if not isinstance(each.value, NullValueNode))
        return _replace(node, "arguments", arguments)

    def _keep_visible(self, types: Any) -> tuple[Any, ...]:
        return tuple(node for node in types or () if node.name.value not in self._hidden)


def _replace(node: Node, attribute: str, value: Any) -> Any:
    if tuple(getattr(node, attribute) or ()) == value:
        return None
    return type(node)(**{key: getattr(node, key) for key in node.keys} | {attribute: value})


def _find_hidden_types(document: DocumentNode, vocabulary: Vocabulary) -> Iterator[str]:
    for node in document.definitions:
        if isinstance(node, TypeDefinitionNode) and _is_inaccessible(node, vocabulary):
            yield node.name.value


def _is_inaccessible(node: Node, vocabulary: Vocabulary) -> bool:
    return any(True for _ in vocabulary.iterate_applications(node, "inaccessible"))


def _is_kept(node: DefinitionNode, vocabulary: Vocabulary) -> bool:
    match node:
        case DirectiveDefinitionNode():
            locations = {location.value for location in node.locations}
            own = vocabulary.is_internal(node.name.value) or node.name.value == GraphQLDeferDirective.name
            return not own and bool(locations & EXECUTABLE_LOCATIONS)
        case EnumTypeDefinitionNode() | TypeDefinitionNode():
            return not vocabulary.is_internal(node.name.value)
    return True


def _get_type_name(node: DefinitionNode) -> str | None:
    name = getattr(node, "name", None)
    return name.value if name and isinstance(node, TypeDefinitionNode) else None
