"""The source text of a document: locations in it, and its tokens.

graphql-core counts the lines before each error anew: a hundred errors at the end of the longest document take
it seconds. And it links tokens into a cycle that only the garbage collector could free.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from graphql import DocumentNode, Source, SourceLocation

_LINE_END = re.compile("\r\n|[\n\r]")


class DocumentSource(Source):
    """A document's text, which finds locations by an index of its lines."""

    def get_location(self, position: int) -> SourceLocation:
        """The line and the column of a position, counted from 1."""
        line = bisect_right(self._line_starts, position)
        return SourceLocation(line, position + 1 - self._line_starts[line - 1])

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.body))]


def unlink(document: DocumentNode) -> None:
    """Unlink a document's tokens, so that reference counting frees it."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token = following
