"""Errors of valid requests that are not served now: limits, overload, time-outs, unavailable services."""

from __future__ import annotations

from collections.abc import Mapping

from router.errors.base import RouterError


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
