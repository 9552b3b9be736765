"""Limits of a document: depth, aliases, fields, root fields, directives, comparisons, introspection.

An operation is measured as it would run, counting a fragment at each of its spreads, although each is
measured only once. This happens before validation, because the cost of GraphQL's own rules grows with the
square of the number of fragments, and of fields with the same response path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from graphql import (
    ASTValidationRule,
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    GraphQLError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from router.config.settings import Limits
from router.operation.fragments import Fragments, collect_fragments, find_fragment
from router.operation.selections import INTROSPECTION

# The largest GraphQL Int.
MAX_REPORTED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a selection set."""

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    roots: int = 0
    directives: int = 0

    def combine(self, other: Size) -> Size:
        """The size of two selections together in one selection set."""
        return Size(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.fields + other.fields,
            self.roots + other.roots,
            self.directives + other.directives,
        )


class _Measurer:
    """Measures selection sets, and each fragment only once."""

    def __init__(self, fragments: Fragments) -> None:
        self._fragments = fragments
        self._sizes: dict[int, Size] = {}
        """The sizes of the fragments that are measured, by the identity of their selection set."""

    def measure(self, selections: SelectionSetNode | None) -> Size:
        size = Size()
        for selection in selections.selections if selections else ():
            size = size.combine(self._measure_selection(selection))
        return size

    def _measure_selection(self, node: SelectionNode) -> Size:
        if isinstance(node, FieldNode):
            return self._measure_field(node)
        fragment = find_fragment(node, self._fragments)
        inner = self._measure_fragment(fragment.selection_set) if fragment else Size()
        return inner.combine(Size(directives=len(node.directives or ())))

    def _measure_field(self, node: FieldNode) -> Size:
        own = Size(1, 1 if node.alias else 0, 1, 1, len(node.directives or ()))
        inner = self.measure(node.selection_set)
        # The depth of the introspection schema is not the client's choice.
        depth = 1 if node.name.value in INTROSPECTION else inner.depth + 1
        return own.combine(Size(depth, inner.aliases, inner.fields, 0, inner.directives))

    def _measure_fragment(self, selections: SelectionSetNode) -> Size:
        if id(selections) not in self._sizes:
            # Cycles are reported by another rule; counting the fragment as empty ends the recursion.
            self._sizes[id(selections)] = Size()
            self._sizes[id(selections)] = self.measure(selections)
        return self._sizes[id(selections)]


class _Comparisons:
    """Counts the comparisons that validating a document takes, up to a limit.

    Each selection counts one, and each field one more for every earlier field with the same response path, as
    GraphQL compares them all (`FieldsInSetCanMerge`).
    """

    def __init__(self, fragments: Fragments, limit: int) -> None:
        self._fragments = fragments
        self._limit = limit
        self._active: set[int] = set()
        """The fragments on the way to the current selection, which a cycle would enter again."""
        self.count = 0

    def add(self, definition: ExecutableDefinitionNode) -> None:
        """Counts an operation or a fragment definition."""
        self._count_selections(definition.selection_set, (), Counter())

    def _count_selections(
        self, selections: SelectionSetNode | None, path: tuple[str, ...], seen: Counter[tuple[str, ...]]
    ) -> None:
        for selection in selections.selections if selections else ():
            if self.count > self._limit:
                return
            self.count += 1
            if isinstance(selection, FieldNode):
                field_path = (*path, (selection.alias or selection.name).value)
                self.count += seen[field_path]
                seen[field_path] += 1
                self._count_selections(selection.selection_set, field_path, seen)
            elif fragment := find_fragment(selection, self._fragments):
                self._count_fragment(fragment.selection_set, path, seen)

    def _count_fragment(
        self, selections: SelectionSetNode, path: tuple[str, ...], seen: Counter[tuple[str, ...]]
    ) -> None:
        if id(selections) not in self._active:
            self._active.add(id(selections))
            self._count_selections(selections, path, seen)
            self._active.remove(id(selections))


def find_limit_errors(document: DocumentNode, limits: Limits) -> list[GraphQLError]:
    """The errors for the limits that a parsed document exceeds; it need not be valid."""
    definitions = [each for each in document.definitions if isinstance(each, ExecutableDefinitionNode)]
    if len(definitions) > limits.max_definitions:
        return [_build_limit_error("document", len(definitions), "definitions", limits.max_definitions)]
    fragments = collect_fragments(document)
    measurer = _Measurer(fragments)
    errors = [
        _build_limit_error("operation", *excess, node)
        for node in definitions
        if isinstance(node, OperationDefinitionNode)
        for excess in _find_excesses(measurer.measure(node.selection_set), limits)
    ]
    return errors or _find_comparison_errors(definitions, fragments, limits.max_comparisons)


def select_validation_rules(*, introspection: bool) -> list[type[ASTValidationRule]]:
    """The validation rules in addition to those of the GraphQL specification."""
    return [] if introspection else [NoSchemaIntrospectionCustomRule]


def _find_comparison_errors(
    definitions: Sequence[ExecutableDefinitionNode], fragments: Fragments, limit: int
) -> list[GraphQLError]:
    comparisons = _Comparisons(fragments, limit)
    for definition in definitions:
        comparisons.add(definition)
    if comparisons.count <= limit:
        return []
    message = f"The document repeats fields too often: validating it takes more than {limit} comparisons."
    return [GraphQLError(message, extensions={"limit": limit})]


def _build_limit_error(
    what: str, count: int, measure: str, limit: int, node: OperationDefinitionNode | None = None
) -> GraphQLError:
    # Fragments that spread others twice grow the count exponentially.
    shown = str(count) if count <= MAX_REPORTED else f"more than {MAX_REPORTED}"
    message = f"The {what} has {shown} {measure}; the maximum is {limit}."
    return GraphQLError(message, node, extensions={"limit": limit, "found": min(count, MAX_REPORTED)})


def _find_excesses(size: Size, limits: Limits) -> list[tuple[int, str, int]]:
    """The count, measure and limit of each limit that a size exceeds."""
    measures: list[tuple[int, str, int]] = [
        (size.depth, "levels of fields", limits.max_depth),
        (size.aliases, "aliases", limits.max_aliases),
        (size.fields, "fields", limits.max_fields),
        (size.roots, "root fields", limits.max_root_fields),
        (size.directives, "directives", limits.max_directives),
    ]
    return [(count, measure, limit) for count, measure, limit in measures if count > limit]
