"""uvicorn's WebSocket protocol with limits for the fragments of a message and the time to receive it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from router.server.listener import ListenerConfig

if TYPE_CHECKING:
    from uvicorn.server import ServerState
    from websockets.frames import Frame

MAX_FRAGMENTS = 1000
NOT_UTF_8 = 1007
POLICY_VIOLATED = 1008
MESSAGE_TOO_BIG = 1009


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """The protocol of a connection after its upgrade."""

    def __init__(self, config: ListenerConfig, server_state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self._timeout = config.listener.settings.body_timeout
        self._started_at: float | None = None

    @property
    def is_reading(self) -> bool:
        """Whether it accepts more data."""
        return not self.read_paused

    def disconnect(self) -> None:
        """Notifies the application that its client has disconnected."""
        self.disconnected = True
        self.writable.set()

    def check_timeout(self, now: float) -> None:
        """Closes the socket if a message was not received in time."""
        if not self.frames and not self.conn.reader.buffer:
            self._started_at = None
        elif self._started_at is None:
            self._started_at = now
        elif now - self._started_at >= self._timeout:
            self._fail(POLICY_VIOLATED, "A message took too long")

    def handle_cont(self, event: Frame) -> None:
        """A continuation frame."""
        if len(self.frames) >= MAX_FRAGMENTS:
            self._fail(MESSAGE_TOO_BIG, "A message has too many fragments")
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """A complete message; text must be UTF-8 (RFC 6455 section 8.1)."""
        self._started_at = None
        if self.curr_msg_data_type == "text" and not self._is_utf_8():
            self._fail(NOT_UTF_8, "Text is not UTF-8")
        else:
            super().send_receive_event_to_app()

    def _is_utf_8(self) -> bool:
        try:
            b"".join(self.frames).decode()
        except UnicodeDecodeError:
            return False
        return True

    def _fail(self, code: int, reason: str) -> None:
        self.frames = []
        if not self.close_sent and not self.transport.is_closing():
            self.conn.send_close(code, reason)
            self.handle_parser_exception()
