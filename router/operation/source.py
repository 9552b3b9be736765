"""The source text of a client's document: locations in it, and its tokens.

graphql-core counts the lines before each error anew, which takes seconds for a hundred errors at the end of
the longest document. It also links all tokens in both directions, so that only the garbage collector could
free them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from graphql import DocumentNode, Source, SourceLocation

_LINE_END = re.compile("\r\n|[\n\r]")


class DocumentSource(Source):
    """A document's text with an index of its lines."""

    def get_location(self, position: int) -> SourceLocation:
        """The line and the column of a position, counted from 1."""
        line = bisect_right(self._line_starts, position)
        return SourceLocation(line, position + 1 - self._line_starts[line - 1])

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.body))]


def unlink(document: DocumentNode) -> None:
    """Unlinks a document's tokens, so that they are freed with the last reference to the document."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        next_token = token.next
        token.prev = token.next = None
        token = next_token
