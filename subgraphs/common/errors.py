"""Errors that are reported to clients.

DomainError
├── Unauthenticated      no valid token
├── Forbidden            a token without the required scope
├── NotFound             nothing with this id, or it belongs to someone else: clients cannot tell which
├── BadUserInput         an invalid value, with the name of its field
├── Conflict             the current state does not allow this
├── DependencyFailed     another service did not answer
├── Overloaded           too many requests at the moment, with the seconds to wait before a retry
├── DeadlineExceeded     the caller's deadline has passed
└── OperationTooLarge    the operation exceeds a limit

Any other exception is unexpected: it is masked for clients, and logged with the trace id.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, TypeVar

Found = TypeVar("Found")

_MAX_ID_LENGTH: Final = 64


class DomainError(Exception):
    """An expected failure, reported to the client with a code."""

    code: ClassVar[str] = "DOMAIN_ERROR"

    @property
    def extensions(self) -> dict[str, Any]:
        """The `extensions` of the GraphQL error."""
        return {"code": self.code}


class Unauthenticated(DomainError):
    """The request has no valid token."""

    code = "UNAUTHENTICATED"

    def __init__(self, message: str = "Sign in to do this.") -> None:
        super().__init__(message)


class Forbidden(DomainError):
    """The caller's token lacks a required scope."""

    code = "FORBIDDEN"

    def __init__(self, message: str = "This is not allowed with your scopes.") -> None:
        super().__init__(message)


class NotFound(DomainError):
    """Nothing has this id, or it belongs to someone else."""

    code = "NOT_FOUND"

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"{kind} {id[:_MAX_ID_LENGTH]!r} was not found.")


def require_found(kind: str, id: str, found: Found | None) -> Found:
    """Return what was found under an id; raise NotFound if nothing was."""
    if found is None:
        raise NotFound(kind, id)
    return found


class BadUserInput(DomainError):
    """A value of the request is invalid."""

    code = "BAD_USER_INPUT"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field

    @property
    def extensions(self) -> dict[str, Any]:
        """The code, and the input field as a dotted path."""
        return {"code": self.code, "field": self.field}


class Conflict(DomainError):
    """The current state does not allow the operation."""

    code = "CONFLICT"


class DependencyFailed(DomainError):
    """A service that is needed for this did not answer."""

    code = "DEPENDENCY_FAILED"


class Overloaded(DomainError):
    """There are too many requests at the moment."""

    code = "OVERLOADED"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    @property
    def extensions(self) -> dict[str, Any]:
        """The code, and the seconds to wait before a retry."""
        return {"code": self.code, "retryAfter": self.retry_after}


class DeadlineExceeded(DomainError):
    """The caller's deadline has passed."""

    code = "DEADLINE_EXCEEDED"

    def __init__(self) -> None:
        super().__init__("The operation was stopped: it exceeded its time limit.")


class OperationTooLarge(DomainError):
    """The operation exceeds a limit."""

    code = "OPERATION_TOO_LARGE"
