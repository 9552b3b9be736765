"""Fixtures shared by all tests: the real servers and the whole platform."""

import asyncio
import functools
import inspect
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from anyio.from_thread import start_blocking_portal
from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped]  # pytest-xdist has no types

from infra.database import migrate
from infra.local import Servers, Stack

# The tests that share the platform. Tests that start a platform of their own can run in any process.
PLATFORM_TESTS = (
    "tests/e2e/",
    "tests/infra/test_commands.py::test_beside_a_platform",
    "tests/infra/test_commands.py::test_health_checks_the_running_platform",
    "tests/infra/test_commands.py::test_logs_shows_the_last_lines_of_a_log",
    "tests/infra/test_demo.py",
    "tests/infra/test_stack.py",
)

# A little less than pytest-timeout's limit.
MAX_TEST_SECONDS = 200

# How long an example takes depends on how busy the machine is.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_timeout_when_cancelled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test where a timeout expires that began in a task which counted as cancelled.

    That is a task which cleans up after its cancellation, or in which a TaskGroup has failed. There, such a
    timeout ends the task before Python 3.11.3, instead of raising TimeoutError.
    """
    begun: list[tuple[asyncio.Timeout, asyncio.Task[Any]]] = []
    enter = asyncio.Timeout.__aenter__

    async def record(self: asyncio.Timeout) -> asyncio.Timeout:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            begun.append((self, task))
        return await enter(self)

    monkeypatch.setattr(asyncio.Timeout, "__aenter__", record)
    yield
    assert [task for timeout, task in begun if timeout.expired()] == []


@pytest.fixture(scope="session")
def servers() -> Iterator[Mapping[str, str]]:
    """The environment of the migrated PostgreSQL and Valkey of this test process."""
    with _create_server_folder() as folder, Servers(Path(folder), durable=False) as running:
        migrate(running.environ)
        yield running.environ


def _create_server_folder() -> tempfile.TemporaryDirectory[str]:
    """Creates a folder for servers to which another test run cannot deny access.

    At the start of each run, pytest makes the folder of all runs private to its user, but a PostgreSQL that
    root starts runs as another user.
    """
    return tempfile.TemporaryDirectory(prefix="memorable-tests-")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The whole platform, supervised from a thread of its own, with a fast offline studio and print shop.

    Coverage is not measured in its processes: that would double their time, and their code is covered by the
    tests of each domain, of the router, the workers and the commands.
    """
    settings = {"OFFLINE_PRINT_STEP_SECONDS": "0.2", "OFFLINE_WORDS_PER_SECOND": "2000"}
    with (
        _create_server_folder() as folder,
        start_blocking_portal("asyncio") as portal,
        pytest.MonkeyPatch.context() as patched,
    ):
        platform = Stack(Path(folder), ports="free", settings=settings, durable=False)
        patched.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        with portal.wrap_async_context_manager(platform) as running:
            patched.undo()
            yield running


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Names each failure when it happens: the output of a run that is ended early tells what failed."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_FailureNames(reporter))


class _FailureNames:
    def __init__(self, reporter: Any) -> None:
        self._reporter = reporter
        self._started = time.monotonic()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.failed:
            return
        elapsed = timedelta(seconds=round(time.monotonic() - self._started))
        reason = report.longreprtext.strip().rpartition("\n")[2]
        self._reporter.write_line(
            f"\n{elapsed} {report.nodeid} failed in {report.when} after {report.duration:.0f} s: {reason}"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Cancels a test that hangs in its event loop, which pytest-timeout would leave unusable for others.

    In a task of its own, what it sets in context variables does not stay for the tests that follow.
    """
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return

    @functools.wraps(test)
    async def bounded(**arguments: Any) -> None:
        async with asyncio.timeout(MAX_TEST_SECONDS):
            await asyncio.create_task(test(**arguments))

    pyfuncitem.obj = bounded


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the tests of the whole platform to one test process, so that it is started once."""
    scheduler = LoadGroupScheduling(config, log)
    scheduler._split_scope = _choose_group
    return scheduler


def _choose_group(nodeid: str) -> str:
    if nodeid.startswith(PLATFORM_TESTS):
        return "platform"
    return "fuzz" if nodeid.startswith("tests/fuzz/test_fuzz.py") else nodeid
