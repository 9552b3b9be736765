"""The server of a subgraph: where it listens, its limit of open files, and errors in coroutines."""

import asyncio
import os
import resource
import sys
import warnings
from collections.abc import Generator, Mapping
from types import FunctionType
from typing import Any, cast

import psutil
import pytest

from infra.checkout import ROOT
from infra.local.ports import find_free_port
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


def find_listeners(pid: int) -> set[tuple[str, int]]:
    connections = psutil.Process(pid).net_connections("inet")
    return {cast("Any", each.laddr)[:2] for each in connections if each.status == psutil.CONN_LISTEN}


async def test_a_subgraph_and_its_metrics_listen_on_loopback_wherever_the_router_listens(
    servers: Mapping[str, str],
) -> None:
    ports = {"PRINT_SERVICE_PORT": find_free_port(), "METRICS_PORT": find_free_port()}
    chosen = {name: str(port) for name, port in ports.items()}
    environ = {name: value for name, value in servers.items() if name != "SUBGRAPH_HOST"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "subgraphs", "print"),
        cwd=ROOT,
        env={**os.environ, **environ, **chosen, "HOST": "0.0.0.0"},  # noqa: S104 - it is for the router
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(60):
            while len(found := find_listeners(process.pid)) < len(ports):  # noqa: ASYNC110 - it starts
                await asyncio.sleep(0.05)
    finally:
        process.kill()
        await process.wait()
    assert found == {("127.0.0.1", port) for port in ports.values()}


def test_the_process_may_open_as_many_files_as_the_hard_limit_allows() -> None:
    limits = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    try:
        raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
