"""Fixtures shared by all tests: the real servers they run against."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from infra.database import migrate
from infra.local import Servers


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """PostgreSQL and Valkey of this test process, migrated: every setting that the processes read."""
    data_dir: Path = tmp_path_factory.mktemp("platform")
    with Servers(data_dir, durable=False) as running:
        migrate(running.environ)
        yield running.environ
