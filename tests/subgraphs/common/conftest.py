"""The open resources of one domain; auth's stand in for any."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from subgraphs.auth.models import Table
from subgraphs.common.runtime import Runtime, open_runtime
from tests.support.subgraph import settings_of


@pytest.fixture
async def runtime(servers: Mapping[str, str]) -> AsyncIterator[Runtime]:
    async with open_runtime("auth", Table.metadata, settings_of(servers)) as runtime:
        yield runtime
