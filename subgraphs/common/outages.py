"""Outages: the errors which mean that PostgreSQL or Redis is unavailable or overloaded for now."""

from __future__ import annotations

from typing import Final

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_AWAY: Final = (OSError, RedisConnectionError, RedisTimeoutError, PoolTimeoutError)
_SQLSTATES: Final = ("08", "53", "57")
"""Classes of PostgreSQL's error codes: connections, resources, and an operator who stops something."""


def is_outage(error: BaseException | None) -> bool:
    """Whether the same request may succeed once a server is back."""
    if isinstance(error, _AWAY):
        return True
    return isinstance(error, DBAPIError) and (
        error.connection_invalidated or str(getattr(error.orig, "sqlstate", "")).startswith(_SQLSTATES)
    )
