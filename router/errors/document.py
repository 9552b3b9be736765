"""Errors of a GraphQL request that cannot be executed (request errors of the specification)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from router.errors.base import RouterError

MAX_MESSAGE_CHARACTERS = 1000


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
