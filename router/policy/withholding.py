"""What a caller may not have is withheld: the rest of the operation runs, and null stands in its place.

In the document, `__typename` takes the place of a field that is withheld, so that nothing is fetched for it,
and an answer shows where it would have stood. There it becomes null, which propagates like any null where
none may be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    TypeNameMetaFieldDef,
    get_named_type,
    is_list_type,
    is_non_null_type,
)

from router.operation import Operation
from router.operation.fragments import fragment_of
from router.operation.selections import TYPENAME

Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = frozenset[Path]
NOTHING: Paths = frozenset()

_PROPAGATED = object()


def outermost(paths: Iterable[Path]) -> Paths:
    """Those paths that lead through no other."""
    known = frozenset(paths)
    return frozenset(
        path for path in known if not any(path[:length] in known for length in range(1, len(path)))
    )


class Withheld:
    """What of an operation is withheld."""

    def __init__(self, operation: Operation, paths: Paths) -> None:
        self._operation = operation
        self._paths = paths
        self._ways = frozenset(path[:length] for path in paths for length in range(1, len(path)))
        self._types: dict[Path, GraphQLOutputType] = {}
        root = operation.schema.get_root_type(operation.node.operation)
        assert root is not None, "a validated operation has its root type"
        self.operation = self._without(root)
        self._root: GraphQLObjectType = root
        self._below = _tree((*paths, *self._ways))

    def _without(self, root: GraphQLObjectType) -> Operation:
        """The operation without what is withheld."""
        node = self._operation.node
        selections = self._selections(node.selection_set, root, ())
        kept = OperationDefinitionNode(
            operation=node.operation,
            name=node.name,
            variable_definitions=node.variable_definitions,
            directives=node.directives,
            selection_set=selections,
        )
        return replace(self._operation, node=kept)

    def _selections(
        self, selections: SelectionSetNode, parent: GraphQLNamedType, path: Path
    ) -> SelectionSetNode:
        return SelectionSetNode(
            selections=tuple(self._selection(each, parent, path) for each in selections.selections)
        )

    def _selection(self, node: SelectionNode, parent: GraphQLNamedType, path: Path) -> SelectionNode:
        if isinstance(node, FieldNode):
            return self._field(node, parent, path)
        fragment = fragment_of(node, self._operation.fragments)
        inner = fragment.type_within(self._operation.schema, parent)
        return InlineFragmentNode(
            type_condition=fragment.type_condition,
            directives=node.directives,
            selection_set=self._selections(fragment.selection_set, inner, path),
        )

    def _field(self, node: FieldNode, parent: GraphQLNamedType, path: Path) -> FieldNode:
        here = (*path, (node.alias or node.name).value)
        if here not in self._paths and here not in self._ways:
            return node
        type_ = _type_of(parent, node.name.value)
        self._types[here] = type_
        if here in self._paths:
            return FieldNode(
                name=NameNode(value=TYPENAME), alias=NameNode(value=here[-1]), directives=node.directives
            )
        assert node.selection_set is not None, "something is asked below"
        return FieldNode(
            name=node.name,
            alias=node.alias,
            arguments=node.arguments,
            directives=node.directives,
            selection_set=self._selections(node.selection_set, get_named_type(type_), here),
        )

    def nulled(self, data: dict[str, Any] | None) -> dict[str, Any] | None:
        """An answer with null where something is withheld, or where that propagates to."""
        completed: dict[str, Any] | None = self._complete(data, self._root, ())
        return completed

    def _complete(self, value: Any, type_: Any, path: Path) -> Any:
        if is_non_null_type(type_):
            inner = self._complete(value, type_.of_type, path)
            return _PROPAGATED if inner is None else inner
        if value is None or path in self._paths:
            return None
        if is_list_type(type_):
            items = [self._complete(each, type_.of_type, path) for each in value]
            return None if any(each is _PROPAGATED for each in items) else items
        for name in self._below.get(path, ()):
            if name in value:
                here = (*path, name)
                value[name] = self._complete(value[name], self._types[here], here)
                if value[name] is _PROPAGATED:
                    return None
        return value


def _type_of(parent: GraphQLNamedType, name: str) -> GraphQLOutputType:
    """The type of a field of a valid operation; `__typename` is a field of every type."""
    fields: Any = getattr(parent, "fields", {})
    type_: GraphQLOutputType = fields.get(name, TypeNameMetaFieldDef).type
    return type_


def _tree(paths: Iterable[Path]) -> Mapping[Path, tuple[str, ...]]:
    """The names that stand below each path."""
    found: dict[Path, tuple[str, ...]] = {}
    for *above, name in sorted(set(paths)):
        found[tuple(above)] = (*found.get(tuple(above), ()), name)
    return found
