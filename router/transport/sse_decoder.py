"""A decoder of Server-Sent Events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")


class EventTooLargeError(Exception):
    """An event exceeds the limit."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """An event of a stream."""

    name: str
    data: bytes


class SseDecoder:
    """Assembles events from the chunks of a stream.

    Lines may end in LF, CR or CRLF; comments and unknown fields are ignored, and so are events with neither
    name nor data. The standard also ignores events with a name only, but some GraphQL servers end a stream
    with one.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = b""
        self._name = ""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that a chunk completes.

        Raises:
            EventTooLargeError: an event exceeds the limit.
        """
        *lines, self._rest = _LINE_END.split(self._rest + chunk)
        for line in lines:
            if line:
                self._read_field(line)
            elif self._data or self._name:
                yield self._complete()
        if len(self._rest) + sum(map(len, self._data)) > self._max_bytes:
            raise EventTooLargeError(f"an event of more than {self._max_bytes} bytes")

    def _read_field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._name = value.decode(errors="replace")

    def _complete(self) -> ServerSentEvent:
        event = ServerSentEvent(self._name or "message", b"\n".join(self._data))
        self._name, self._data = "", []
        return event
