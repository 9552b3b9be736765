"""The base of the errors that are shown to clients, and what replaces any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class RouterError(Exception):
    """An error that is shown to the client as it is."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    status: ClassVar[int] = 500

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extensions = extensions

    @property
    def headers(self) -> Mapping[str, str]:
        """HTTP headers of the response."""
        return {}

    def to_response(self) -> dict[str, Any]:
        """The GraphQL response that reports this error."""
        return {"errors": self.to_errors()}

    def to_errors(self) -> list[dict[str, Any]]:
        """The `errors` entry of the response."""
        return [{"message": self.message, "extensions": {"code": self.code, **self.extensions}}]


def build_internal_error(trace_id: str) -> dict[str, Any]:
    """The GraphQL error that replaces an unexpected one; the trace id identifies it in the logs."""
    return {
        "message": "Internal server error",
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "traceId": trace_id},
    }
