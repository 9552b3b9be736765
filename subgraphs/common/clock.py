"""The time, in UTC, as something that is handed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Tell the system's time in UTC."""
    return datetime.now(UTC)
