"""Fixtures of the print domain: its runtime, with a clock that the test sets."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from subgraphs.common.runtime import Runtime, open_runtime
from subgraphs.domains import DOMAINS
from tests.support.subgraph import build_settings

WEBHOOK_SECRET = "whsec_0123456789"


class SteppingClock:
    """A clock that only the test advances."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
async def runtime(servers: Mapping[str, str], clock: SteppingClock) -> AsyncIterator[Runtime]:
    environ = {
        **servers,
        "OFFLINE_PRINT_STEP_SECONDS": "10",
        "OFFLINE_PRINT_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    async with open_runtime(DOMAINS["print"], build_settings("print", environ), clock) as opened:
        yield opened
