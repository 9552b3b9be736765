"""How much one document may ask: depth, aliases, root fields, directives, comparisons, introspection.

An operation is measured as it would run, with each fragment counted where it is spread, and a fragment is
measured once however often it is spread. A document is measured before it is validated, because the cost of
GraphQL's own rules grows with the square of its fragments, and of the fields at one place of the response.
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
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from router.config.settings import Limits
from router.operation.fragments import Fragments, fragments_of

INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})
MOST_TOLD = 2**31 - 1


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

    def __init__(self, fragments: Fragments) -> None:
        self._definitions = fragments
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
        inner = self.measure(node.selection_set)
        # The schema is as deep as GraphQL made it.
        depth = 1 if node.name.value in INTROSPECTION_FIELDS else inner.depth + 1
        return own.beside(Size(depth, inner.aliases, inner.fields, 0, inner.directives))

    def _fragment(self, name: str) -> Size:
        if name not in self._fragments:
            # A fragment that spreads itself is another rule's error; counted as empty it ends the recursion.
            self._fragments[name] = Size()
            fragment = self._definitions.get(name)
            if fragment is not None:
                self._fragments[name] = self.measure(fragment.selection_set)
        return self._fragments[name]


class _Comparisons:
    """Counts what it takes to validate a document, up to a limit.

    Each selection counts one, and each field as often as fields before it have the same place in the
    response, because GraphQL compares them all.
    """

    def __init__(self, fragments: Fragments, limit: int) -> None:
        self._fragments = fragments
        self._limit = limit
        self._active: set[str] = set()
        self.found = 0

    def add(self, definition: ExecutableDefinitionNode) -> None:
        """Counts what an operation or a fragment adds."""
        self._selections(definition.selection_set, (), Counter())

    def _selections(
        self, selections: SelectionSetNode | None, path: tuple[str, ...], seen: Counter[tuple[str, ...]]
    ) -> None:
        for selection in selections.selections if selections else ():
            if self.found > self._limit:
                return
            self.found += 1
            match selection:
                case FieldNode():
                    place = (*path, (selection.alias or selection.name).value)
                    self.found += seen[place]
                    seen[place] += 1
                    self._selections(selection.selection_set, place, seen)
                case InlineFragmentNode():
                    self._selections(selection.selection_set, path, seen)
                case FragmentSpreadNode():
                    self._spread(selection.name.value, path, seen)

    def _spread(self, name: str, path: tuple[str, ...], seen: Counter[tuple[str, ...]]) -> None:
        if name in self._active or name not in self._fragments:
            return
        self._active.add(name)
        self._selections(self._fragments[name].selection_set, path, seen)
        self._active.remove(name)


def problems(document: DocumentNode, limits: Limits) -> list[GraphQLError]:
    """What of a document is more than the limits allow; it need not be valid otherwise."""
    definitions = [each for each in document.definitions if isinstance(each, ExecutableDefinitionNode)]
    if len(definitions) > limits.max_definitions:
        return [_excess("document", len(definitions), "definitions", limits.max_definitions)]
    fragments = fragments_of(document)
    ruler = _Ruler(fragments)
    found = [
        _excess("operation", *excess, node)
        for node in definitions
        if isinstance(node, OperationDefinitionNode)
        for excess in _exceeded(ruler.measure(node.selection_set), limits)
    ]
    return found or _too_repetitive(definitions, fragments, limits.max_comparisons)


def rules(*, introspection: bool) -> list[type[ASTValidationRule]]:
    """The validation rules of this router beside those of GraphQL."""
    return [] if introspection else [NoSchemaIntrospectionCustomRule]


def _too_repetitive(
    definitions: Sequence[ExecutableDefinitionNode], fragments: Fragments, limit: int
) -> list[GraphQLError]:
    comparisons = _Comparisons(fragments, limit)
    for definition in definitions:
        comparisons.add(definition)
    if comparisons.found <= limit:
        return []
    message = f"The document repeats fields too often; it takes more than {limit} comparisons to validate."
    return [GraphQLError(message, extensions={"limit": limit})]


def _excess(
    what: str, found: int, measure: str, limit: int, node: OperationDefinitionNode | None = None
) -> GraphQLError:
    # Fragments that spread others twice count to numbers that no client can read.
    told = str(found) if found <= MOST_TOLD else f"more than {MOST_TOLD}"
    message = f"The {what} has {told} {measure}; at most {limit} are allowed."
    return GraphQLError(message, node, extensions={"limit": limit, "found": min(found, MOST_TOLD)})


def _exceeded(size: Size, limits: Limits) -> list[tuple[int, str, int]]:
    measures: list[tuple[int, str, int]] = [
        (size.depth, "levels of fields", limits.max_depth),
        (size.aliases, "aliases", limits.max_aliases),
        (size.fields, "fields", limits.max_fields),
        (size.roots, "root fields", limits.max_root_fields),
        (size.directives, "directives", limits.max_directives),
    ]
    return [(found, measure, limit) for found, measure, limit in measures if found > limit]
