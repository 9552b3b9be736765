"""The server of a subgraph: its limit of open files, and errors in coroutines that nobody awaits."""

import resource
import sys
import warnings
from collections.abc import Generator
from types import FunctionType

import pytest

from subgraphs.common.server import ignore_unawaited_coroutines, raise_file_limit

# Like the constructor of a named tuple, it has no builtins, and a warning in it fails.
make_and_drop = FunctionType((lambda make: make() and None).__code__, {"__builtins__": {}})


class Pause:
    def __await__(self) -> Generator[None, None, None]:
        yield


async def work() -> None:
    try:
        await Pause()
    finally:
        raise ValueError("the cause")


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> Generator[list[type[BaseException] | None]]:
    errors: list[type[BaseException] | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda error: errors.append(error.exc_type))
    with warnings.catch_warnings():
        yield errors


def test_a_coroutine_that_was_never_started_is_not_reported(
    reported: list[type[BaseException] | None],
) -> None:
    make_and_drop(work)
    assert KeyError in reported

    reported.clear()
    ignore_unawaited_coroutines()
    make_and_drop(work)
    work()  # type: ignore[unused-coroutine]
    assert reported == []


def test_an_error_of_a_started_coroutine_is_reported(reported: list[type[BaseException] | None]) -> None:
    ignore_unawaited_coroutines()
    coroutine = work()
    coroutine.send(None)
    del coroutine
    assert reported == [ValueError]


def test_the_process_may_open_as_many_files_as_the_hard_limit_allows() -> None:
    limits = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    try:
        raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
