"""Errors of a caller that is not authorised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from router.errors.base import RouterError


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
