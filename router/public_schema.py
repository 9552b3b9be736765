"""Strip a supergraph document to the schema clients see."""

from __future__ import annotations

from typing import Any, TypeVar

from graphql import (
    REMOVE,
    DefinitionNode,
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    Node,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    UnionTypeDefinitionNode,
    Visitor,
    visit,
)

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

_Definition = TypeVar("_Definition", bound=DefinitionNode)


def stripped(document: DocumentNode, *, public: bool) -> DocumentNode:
    """A supergraph without federation's own definitions; `public` also drops what is inaccessible."""
    hidden = _hidden_types(document) if public else frozenset()
    definitions = [node for node in document.definitions if _is_kept(node) and _name(node) not in hidden]
    kept: DocumentNode = visit(DocumentNode(definitions=tuple(definitions)), _Stripper(hidden, public))
    return kept


def is_internal(name: str) -> bool:
    """Whether a definition belongs to federation's own vocabulary."""
    return "__" in name


class _Stripper(Visitor):
    """Drops federation directives, and inaccessible elements with all references to them."""

    def __init__(self, hidden: frozenset[str], public: bool) -> None:
        super().__init__()
        self._hidden = hidden
        self._public = public

    def enter(self, node: Node, *_: Any) -> Any:
        """Removes inaccessible elements on the way down."""
        if self._public and _is_inaccessible(node):
            return REMOVE
        match node:
            case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
                return _with(node, "interfaces", self._visible(node.interfaces))
            case UnionTypeDefinitionNode():
                return _with(node, "types", self._visible(node.types))
        return None

    def leave_directive(self, node: DirectiveNode, *_: Any) -> Any:
        """Removes applied federation directives."""
        return None if node.name.value in KEPT_DIRECTIVES else REMOVE

    def _visible(self, types: Any) -> tuple[Any, ...]:
        return tuple(node for node in types or () if node.name.value not in self._hidden)


def _with(node: Node, attribute: str, value: Any) -> Any:
    if tuple(getattr(node, attribute) or ()) == value:
        return None
    return type(node)(**{key: getattr(node, key) for key in node.keys} | {attribute: value})


def _hidden_types(document: DocumentNode) -> frozenset[str]:
    return frozenset(
        node.name.value
        for node in document.definitions
        if isinstance(node, TypeDefinitionNode) and _is_inaccessible(node)
    )


def _is_inaccessible(node: Node) -> bool:
    return any(each.name.value == "inaccessible" for each in getattr(node, "directives", None) or ())


def _is_kept(node: DefinitionNode) -> bool:
    match node:
        case DirectiveDefinitionNode():
            places = {place.value for place in node.locations}
            return not is_internal(node.name.value) and bool(places & EXECUTABLE_LOCATIONS)
        case EnumTypeDefinitionNode() | TypeDefinitionNode():
            return not is_internal(node.name.value)
    return True


def _name(node: DefinitionNode) -> str | None:
    name = getattr(node, "name", None)
    return name.value if name and isinstance(node, TypeDefinitionNode) else None
