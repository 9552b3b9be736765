"""uvicorn's HTTP/1.1 protocol with size limits and timeouts for what a client sends.

Requests that are refused before they reach the application get a plain text response. The connection is then
half-closed, and what still arrives is discarded for a moment, so that the client can read the response
(RFC 9112 section 9.6).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from router.server.listener import ListenerConfig

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application
    from uvicorn.server import ServerState

# A key in the scope of a request whose response does not end by itself, so that shutdown ends it.
ENDLESS = "endless"
LINGER_SECONDS = 2.0
# A little less than the WebSocket library's limit for a line of the handshake.
MAX_HANDSHAKE_LINE = 8000


class _RefusedError(Exception):
    """Stops the parser, because the request is refused."""


class HttpProtocol(HttpToolsProtocol):
    """The protocol of a connection until it is upgraded."""

    def __init__(self, config: ListenerConfig, server_state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self._limits = limits = config.listener.settings
        # For an incomplete head; its first chunk may contain the end of the previous request.
        self._max_head_bytes = 2 * limits.max_header_bytes + limits.max_url_bytes
        self._deadline: float | None = self.loop.time() + limits.header_timeout
        self._is_in_head = True
        self._head_bytes = self._header_bytes = self._hosts = 0
        self._refusal = HTTPStatus.BAD_REQUEST
        self._discards_input = False
        self._running: RequestResponseCycle | None = None

    @property
    def is_reading(self) -> bool:
        """Whether it accepts more data."""
        return not self.flow.read_paused

    def data_received(self, data: bytes) -> None:
        """Parses a chunk and sets the deadline for what it does not complete."""
        if self._discards_input:
            return
        super().data_received(data)
        if self._discards_input:
            return
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._max_head_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            else:
                self._start_deadline(self._limits.header_timeout)
        elif self.cycle is not None and self.cycle.more_body:
            self._start_deadline(self._limits.body_timeout)
        elif self._running is None or self._running.response_complete:
            # Empty lines between requests do not start a request.
            self._start_deadline(self._limits.header_timeout)
        else:
            self._deadline = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the running request, whose response cannot be sent any more."""
        self.disconnect()
        super().connection_lost(exc)

    def disconnect(self) -> None:
        """Drops pipelined requests, and notifies the running one that its client has disconnected."""
        self.pipeline.clear()
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    def check_timeout(self, now: float) -> None:
        """Refuses a request that was not received in time."""
        if self._deadline is None or now < self._deadline:
            return
        if self._discards_input or (self._is_in_head and not self._head_bytes):
            self.disconnect()
            self.transport.abort()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def on_message_begin(self) -> None:
        """A request starts."""
        super().on_message_begin()
        self._is_in_head, self._deadline = True, None
        self._head_bytes = self._header_bytes = self._hosts = 0

    def on_url(self, url: bytes) -> None:
        """A part of the request target."""
        self.url += url
        if len(self.url) > self._limits.max_url_bytes:
            raise self._build_refusal(HTTPStatus.REQUEST_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        headers, limits = self.headers, self._limits
        self._header_bytes += len(name) + len(value)
        if len(headers) >= limits.max_headers or self._header_bytes > limits.max_header_bytes:
            raise self._build_refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The headers are complete; exactly one `host` is required (RFC 9112 section 3.2)."""
        if self._hosts > 1 or (not self._hosts and self.parser.get_http_version() == "1.1"):
            raise self._build_refusal(HTTPStatus.BAD_REQUEST)
        self._is_in_head, self._deadline = False, None
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """A response is complete."""
        running = self._running
        if running is not None and running.more_body and not self.transport.is_closing():
            # The rest of the request's body is not needed.
            self._half_close()
        else:
            super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hands the connection over to the WebSocket protocol."""
        lines = (len(name) + len(value) for name, value in self.headers)
        if self._is_responding() or max(len(self.url), *lines) > MAX_HANDSHAKE_LINE:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Refuses a request that the parser, or one of the callbacks above, has rejected."""
        self._refuse(self._refusal)

    def shutdown(self) -> None:
        """Closes the connection: after the running response if that ends by itself, else at once."""
        running = self._running
        if not self._is_responding() or (running is not None and running.scope.get(ENDLESS)):
            self.transport.close()
        elif running is not None:
            running.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _is_responding(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def _start_deadline(self, seconds: float) -> None:
        """Starts a deadline, unless one is running."""
        if self._deadline is None:
            self._deadline = self.loop.time() + seconds

    def _build_refusal(self, status: HTTPStatus) -> _RefusedError:
        self._refusal = status
        return _RefusedError()

    def _refuse(self, status: HTTPStatus) -> None:
        """Stops reading, and responds with a status unless another response is being sent."""
        running = self._running
        self._discards_input, self._deadline = True, None
        self.pipeline.clear()
        if running is None or running.response_complete:
            self._respond(status)
        elif running is self.cycle and running.more_body and not running.response_started:
            self.disconnect()
            self._respond(status)
        else:
            running.keep_alive = False

    def _respond(self, status: HTTPStatus) -> None:
        text = status.phrase.encode()
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(text)),
            (b"connection", b"close"),
        ]
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", text]))
        self._half_close()

    def _half_close(self) -> None:
        self._discards_input, self._deadline = True, self.loop.time() + LINGER_SECONDS
        self.transport.write_eof()
