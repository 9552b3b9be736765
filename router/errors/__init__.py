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

from router.errors.access import (
    AccessError,
    ForbiddenError,
    UnauthenticatedError,
)
from router.errors.availability import (
    BadGatewayError,
    CostBudgetError,
    IdentityUnavailableError,
    OperationTimeoutError,
    OverloadedError,
    StoppedError,
    TooSlowError,
)
from router.errors.base import (
    RouterError,
    build_internal_error,
)
from router.errors.document import (
    BadVariableError,
    CostUnknownError,
    DocumentError,
    DocumentLookupError,
    DocumentMismatchError,
    DocumentNotFoundError,
    DocumentsNotSupportedError,
    OperationNotFoundError,
    ParseFailedError,
    PlanningTooLongError,
    TooExpensiveError,
    UnplannableOperationError,
    UntrustedDocumentError,
    ValidationFailedError,
)
from router.errors.request import (
    BodyTooLargeError,
    ConflictError,
    CrossSiteRequestError,
    MalformedRequestError,
    MethodNotAllowedError,
    NotAcceptableError,
    PathNotFoundError,
    RequestError,
    StreamNotFoundError,
    TooManyOperationsError,
    UnsupportedMediaTypeError,
)

__all__ = [
    "AccessError",
    "BadGatewayError",
    "BadVariableError",
    "BodyTooLargeError",
    "ConflictError",
    "CostBudgetError",
    "CostUnknownError",
    "CrossSiteRequestError",
    "DocumentError",
    "DocumentLookupError",
    "DocumentMismatchError",
    "DocumentNotFoundError",
    "DocumentsNotSupportedError",
    "ForbiddenError",
    "IdentityUnavailableError",
    "MalformedRequestError",
    "MethodNotAllowedError",
    "NotAcceptableError",
    "OperationNotFoundError",
    "OperationTimeoutError",
    "OverloadedError",
    "ParseFailedError",
    "PathNotFoundError",
    "PlanningTooLongError",
    "RequestError",
    "RouterError",
    "StoppedError",
    "StreamNotFoundError",
    "TooExpensiveError",
    "TooManyOperationsError",
    "TooSlowError",
    "UnauthenticatedError",
    "UnplannableOperationError",
    "UnsupportedMediaTypeError",
    "UntrustedDocumentError",
    "ValidationFailedError",
    "build_internal_error",
]
