"""Filtering of unauthorised fields: the rest of an operation runs, and the response has null in their place.

In the document, `__typename` replaces an unauthorised field, so that nothing is fetched for it and the
response shows where it would have been. There it becomes null, which propagates like any null of a non-null
field.
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
from router.operation.fragments import resolve_fragment
from router.operation.selections import TYPENAME

ResponsePath: TypeAlias = tuple[str, ...]
"""The response names from the root to a field, without list indices."""
ResponsePaths: TypeAlias = frozenset[ResponsePath]
NO_PATHS: ResponsePaths = frozenset()

_PROPAGATED = object()


def find_outermost_paths(paths: Iterable[ResponsePath]) -> ResponsePaths:
    """The paths that have no other one of them as a prefix."""
    known = frozenset(paths)
    return frozenset(
        path for path in known if not any(path[:length] in known for length in range(1, len(path)))
    )


class FilteredOperation:
    """An operation without the fields at the refused paths."""

    def __init__(self, operation: Operation, refused: ResponsePaths) -> None:
        self._original = operation
        self._refused = refused
        self._ancestors = frozenset(path[:length] for path in refused for length in range(1, len(path)))
        self._types: dict[ResponsePath, GraphQLOutputType] = {}
        root = operation.schema.get_root_type(operation.node.operation)
        assert root is not None, "a validated operation has its root type"
        self.operation = self._filter(root)
        self._root: GraphQLObjectType = root
        self._children = _index_children((*refused, *self._ancestors))

    def insert_nulls(self, data: dict[str, Any] | None) -> dict[str, Any] | None:
        """The response data with null for the refused fields, propagated to the nearest nullable field."""
        completed: dict[str, Any] | None = self._complete(data, self._root, ())
        return completed

    def _filter(self, root: GraphQLObjectType) -> Operation:
        node = self._original.node
        filtered = OperationDefinitionNode(
            operation=node.operation,
            name=node.name,
            variable_definitions=node.variable_definitions,
            directives=node.directives,
            selection_set=self._filter_selections(node.selection_set, root, ()),
        )
        return replace(self._original, node=filtered)

    def _filter_selections(
        self, selections: SelectionSetNode, parent: GraphQLNamedType, path: ResponsePath
    ) -> SelectionSetNode:
        return SelectionSetNode(
            selections=tuple(self._filter_selection(each, parent, path) for each in selections.selections)
        )

    def _filter_selection(
        self, node: SelectionNode, parent: GraphQLNamedType, path: ResponsePath
    ) -> SelectionNode:
        if isinstance(node, FieldNode):
            return self._filter_field(node, parent, path)
        fragment = resolve_fragment(node, self._original.fragments)
        inner = fragment.resolve_type(self._original.schema, parent)
        return InlineFragmentNode(
            type_condition=fragment.type_condition,
            directives=node.directives,
            selection_set=self._filter_selections(fragment.selection_set, inner, path),
        )

    def _filter_field(self, node: FieldNode, parent: GraphQLNamedType, path: ResponsePath) -> FieldNode:
        field_path = (*path, (node.alias or node.name).value)
        if field_path not in self._refused and field_path not in self._ancestors:
            return node
        type_ = _get_field_type(parent, node.name.value)
        self._types[field_path] = type_
        if field_path in self._refused:
            return FieldNode(
                name=NameNode(value=TYPENAME),
                alias=NameNode(value=field_path[-1]),
                directives=node.directives,
            )
        assert node.selection_set is not None, "an ancestor has selections"
        return FieldNode(
            name=node.name,
            alias=node.alias,
            arguments=node.arguments,
            directives=node.directives,
            selection_set=self._filter_selections(node.selection_set, get_named_type(type_), field_path),
        )

    def _complete(self, value: Any, type_: Any, path: ResponsePath) -> Any:
        if is_non_null_type(type_):
            inner = self._complete(value, type_.of_type, path)
            return _PROPAGATED if inner is None else inner
        if value is None or path in self._refused:
            return None
        if is_list_type(type_):
            items = [self._complete(each, type_.of_type, path) for each in value]
            return None if any(each is _PROPAGATED for each in items) else items
        for name in self._children.get(path, ()):
            if name in value:
                field_path = (*path, name)
                value[name] = self._complete(value[name], self._types[field_path], field_path)
                if value[name] is _PROPAGATED:
                    return None
        return value


def _get_field_type(parent: GraphQLNamedType, name: str) -> GraphQLOutputType:
    """The type of a field of a valid operation; `__typename` is a field of every type."""
    fields: Any = getattr(parent, "fields", {})
    type_: GraphQLOutputType = fields.get(name, TypeNameMetaFieldDef).type
    return type_


def _index_children(paths: Iterable[ResponsePath]) -> Mapping[ResponsePath, tuple[str, ...]]:
    """The response names directly below each path."""
    children: dict[ResponsePath, tuple[str, ...]] = {}
    for *parent, name in sorted(set(paths)):
        children[tuple(parent)] = (*children.get(tuple(parent), ()), name)
    return children
