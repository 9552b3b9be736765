"""The limits of a document: how large, how deep and how repetitive an operation may be that a subgraph runs.

The router has the limits that clients meet, and sends fetches that may be larger than what a client sent.
These are some times as generous, and hold whoever the caller is.
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

MOST_CHARACTERS: Final = 500_000
MOST_TOKENS: Final = 20_000
MOST_LEVELS: Final = 40
MOST_ALIASES: Final = 1_000
MOST_FIELDS: Final = 10_000
"""Fields of the operation with its fragments written out."""
MOST_DEFINITIONS: Final = 200
"""Operations and fragments, each of which validation compares with the others."""
MOST_COMPARISONS: Final = 5_000
"""Pairs of fields at one place of the response, all of which validation compares."""

_Fragments: TypeAlias = dict[str, FragmentDefinitionNode]


def check_length(query: str) -> None:
    """Refuse a text that is too long to be parsed."""
    if len(query) > MOST_CHARACTERS:
        raise OperationTooLarge(f"The document has more than {MOST_CHARACTERS} characters.")


def check_document(document: DocumentNode) -> None:
    """Refuse a document of which validating or executing any operation would cost too much."""
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    if len(document.definitions) > MOST_DEFINITIONS:
        raise OperationTooLarge(f"The document has more than {MOST_DEFINITIONS} operations and fragments.")
    measure = _Measure(fragments)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            measure.selections(definition.selection_set)


class _Measure:
    """A walk with fragments written out; it ends at the latest with the last field that is allowed."""

    def __init__(self, fragments: _Fragments) -> None:
        self._fragments = fragments
        self._fields = self._aliases = self._comparisons = 0

    def selections(self, selections: SelectionSetNode) -> None:
        level, places = 0, [[selections]]
        while places:
            level += 1
            if level > MOST_LEVELS:
                raise OperationTooLarge(f"The operation has more than {MOST_LEVELS} levels of fields.")
            places = [below for sets in places for below in self._below(sets)]

    def _below(self, open_sets: list[SelectionSetNode]) -> Iterable[list[SelectionSetNode]]:
        """What is selected of each field at one place of the response.

        Fields of one name are one place, however many of them there are: in `a { b } a { b }`, the two `b`
        are compared like the two `a`.
        """
        names: dict[str, int] = {}
        below: dict[str, list[SelectionSetNode]] = {}
        while open_sets:
            for node in open_sets.pop().selections:
                self._count()
                match node:
                    case FieldNode():
                        self._field(node, names)
                        if node.selection_set:
                            below.setdefault(_response_name(node), []).append(node.selection_set)
                    case InlineFragmentNode():
                        open_sets.append(node.selection_set)
                    case FragmentSpreadNode():
                        if fragment := self._fragments.get(node.name.value):
                            open_sets.append(fragment.selection_set)
        return below.values()

    def _field(self, node: FieldNode, names: dict[str, int]) -> None:
        name = _response_name(node)
        before = names.get(name, 0)
        names[name] = before + 1
        self._comparisons += before
        self._aliases += node.alias is not None
        if self._comparisons > MOST_COMPARISONS:
            raise OperationTooLarge("The operation asks for the same fields too often.")
        if self._aliases > MOST_ALIASES:
            raise OperationTooLarge(f"The operation has more than {MOST_ALIASES} aliases.")

    def _count(self) -> None:
        self._fields += 1
        if self._fields > MOST_FIELDS:
            raise OperationTooLarge(f"The operation has more than {MOST_FIELDS} fields.")


def _response_name(node: FieldNode) -> str:
    return (node.alias or node.name).value
