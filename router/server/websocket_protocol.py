"""WebSocket as uvicorn speaks it, with a limit to the pieces of a message and to the time it takes."""

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
    """What is spoken over a connection after its upgrade."""

    def __init__(self, config: ListenerConfig, server_state: ServerState, app_state: dict[str, Any]) -> None:
        super().__init__(config, server_state, app_state)
        self._timeout = config.listener.settings.body_timeout
        self._begun_at: float | None = None

    def overdue(self, now: float) -> None:
        """Ends a message that is not there in time."""
        if not self.frames and not self.conn.reader.buffer:
            self._begun_at = None
        elif self._begun_at is None:
            self._begun_at = now
        elif now - self._begun_at >= self._timeout:
            self._fail(POLICY_VIOLATED, "A message took too long")

    def handle_cont(self, event: Frame) -> None:
        """A further piece of a message."""
        if len(self.frames) >= MAX_FRAGMENTS:
            self._fail(MESSAGE_TOO_BIG, "A message has too many fragments")
        else:
            super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Hands on a message that is there as a whole."""
        self._begun_at = None
        if self.curr_msg_data_type == "text" and not self._is_utf_8():
            self._fail(NOT_UTF_8, "Text is UTF-8")
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
