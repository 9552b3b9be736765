"""HTTP/1.1 as uvicorn speaks it, with a limit to whatever a client sends and to the time it takes.

What is wrong before there is a request that the application could answer is told in plain text. The
connection ends then, but not before the client could read why: it is shut on our side only, and what still
comes is thrown away for a moment.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from router.server.listener import ListenerConfig

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application
    from uvicorn.server import ServerState

# Set in the scope of a request whose answer has no end of its own, so that a router that stops ends it.
ENDLESS = "endless"
LINGER_SECONDS = 2.0
# What the WebSocket library reads of a line of a handshake, with some room for its end.
MAX_HANDSHAKE_LINE = 8000


class _RefusedError(Exception):
    """A request is not read any further."""


class HttpProtocol(HttpToolsProtocol):
    """What is spoken over a connection until it is upgraded."""

    def __init__(self, config: ListenerConfig, server_state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self._limits = limits = config.listener.settings
        # Of a head that is not there as a whole, with what the first piece has of the request before it.
        self._most_head_bytes = 2 * limits.max_header_bytes + limits.max_url_bytes
        self._deadline: float | None = self.loop.time() + limits.header_timeout
        self._in_head = True
        self._head_bytes = self._header_bytes = self._hosts = 0
        self._refusal = HTTPStatus.BAD_REQUEST
        self._deaf = False
        self._running: RequestResponseCycle | None = None

    def data_received(self, data: bytes) -> None:
        """Reads a piece of what the client sends."""
        if self._deaf:
            return
        super().data_received(data)
        if self._deaf:
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._most_head_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            else:
                self._wait(self._limits.header_timeout)
        elif self.cycle is not None and self.cycle.more_body:
            self._wait(self._limits.body_timeout)
        elif self._running is None or self._running.response_complete:
            # Line ends between requests are no request.
            self._wait(self._limits.header_timeout)
        else:
            self._deadline = None

    def overdue(self, now: float) -> None:
        """Ends a request that is not there in time."""
        if self._deadline is None or now < self._deadline:
            return
        if self._deaf or (self._in_head and not self._head_bytes):
            self.transport.abort()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._deadline = True, None
        self._head_bytes = self._header_bytes = self._hosts = 0

    def on_url(self, url: bytes) -> None:
        """A part of the request's target."""
        self.url += url
        if len(self.url) > self._limits.max_url_bytes:
            raise self._refused(HTTPStatus.REQUEST_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        headers, limits = self.headers, self._limits
        self._header_bytes += len(name) + len(value)
        if len(headers) >= limits.max_headers or self._header_bytes > limits.max_header_bytes:
            raise self._refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        headers.append((name, value))

    def on_headers_complete(self) -> None:
        """All headers are there."""
        if self._hosts > 1 or (not self._hosts and self.parser.get_http_version() == "1.1"):
            raise self._refused(HTTPStatus.BAD_REQUEST)
        self._in_head, self._deadline = False, None
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """A request has its answer."""
        running = self._running
        if running is not None and running.more_body and not self.transport.is_closing():
            # Nobody waits for the rest of its body.
            self._hang_up()
        else:
            super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Lets the WebSocket's protocol speak from now on."""
        lines = (len(name) + len(value) for name, value in self.headers)
        if self._is_answering() or max(len(self.url), *lines) > MAX_HANDSHAKE_LINE:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuses what the parser cannot read, or what one of the above has refused."""
        self._refuse(self._refusal)

    def shutdown(self) -> None:
        """Ends the connection, at once if nothing is answered over it that would end by itself."""
        running = self._running
        if not self._is_answering() or (running is not None and running.scope.get(ENDLESS)):
            self.transport.close()
        elif running is not None:
            running.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _is_answering(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def _wait(self, seconds: float) -> None:
        if self._deadline is None:
            self._deadline = self.loop.time() + seconds

    def _refused(self, status: HTTPStatus) -> _RefusedError:
        self._refusal = status
        return _RefusedError()

    def _refuse(self, status: HTTPStatus) -> None:
        """Reads no further, and says why once nothing else is being answered."""
        running = self._running
        self._deaf, self._deadline = True, None
        self.pipeline.clear()
        if running is None or running.response_complete:
            self._say(status)
        elif running is self.cycle and running.more_body and not running.response_started:
            running.disconnected = True
            running.message_event.set()
            self._say(status)
        else:
            running.keep_alive = False

    def _say(self, status: HTTPStatus) -> None:
        text = status.phrase.encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(text)),
            (b"connection", b"close"),
        ]
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", text]))
        self._hang_up()

    def _hang_up(self) -> None:
        self._deaf, self._deadline = True, self.loop.time() + LINGER_SECONDS
        self.transport.write_eof()
