"""Errors that are reported to clients.

DomainError
├── Unauthenticated      no valid identity
├── Forbidden            an identity without the scope that this needs
├── NotFound             no such thing, or not yours: clients cannot tell which
├── BadUserInput         a value that cannot be accepted, with the field it came in
├── Conflict             the present state does not allow this
├── DependencyFailed     another part of the platform did not answer
├── Overloaded           too many requests at this moment, with the seconds until the next try
├── DeadlineExceeded     the caller's deadline has passed
└── OperationTooLarge    the operation exceeds a limit

Everything else is unexpected: masked for clients, logged whole with the trace id.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

_MAX_ID_LENGTH: Final = 64


class DomainError(Exception):
    """An expected failure, reported to the client with a code."""

    code: ClassVar[str] = "DOMAIN_ERROR"

    @property
    def extensions(self) -> dict[str, Any]:
        """The `extensions` of the GraphQL error."""
        return {"code": self.code}


class Unauthenticated(DomainError):
    """The caller brought no valid token."""

    code = "UNAUTHENTICATED"

    def __init__(self, message: str = "Sign in to do this.") -> None:
        super().__init__(message)


class Forbidden(DomainError):
    """The caller's scopes do not cover this."""

    code = "FORBIDDEN"

    def __init__(self, message: str = "This is not allowed with your scopes.") -> None:
        super().__init__(message)


class NotFound(DomainError):
    """Nothing of this id that the caller may see."""

    code = "NOT_FOUND"

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"{kind} {id[:_MAX_ID_LENGTH]!r} was not found.")


class BadUserInput(DomainError):
    """A value of the request that cannot be accepted."""

    code = "BAD_USER_INPUT"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field

    @property
    def extensions(self) -> dict[str, Any]:
        """The code and the input field, as a path with dots."""
        return {"code": self.code, "field": self.field}


class Conflict(DomainError):
    """The present state does not allow what was asked."""

    code = "CONFLICT"


class DependencyFailed(DomainError):
    """Another service is needed for this and did not answer."""

    code = "DEPENDENCY_FAILED"


class Overloaded(DomainError):
    """Too many requests at this moment."""

    code = "OVERLOADED"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    @property
    def extensions(self) -> dict[str, Any]:
        """The code, and the seconds until the next try."""
        return {"code": self.code, "retryAfter": self.retry_after}


class DeadlineExceeded(DomainError):
    """The caller's deadline has passed."""

    code = "DEADLINE_EXCEEDED"

    def __init__(self) -> None:
        super().__init__("The operation was stopped: the time for it is over.")


class OperationTooLarge(DomainError):
    """The operation exceeds a limit."""

    code = "OPERATION_TOO_LARGE"
