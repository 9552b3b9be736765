"""The clock, in UTC, as a dependency."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The system's time in UTC."""
    return datetime.now(UTC)
