"""Errors the router answers with.

RouterError                           what a client may read: a message, `extensions.code` and an HTTP status
├── RequestError                      the HTTP request or the WebSocket message is not a GraphQL request
│   ├── MalformedRequestError         400  BAD_REQUEST
│   ├── CrossSiteRequestError         403  CSRF_PREVENTED
│   ├── StreamNotFoundError           404  STREAM_NOT_FOUND
│   ├── MethodNotAllowedError         405  METHOD_NOT_ALLOWED
│   ├── NotAcceptableError            406  NOT_ACCEPTABLE
│   ├── ConflictError                 409  CONFLICT
│   ├── BodyTooLargeError             413  PAYLOAD_TOO_LARGE
│   ├── UnsupportedMediaTypeError     415  UNSUPPORTED_MEDIA_TYPE
│   └── TooManyOperationsError        429  TOO_MANY_OPERATIONS
├── DocumentError                     the GraphQL request cannot be run; carries GraphQL's own errors
│   ├── ParseFailedError              400  GRAPHQL_PARSE_FAILED
│   ├── ValidationFailedError         400  GRAPHQL_VALIDATION_FAILED
│   ├── OperationNotFoundError        400  OPERATION_RESOLUTION_FAILURE
│   ├── BadVariableError              400  BAD_USER_INPUT
│   ├── CostUnknownError              400  COST_QUERY_PARSE_FAILURE
│   ├── TooExpensiveError             400  COST_ESTIMATED_TOO_EXPENSIVE
│   ├── DocumentNotFoundError         404  PERSISTED_QUERY_NOT_FOUND
│   ├── DocumentsNotSupportedError    400  PERSISTED_QUERY_NOT_SUPPORTED
│   ├── DocumentMismatchError         400  PERSISTED_QUERY_HASH_MISMATCH
│   ├── UntrustedDocumentError        403  QUERY_NOT_IN_SAFELIST
│   ├── UnplannableOperationError     400  QUERY_PLANNING_FAILED
│   └── PlanningTooLongError          400  QUERY_PLANNING_TIMEOUT
├── AccessError                       the caller may not ask this
│   ├── UnauthenticatedError          401  UNAUTHENTICATED
│   └── ForbiddenError                403  FORBIDDEN
├── TooSlowError                      408  TOO_SLOW
├── CostBudgetError                   429  COST_BUDGET_EXCEEDED
├── OverloadedError                   503  OVERLOADED
├── StoppedError                      503  STOPPED
├── IdentityUnavailableError          503  DOWNSTREAM_SERVICE_ERROR
└── OperationTimeoutError             504  OPERATION_TIMEOUT

Anything else that is raised is unexpected: it is logged whole and the client reads `masked(trace_id)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from graphql import GraphQLError

MAX_MESSAGE = 1000


class RouterError(Exception):
    """An error that is shown to the client as it is written."""

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    status: ClassVar[int] = 500

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extensions = extensions

    @property
    def headers(self) -> Mapping[str, str]:
        """HTTP headers that belong to the answer."""
        return {}

    def response(self) -> dict[str, Any]:
        """The GraphQL response that stands for this error."""
        return {"errors": self.formatted()}

    def formatted(self) -> list[dict[str, Any]]:
        """The `errors` entry of the response."""
        return [{"message": self.message, "extensions": {"code": self.code, **self.extensions}}]


class RequestError(RouterError):
    """What arrived is not a well-formed GraphQL request, whatever the accepted media type."""


class MalformedRequestError(RequestError):
    """The body or the query string does not hold a GraphQL request."""

    code = "BAD_REQUEST"
    status = 400


class CrossSiteRequestError(RequestError):
    """A browser sends the request on behalf of another site that could not read the answer anyway."""

    code = "CSRF_PREVENTED"
    status = 403


class StreamNotFoundError(RequestError):
    """No event stream of this caller has the token."""

    code = "STREAM_NOT_FOUND"
    status = 404


class MethodNotAllowedError(RequestError):
    """The operation cannot be asked with this HTTP method."""

    code = "METHOD_NOT_ALLOWED"
    status = 405

    def __init__(self, message: str, allow: str) -> None:
        super().__init__(message)
        self.allow = allow

    @property
    def headers(self) -> Mapping[str, str]:
        """The methods that would be allowed."""
        return {"allow": self.allow}


class NotAcceptableError(RequestError):
    """None of the accepted media types can carry the answer."""

    code = "NOT_ACCEPTABLE"
    status = 406


class ConflictError(RequestError):
    """The event stream, or the id of the operation on it, is in use."""

    code = "CONFLICT"
    status = 409


class BodyTooLargeError(RequestError):
    """The request body exceeds the limit."""

    code = "PAYLOAD_TOO_LARGE"
    status = 413


class UnsupportedMediaTypeError(RequestError):
    """The body is not declared as JSON."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415


class TooManyOperationsError(RequestError):
    """The connection already carries as many operations as it may."""

    code = "TOO_MANY_OPERATIONS"
    status = 429


class DocumentError(RouterError):
    """A GraphQL request that is refused before any of it runs."""

    status = 400

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = [_detached(each) for each in errors]

    def again(self) -> DocumentError:
        """The same refusal, without a traceback, which keeps all that was at hand when it was raised."""
        return type(self)(self.errors)

    def formatted(self) -> list[dict[str, Any]]:
        """GraphQL's own errors, each with this error's code unless it brings one."""
        return [_with_code(error, self.code) for error in self.errors]


class ParseFailedError(DocumentError):
    """The document is not GraphQL."""

    code = "GRAPHQL_PARSE_FAILED"


class ValidationFailedError(DocumentError):
    """The document does not fit the schema or exceeds a limit."""

    code = "GRAPHQL_VALIDATION_FAILED"


class OperationNotFoundError(DocumentError):
    """The document and `operationName` do not single out one operation."""

    code = "OPERATION_RESOLUTION_FAILURE"


class BadVariableError(DocumentError):
    """The variables do not fit their declared types."""

    code = "BAD_USER_INPUT"


class UnplannableOperationError(DocumentError):
    """The supergraph promises what its subgraphs together cannot resolve."""

    code = "QUERY_PLANNING_FAILED"

    def response(self) -> dict[str, Any]:
        """Nothing of the operation is answered, although it is a valid one: its data is null."""
        return {"data": None, **super().response()}


class PlanningTooLongError(DocumentError):
    """Planning the operation takes longer than it may."""

    code = "QUERY_PLANNING_TIMEOUT"


class CostUnknownError(DocumentError):
    """What the operation costs cannot be told, as nothing bounds a list in it."""

    code = "COST_QUERY_PARSE_FAILURE"


class TooExpensiveError(DocumentError):
    """The operation may cost more than is allowed."""

    code = "COST_ESTIMATED_TOO_EXPENSIVE"

    def __init__(self, found: int, limit: int) -> None:
        message = f"The operation may cost {found}; at most {limit} is allowed."
        extensions = {"code": self.code, "cost": {"estimated": found, "limit": limit}}
        super().__init__([GraphQLError(message, extensions=extensions)])


class NamedDocumentError(DocumentError):
    """The document, or its name, is refused before it is read."""

    def __init__(self, message: str) -> None:
        super().__init__([GraphQLError(message)])


class DocumentNotFoundError(NamedDocumentError):
    """No document is known by the name; a client that has its text sends both."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    status = 404


class DocumentsNotSupportedError(NamedDocumentError):
    """Documents cannot be named here; a client sends their texts."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"


class DocumentMismatchError(NamedDocumentError):
    """The document is sent with a hash that is not its own."""

    code = "PERSISTED_QUERY_HASH_MISMATCH"


class UntrustedDocumentError(NamedDocumentError):
    """Only the documents of the manifest can be run."""

    code = "QUERY_NOT_IN_SAFELIST"
    status = 403


class AccessError(RouterError):
    """The caller may not ask this; `paths` names the response positions that were refused."""

    def __init__(self, message: str, paths: Sequence[Sequence[str]] = ()) -> None:
        super().__init__(message)
        self.paths = paths

    def formatted(self) -> list[dict[str, Any]]:
        """One error per refused position, or one for the whole request."""
        [error] = super().formatted()
        return [{**error, "path": list(path)} for path in self.paths] or [error]


class UnauthenticatedError(AccessError):
    """There is no valid token where one is needed, or a token that is not valid."""

    code = "UNAUTHENTICATED"
    status = 401

    @property
    def headers(self) -> Mapping[str, str]:
        """The challenge that belongs to a 401 answer."""
        return {"www-authenticate": "Bearer"}


class ForbiddenError(AccessError):
    """The caller lacks a scope, or a policy does not hold."""

    code = "FORBIDDEN"
    status = 403


class TooSlowError(RouterError):
    """The client of a stream does not read what it asked for."""

    code = "TOO_SLOW"
    status = 408


class CostBudgetError(RouterError):
    """What the caller asks costs more than is left of the budget for this minute."""

    code = "COST_BUDGET_EXCEEDED"
    status = 429

    def __init__(self, found: int, limit: int, seconds: int) -> None:
        message = f"The caller has spent more than {limit} in this minute; it has {seconds} seconds left."
        super().__init__(message, cost={"estimated": found, "limitPerMinute": limit})
        self._seconds = seconds

    @property
    def headers(self) -> Mapping[str, str]:
        """When to come back."""
        return {"retry-after": str(self._seconds)}


class IdentityUnavailableError(RouterError):
    """The key set that tokens are verified with cannot be fetched."""

    code = "DOWNSTREAM_SERVICE_ERROR"
    status = 503


class OverloadedError(RouterError):
    """More operations are to be prepared than may wait; one that is known already is still answered."""

    code = "OVERLOADED"
    status = 503

    def __init__(self) -> None:
        super().__init__("Too many new operations wait to be prepared; try again later.")

    @property
    def headers(self) -> Mapping[str, str]:
        """When to come back."""
        return {"retry-after": "1"}


class StoppedError(RouterError):
    """The process ends before the operation does."""

    code = "STOPPED"
    status = 503

    def __init__(self) -> None:
        super().__init__("The router was stopped before the operation ended.")

    @property
    def headers(self) -> Mapping[str, str]:
        """When to come back, to another process."""
        return {"retry-after": "1"}


class OperationTimeoutError(RouterError):
    """The operation ran out of time before any of it ran."""

    code = "OPERATION_TIMEOUT"
    status = 504

    def __init__(self) -> None:
        super().__init__("The operation was not prepared in the time that it may take.")


def masked(trace_id: str) -> dict[str, Any]:
    """What a client reads of an unexpected error: enough to find it in the logs."""
    return {
        "message": "Internal server error",
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "traceId": trace_id},
    }


def _detached(error: GraphQLError) -> GraphQLError:
    """The error without the document that it points into, which would live as long."""
    message = error.message
    if len(message) > MAX_MESSAGE:
        # It repeats what the client sent.
        message = f"{message[: MAX_MESSAGE - 1]}…"
    alone = GraphQLError(message, path=error.path, extensions=error.extensions)
    alone.locations = error.locations
    return alone


def _with_code(error: GraphQLError, code: str) -> dict[str, Any]:
    formatted: dict[str, Any] = {**error.formatted}
    formatted["extensions"] = {"code": code, **(error.extensions or {})}
    return formatted
