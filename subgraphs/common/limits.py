"""The limits of a document: size, depth and repetition.

The router enforces the limits for clients. Its fetches may be larger than what a client has sent, so these
limits are several times as high; they hold for every caller.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from subgraphs.common.errors import OperationTooLarge

MAX_CHARACTERS: Final = 500_000
MAX_TOKENS: Final = 20_000
MAX_LEVELS: Final = 40
MAX_ALIASES: Final = 1_000
MAX_FIELDS: Final = 10_000
"""Fields of an operation with its fragments expanded."""
MAX_DEFINITIONS: Final = 200
"""Operations and fragments; validation compares each with all others."""
MAX_COMPARISONS: Final = 5_000
"""Pairs of fields with the same response path; validation compares each pair."""

_Fragments: TypeAlias = dict[str, FragmentDefinitionNode]


def check_length(query: str) -> None:
    """Raise OperationTooLarge for a text that is too long to be parsed."""
    if len(query) > MAX_CHARACTERS:
        raise OperationTooLarge(f"The document has more than {MAX_CHARACTERS} characters.")


def check_document(document: DocumentNode) -> None:
    """Raise OperationTooLarge for a document whose validation or execution would cost too much."""
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    if len(document.definitions) > MAX_DEFINITIONS:
        raise OperationTooLarge(f"The document has more than {MAX_DEFINITIONS} operations and fragments.")
    traversal = _Traversal(fragments)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            traversal.measure(definition.selection_set)


class _Traversal:
    """A traversal with fragments expanded; it ends with OperationTooLarge at the first field over a limit."""

    def __init__(self, fragments: _Fragments) -> None:
        self._fragments = fragments
        self._fields = self._aliases = self._comparisons = 0

    def measure(self, selections: SelectionSetNode) -> None:
        level, paths = 0, [[selections]]
        while paths:
            level += 1
            if level > MAX_LEVELS:
                raise OperationTooLarge(f"The operation has more than {MAX_LEVELS} levels of fields.")
            paths = [below for sets in paths for below in self._descend(sets)]

    def _descend(self, open_sets: list[SelectionSetNode]) -> Iterable[list[SelectionSetNode]]:
        """Collect the selection sets one level down, grouped by response path.

        Fields with the same response name share a path: in `a { b } a { b }`, the two `b` are compared like
        the two `a`.
        """
        names: dict[str, int] = {}
        below: dict[str, list[SelectionSetNode]] = {}
        while open_sets:
            for node in open_sets.pop().selections:
                self._count_field()
                match node:
                    case FieldNode():
                        self._count_repetition(node, names)
                        if node.selection_set:
                            below.setdefault(_get_response_name(node), []).append(node.selection_set)
                    case InlineFragmentNode():
                        open_sets.append(node.selection_set)
                    case FragmentSpreadNode():
                        if fragment := self._fragments.get(node.name.value):
                            open_sets.append(fragment.selection_set)
        return below.values()

    def _count_repetition(self, node: FieldNode, names: dict[str, int]) -> None:
        name = _get_response_name(node)
        before = names.get(name, 0)
        names[name] = before + 1
        self._comparisons += before
        self._aliases += node.alias is not None
        if self._comparisons > MAX_COMPARISONS:
            raise OperationTooLarge("The operation selects the same fields too often.")
        if self._aliases > MAX_ALIASES:
            raise OperationTooLarge(f"The operation has more than {MAX_ALIASES} aliases.")

    def _count_field(self) -> None:
        self._fields += 1
        if self._fields > MAX_FIELDS:
            raise OperationTooLarge(f"The operation has more than {MAX_FIELDS} fields.")


def _get_response_name(node: FieldNode) -> str:
    return (node.alias or node.name).value
