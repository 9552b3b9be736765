"""The errors of the router's responses.

RouterError                           shown to clients: a message, `extensions.code` and an HTTP status
├── RequestError                      the HTTP request or the WebSocket message is not a GraphQL request
│   ├── MalformedRequestError         400  BAD_REQUEST
│   ├── CrossSiteRequestError         403  CSRF_PREVENTED
│   ├── PathNotFoundError             404  NOT_FOUND
│   ├── StreamNotFoundError           404  STREAM_NOT_FOUND
│   ├── MethodNotAllowedError         405  METHOD_NOT_ALLOWED
│   ├── NotAcceptableError            406  NOT_ACCEPTABLE
│   ├── ConflictError                 409  CONFLICT
│   ├── BodyTooLargeError             413  PAYLOAD_TOO_LARGE
│   ├── UnsupportedMediaTypeError     415  UNSUPPORTED_MEDIA_TYPE
│   └── TooManyOperationsError        429  TOO_MANY_OPERATIONS
├── DocumentError                     the GraphQL request cannot be executed; carries GraphQL's own errors
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
├── AccessError                       the caller is not authorised
│   ├── UnauthenticatedError          401  UNAUTHENTICATED
│   └── ForbiddenError                403  FORBIDDEN
├── TooSlowError                      408  TOO_SLOW
├── CostBudgetError                   429  COST_BUDGET_EXCEEDED
├── BadGatewayError                   502  DOWNSTREAM_SERVICE_ERROR
├── OverloadedError                   503  OVERLOADED
├── StoppedError                      503  STOPPED
├── IdentityUnavailableError          503  DOWNSTREAM_SERVICE_ERROR
└── OperationTimeoutError             504  OPERATION_TIMEOUT

Any other exception is unexpected: it is logged with its traceback, and clients get `build_internal_error`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from graphql import GraphQLError

MAX_MESSAGE_CHARACTERS = 1000


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


class RequestError(RouterError):
    """The request is not well-formed GraphQL; the response has the error's status in any media type."""


class MalformedRequestError(RequestError):
    """The body or the query string does not contain a GraphQL request."""

    code = "BAD_REQUEST"
    status = 400


class CrossSiteRequestError(RequestError):
    """A browser sent the request on behalf of another site (CSRF)."""

    code = "CSRF_PREVENTED"
    status = 403


class PathNotFoundError(RequestError):
    """Nothing is served at the path."""

    code = "NOT_FOUND"
    status = 404

    def __init__(self) -> None:
        super().__init__("There is nothing at this path.")


class StreamNotFoundError(RequestError):
    """The caller has no event stream with this token."""

    code = "STREAM_NOT_FOUND"
    status = 404


class MethodNotAllowedError(RequestError):
    """The operation cannot be sent with this HTTP method (RFC 9110 section 15.5.6)."""

    code = "METHOD_NOT_ALLOWED"
    status = 405

    def __init__(self, message: str, allow: str) -> None:
        super().__init__(message)
        self.allow = allow

    @property
    def headers(self) -> Mapping[str, str]:
        """The allowed methods."""
        return {"allow": self.allow}


class NotAcceptableError(RequestError):
    """None of the accepted media types can carry the response."""

    code = "NOT_ACCEPTABLE"
    status = 406


class ConflictError(RequestError):
    """The event stream, or the operation id on it, is already in use."""

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
    """The connection, or the client, has reached its limit of concurrent operations."""

    code = "TOO_MANY_OPERATIONS"
    status = 429


class DocumentError(RouterError):
    """A GraphQL request that is refused before execution (a request error of the specification)."""

    status = 400

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = [_detach(each) for each in errors]

    def copy(self) -> DocumentError:
        """The same error without its traceback, whose frames would keep their local variables alive."""
        return type(self)(self.errors)

    def to_errors(self) -> list[dict[str, Any]]:
        """GraphQL's own errors, with this error's code where they have none."""
        return [_format_with_code(error, self.code) for error in self.errors]


class ParseFailedError(DocumentError):
    """The document is not GraphQL."""

    code = "GRAPHQL_PARSE_FAILED"


class ValidationFailedError(DocumentError):
    """The document does not validate against the schema, or exceeds a limit."""

    code = "GRAPHQL_VALIDATION_FAILED"


class OperationNotFoundError(DocumentError):
    """The document and `operationName` do not identify exactly one operation."""

    code = "OPERATION_RESOLUTION_FAILURE"


class BadVariableError(DocumentError):
    """The variables cannot be coerced to their declared types."""

    code = "BAD_USER_INPUT"


class UnplannableOperationError(DocumentError):
    """The subgraphs together cannot resolve a field that the supergraph declares."""

    code = "QUERY_PLANNING_FAILED"

    def to_response(self) -> dict[str, Any]:
        """A response with `data: null`, because the operation itself is valid."""
        return {"data": None, **super().to_response()}


class PlanningTooLongError(DocumentError):
    """Planning the operation exceeded its time limit."""

    code = "QUERY_PLANNING_TIMEOUT"


class CostUnknownError(DocumentError):
    """The cost of the operation cannot be estimated, because the size of a list is unbounded."""

    code = "COST_QUERY_PARSE_FAILURE"


class TooExpensiveError(DocumentError):
    """The estimated cost of the operation exceeds the limit."""

    code = "COST_ESTIMATED_TOO_EXPENSIVE"

    def __init__(self, cost: int, limit: int) -> None:
        message = f"The estimated cost of the operation is {cost}; the maximum is {limit}."
        extensions = {"code": self.code, "cost": {"estimated": cost, "limit": limit}}
        super().__init__([GraphQLError(message, extensions=extensions)])


class DocumentLookupError(DocumentError):
    """The document cannot be looked up by its id, or is not allowed; nothing has been parsed."""

    def __init__(self, message: str) -> None:
        super().__init__([GraphQLError(message)])


class DocumentNotFoundError(DocumentLookupError):
    """No document has this id; a client that has the text retries with both."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    status = 404


class DocumentsNotSupportedError(DocumentLookupError):
    """The router has no documents by id; clients send the text."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"


class DocumentMismatchError(DocumentLookupError):
    """The document does not match the hash that was sent with it."""

    code = "PERSISTED_QUERY_HASH_MISMATCH"


class UntrustedDocumentError(DocumentLookupError):
    """The document is not in the manifest of trusted documents."""

    code = "QUERY_NOT_IN_SAFELIST"
    status = 403


class AccessError(RouterError):
    """The caller is not authorised; `paths` are the response paths of the refused fields."""

    def __init__(self, message: str, paths: Sequence[Sequence[str]] = ()) -> None:
        super().__init__(message)
        self.paths = paths

    def to_errors(self) -> list[dict[str, Any]]:
        """One error per refused path, or one for the whole request."""
        [error] = super().to_errors()
        return [{**error, "path": list(path)} for path in self.paths] or [error]


class UnauthenticatedError(AccessError):
    """A required token is missing, or the token is invalid."""

    code = "UNAUTHENTICATED"
    status = 401

    @property
    def headers(self) -> Mapping[str, str]:
        """The challenge that a 401 requires (RFC 9110 section 15.5.2)."""
        return {"www-authenticate": "Bearer"}


class ForbiddenError(AccessError):
    """The caller lacks a scope or a policy."""

    code = "FORBIDDEN"
    status = 403


class TooSlowError(RouterError):
    """The client reads its stream too slowly."""

    code = "TOO_SLOW"
    status = 408


class CostBudgetError(RouterError):
    """The caller has exhausted its cost budget for this minute."""

    code = "COST_BUDGET_EXCEEDED"
    status = 429

    def __init__(self, cost: int, limit: int, seconds: int) -> None:
        message = f"The cost budget of {limit} per minute is exhausted; retry in {seconds} seconds."
        super().__init__(message, cost={"estimated": cost, "limitPerMinute": limit})
        self._seconds = seconds

    @property
    def headers(self) -> Mapping[str, str]:
        """When the next minute begins."""
        return {"retry-after": str(self._seconds)}


class IdentityUnavailableError(RouterError):
    """Tokens cannot be verified, because the key set cannot be fetched."""

    code = "DOWNSTREAM_SERVICE_ERROR"
    status = 503


class BadGatewayError(RouterError):
    """A request could not be passed on to its subgraph; `reason` is for operators."""

    code = "DOWNSTREAM_SERVICE_ERROR"
    status = 502

    def __init__(self, reason: str) -> None:
        super().__init__("The service behind this path does not respond.")
        self.reason = reason


class OverloadedError(RouterError):
    """Too much is waiting already, such as operations to prepare; those prepared before are still served."""

    code = "OVERLOADED"
    status = 503

    def __init__(
        self, message: str = "Too many new operations are waiting to be prepared; try again later."
    ) -> None:
        super().__init__(message)

    @property
    def headers(self) -> Mapping[str, str]:
        """When to retry."""
        return {"retry-after": "1"}


class StoppedError(RouterError):
    """The router shut down before the operation completed."""

    code = "STOPPED"
    status = 503

    def __init__(self) -> None:
        super().__init__("The router shut down before the operation completed.")

    @property
    def headers(self) -> Mapping[str, str]:
        """When to retry, on another router."""
        return {"retry-after": "1"}


class OperationTimeoutError(RouterError):
    """The operation timed out before it was executed."""

    code = "OPERATION_TIMEOUT"
    status = 504

    def __init__(self) -> None:
        super().__init__("The operation timed out before it was executed.")


def build_internal_error(trace_id: str) -> dict[str, Any]:
    """The GraphQL error that replaces an unexpected one; the trace id identifies it in the logs."""
    return {
        "message": "Internal server error",
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "traceId": trace_id},
    }


def _detach(error: GraphQLError) -> GraphQLError:
    """The error without its AST nodes, which would keep the document alive."""
    message = error.message
    if len(message) > MAX_MESSAGE_CHARACTERS:
        # It quotes what the client sent.
        message = f"{message[: MAX_MESSAGE_CHARACTERS - 1]}…"
    detached = GraphQLError(message, path=error.path, extensions=error.extensions)
    detached.locations = error.locations
    return detached


def _format_with_code(error: GraphQLError, code: str) -> dict[str, Any]:
    formatted: dict[str, Any] = {**error.formatted}
    formatted["extensions"] = {"code": code, **(error.extensions or {})}
    return formatted
