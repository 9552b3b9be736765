"""Fixtures shared by all tests: the real servers, and the whole platform, that they run against."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]  # pytest-xdist has no types

from infra.database import migrate
from infra.local import Servers, Stack

PLATFORM_TESTS = (
    "tests/e2e/",
    "tests/infra/test_commands.py",
    "tests/infra/test_demo.py",
    "tests/infra/test_stack.py",
)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """PostgreSQL and Valkey of this test process, migrated: every setting that the processes read."""
    with Servers(tmp_path_factory.mktemp("servers"), durable=False) as running:
        migrate(running.environ)
        yield running.environ


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole platform, supervised from a thread of its own; its offline studio and print shop hurry."""
    folder = tmp_path_factory.mktemp("platform")
    given = {"OFFLINE_PRINT_STEP_SECONDS": "0.2", "OFFLINE_WORDS_PER_SECOND": "2000"}
    platform = Stack(folder, ports="free", given=given, durable=False)
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(platform) as running:
        yield running


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the tests of the whole platform to one test process, so that it is started once."""
    scheduler = LoadGroupScheduling(config, log)
    scheduler._split_scope = lambda nodeid: "platform" if nodeid.startswith(PLATFORM_TESTS) else nodeid
    return scheduler
