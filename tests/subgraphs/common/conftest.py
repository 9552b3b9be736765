"""The runtime of one domain; auth stands in for all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from subgraphs.common.runtime import Runtime, open_runtime
from subgraphs.domains import DOMAINS
from tests.support.subgraph import build_settings


@pytest.fixture
async def runtime(servers: Mapping[str, str]) -> AsyncIterator[Runtime]:
    async with open_runtime(DOMAINS["auth"], build_settings("auth", servers)) as runtime:
        yield runtime
