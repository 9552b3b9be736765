"""How much one operation may ask: depth, aliases, root fields, directives, introspection.

Every rule measures an operation as it would run, with each fragment counted where it is spread, and
measures a fragment once however often it is spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphql import (
    ASTValidationRule,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValidationContext,
)

from router.settings import Limits

INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Size:
    """The measures of a selection set."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    roots: int = 0
    directives: int = 0

    def beside(self, other: Size) -> Size:
        """The size of two selections in one selection set."""
        return Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.fields + other.fields,
            self.roots + other.roots,
            self.directives + other.directives,
        )


class _Ruler:
    """Measures selection sets, each fragment once."""

    def __init__(self, context: ValidationContext) -> None:
        self._context = context
        self._fragments: dict[str, Size] = {}

    def measure(self, selections: SelectionSetNode | None) -> Size:
        size = Size()
        for selection in selections.selections if selections else ():
            size = size.beside(self._selection(selection))
        return size

    def _selection(self, node: SelectionNode) -> Size:
        match node:
            case FieldNode():
                return self._field(node)
            case FragmentSpreadNode():
                inner = self._fragment(node.name.value)
            case InlineFragmentNode():
                inner = self.measure(node.selection_set)
            case _:
                inner = Size()
        return inner.beside(Size(directives=len(node.directives or ())))

    def _field(self, node: FieldNode) -> Size:
        own = Size(1, 1 if node.alias else 0, 1, 1, len(node.directives or ()))
        if node.name.value in INTROSPECTION_FIELDS:
            return own
        inner = self.measure(node.selection_set)
        return own.beside(Size(inner.depth + 1, inner.aliases, inner.fields, 0, inner.directives))

    def _fragment(self, name: str) -> Size:
        if name not in self._fragments:
            # A fragment that spreads itself is another rule's error; counted as empty it ends the recursion.
            self._fragments[name] = Size()
            fragment = self._context.get_fragment(name)
            if fragment is not None:
                self._fragments[name] = self.measure(fragment.selection_set)
        return self._fragments[name]


def size_rule(limits: Limits) -> type[ASTValidationRule]:
    """A validation rule that refuses operations larger than the limits."""

    class OperationSizeRule(ASTValidationRule):
        def __init__(self, context: ValidationContext) -> None:
            super().__init__(context)
            self._ruler = _Ruler(context)

        def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
            size = self._ruler.measure(node.selection_set)
            for name, found, limit in _exceeded(size, limits):
                self.report_error(
                    GraphQLError(
                        f"The operation has {found} {name}; at most {limit} are allowed.",
                        node,
                        extensions={"limit": limit, "found": found},
                    )
                )

    return OperationSizeRule


def rules(limits: Limits, *, introspection: bool) -> list[type[ASTValidationRule]]:
    """The validation rules of this router beside those of GraphQL."""
    return [size_rule(limits)] if introspection else [size_rule(limits), NoSchemaIntrospectionCustomRule]


def _exceeded(size: Size, limits: Limits) -> list[tuple[str, int, int]]:
    measures: list[tuple[str, int, int]] = [
        ("levels of fields", size.depth, limits.max_depth),
        ("aliases", size.aliases, limits.max_aliases),
        ("fields", size.fields, limits.max_fields),
        ("root fields", size.roots, limits.max_root_fields),
        ("directives", size.directives, limits.max_directives),
    ]
    return [measure for measure in measures if measure[1] > measure[2]]
