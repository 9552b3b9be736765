"""Errors of the HTTP request or the WebSocket message, before there is a GraphQL request."""

from __future__ import annotations

from collections.abc import Mapping

from router.errors.base import RouterError


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
