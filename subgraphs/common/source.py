"""The source text of a document, with fast locations, and the unlinking of its tokens.

graphql-core counts the lines before each error again, so a hundred errors at the end of the longest document
take seconds. It also links tokens in cycles, which only the garbage collector can free.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from graphql import DocumentNode, Source, SourceLocation

_LINE_END = re.compile("\r\n|[\n\r]")


class DocumentSource(Source):
    """A document's text, with an index of its lines."""

    def get_location(self, position: int) -> SourceLocation:
        """Find the line and the column of a position; both count from 1."""
        line = bisect_right(self._line_starts, position)
        return SourceLocation(line, position + 1 - self._line_starts[line - 1])

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.body))]


def unlink_tokens(document: DocumentNode) -> None:
    """Unlink the tokens of a document, so that reference counting can free them."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token = following
