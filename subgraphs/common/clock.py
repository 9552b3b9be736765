"""The clock, which gives the time in UTC, as a dependency."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the system's time in UTC."""
    return datetime.now(UTC)
