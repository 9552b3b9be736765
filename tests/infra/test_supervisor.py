"""The supervisor: restarts crashed processes with growing delays, and stops all of them together."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from infra.local.folder import DataFolder, acquire
from infra.local.guardian import Guardian
from infra.local.ports import find_free_port
from infra.local.process import ProcessContext, ProcessFailed, ProcessSpec, get_log_file
from infra.local.supervisor import Supervisor
from tests.support.waiting import wait_until

SERVER = """
import http.server, os, sys
print("listening with", sorted(set(os.environ) - {"LC_CTYPE"}), flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
STOP_TIMEOUT = 8.0
STUBBORN = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SERVER}"


@pytest.fixture
def process_context(tmp_path: Path) -> Iterator[ProcessContext]:
    locks = acquire(DataFolder(tmp_path))
    guardian = Guardian(DataFolder(tmp_path).lease)
    yield ProcessContext(guardian.process_group, locks.lease_fd, DataFolder(tmp_path).logs)
    locks.release()
    guardian.close()


class StatusMessages(list[tuple[str, str]]):
    """The status messages received from the supervisor."""

    def __call__(self, name: str, message: str) -> None:
        self.append((name, message))


def build_server(name: str, code: str = SERVER) -> tuple[ProcessSpec, str]:
    port = find_free_port()
    command = [sys.executable, "-c", code, str(port)]
    return ProcessSpec(name, command, {"ONLY": "this"}, Path("/")), f"http://127.0.0.1:{port}/"


@asynccontextmanager
async def run(supervisor: Supervisor):
    supervision = asyncio.create_task(supervisor.run())
    try:
        yield
    finally:
        supervision.cancel()
        await asyncio.gather(supervision, return_exceptions=True)
        await supervisor.stop()


async def test_a_process_receives_exactly_its_environment(process_context):
    supervisor = Supervisor(process_context, StatusMessages(), STOP_TIMEOUT)
    supervisor.start(*build_server("one"))
    async with run(supervisor):
        await supervisor.wait_until_ready(["one"], within=30)
    assert get_log_file(process_context.logs, "one").read_text().startswith("listening with ['ONLY']\n")


async def test_a_crashed_process_is_restarted(process_context):
    messages = StatusMessages()
    supervisor = Supervisor(process_context, messages, STOP_TIMEOUT)
    supervisor.start(*build_server("one"))
    async with run(supervisor):
        await supervisor.wait_until_ready(["one"], within=30)
        first = supervisor.pids["one"]
        os.kill(first, signal.SIGKILL)
        await wait_until(lambda: supervisor.pids.get("one") not in {None, first})
        await supervisor.wait_until_ready(["one"], within=30)
        second = supervisor.pids["one"]
    assert messages == [
        ("one", "killed by signal 9; restarting in 0.5 s"),
        ("one", f"restarted as process {second}"),
    ]


async def test_each_crash_doubles_the_restart_delay(process_context):
    messages = StatusMessages()
    supervisor = Supervisor(process_context, messages, STOP_TIMEOUT)
    spec = ProcessSpec("broken", [sys.executable, "-c", "raise SystemExit(3)"], {}, Path("/"))
    supervisor.start(spec, "http://127.0.0.1:1/")
    async with run(supervisor):
        await wait_until(
            lambda: len([message for _, message in messages if message.startswith("exited")]) == 3
        )
    assert [message for _, message in messages if message.startswith("exited")] == [
        "exited with code 3; restarting in 0.5 s",
        "exited with code 3; restarting in 1 s",
        "exited with code 3; restarting in 2 s",
    ]


async def test_a_process_that_ends_before_it_is_ready_fails_with_the_end_of_its_log(process_context):
    supervisor = Supervisor(process_context, StatusMessages(), STOP_TIMEOUT)
    code = "print('no such setting: PORT'); raise SystemExit(2)"
    spec = ProcessSpec("broken", [sys.executable, "-c", code], {}, Path("/"))
    supervisor.start(spec, "http://127.0.0.1:1/")
    with pytest.raises(ProcessFailed, match=r"(?s)broken exited with code 2 .*no such setting: PORT"):
        await supervisor.wait_until_ready(["broken"], within=30)
    await supervisor.stop()


async def test_a_process_that_never_gets_ready_fails(process_context):
    supervisor = Supervisor(process_context, StatusMessages(), STOP_TIMEOUT)
    spec = ProcessSpec("silent", ["sleep", "60"], {"PATH": os.environ["PATH"]}, Path("/"))
    supervisor.start(spec, "http://127.0.0.1:1/")
    with pytest.raises(ProcessFailed, match="silent was not ready in time"):
        await supervisor.wait_until_ready(["silent"], within=0.2)
    await supervisor.stop()


async def test_a_process_that_ignores_sigterm_is_killed(process_context):
    messages = StatusMessages()
    supervisor = Supervisor(process_context, messages, stop_timeout=0.5)
    supervisor.start(*build_server("cooperative"))
    supervisor.start(*build_server("stubborn", STUBBORN))
    await supervisor.wait_until_ready(["cooperative", "stubborn"], within=30)
    await supervisor.stop()
    assert supervisor.pids == {}
    assert messages == [("stubborn", "did not stop in time and was killed")]


def is_log(process_context: ProcessContext, text: str) -> bool:
    return get_log_file(process_context.logs, "one").read_text() == text


async def test_logs_of_earlier_runs_are_rotated(process_context):
    for run in range(5):
        supervisor = Supervisor(process_context, StatusMessages(), STOP_TIMEOUT)
        code = f"import time; print('run {run}', flush=True); time.sleep(60)"
        supervisor.start(ProcessSpec("one", [sys.executable, "-c", code], {}, Path("/")), "")
        await wait_until(partial(is_log, process_context, f"run {run}\n"))
        await supervisor.stop()
    kept_logs = {file.name: file.read_text().strip() for file in process_context.logs.iterdir()}
    assert kept_logs == {"one.log": "run 4", "one.1.log": "run 3", "one.2.log": "run 2", "one.3.log": "run 1"}
