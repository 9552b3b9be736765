"""The supervisor: restarts what crashes, later each time, and ends everything together."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from infra.local.folder import DataFolder, hold
from infra.local.guardian import Guardian
from infra.local.ports import free_port
from infra.local.process import Family, ProcessFailed, ProcessSpec, log_file
from infra.local.supervisor import Supervisor

SERVER = """
import http.server, os, sys
print("listening with", sorted(set(os.environ) - {"LC_CTYPE"}), flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
STUBBORN = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SERVER}"


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    held = hold(DataFolder(tmp_path))
    guardian = Guardian(DataFolder(tmp_path).lease)
    yield Family(guardian.process_group, held.lease_fd, DataFolder(tmp_path).logs)
    held.release()
    guardian.close()


class Heard(list[tuple[str, str]]):
    """What the supervisor told."""

    def __call__(self, name: str, message: str) -> None:
        self.append((name, message))


def server(name: str, code: str = SERVER) -> tuple[ProcessSpec, str]:
    port = free_port()
    command = [sys.executable, "-c", code, str(port)]
    return ProcessSpec(name, command, {"ONLY": "this"}, Path("/")), f"http://127.0.0.1:{port}/"


@asynccontextmanager
async def kept(supervisor: Supervisor):
    keeping = asyncio.create_task(supervisor.keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await supervisor.stop()


async def eventually(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - another process changes what it looks at
            await asyncio.sleep(0.02)


async def test_a_process_has_its_own_environment_and_nothing_more(family):
    supervisor = Supervisor(family, Heard())
    supervisor.start(*server("one"))
    async with kept(supervisor):
        await supervisor.wait_until_ready(["one"], within=30)
    assert log_file(family.logs, "one").read_text().startswith("listening with ['ONLY']\n")


async def test_a_crashed_process_is_started_again(family):
    heard = Heard()
    supervisor = Supervisor(family, heard)
    supervisor.start(*server("one"))
    async with kept(supervisor):
        await supervisor.wait_until_ready(["one"], within=30)
        first = supervisor.pids["one"]
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: supervisor.pids.get("one") not in {None, first})
        await supervisor.wait_until_ready(["one"], within=30)
        second = supervisor.pids["one"]
    assert heard == [
        ("one", "was killed by signal 9; starting it again in 0.5 s"),
        ("one", f"started again, process {second}"),
    ]


async def test_each_crash_delays_the_next_start_twice_as_long(family):
    heard = Heard()
    supervisor = Supervisor(family, heard)
    spec = ProcessSpec("broken", [sys.executable, "-c", "raise SystemExit(3)"], {}, Path("/"))
    supervisor.start(spec, "http://127.0.0.1:1/")
    async with kept(supervisor):
        await eventually(lambda: len([message for _, message in heard if message.startswith("ended")]) == 3)
    assert [message for _, message in heard if message.startswith("ended")] == [
        "ended with code 3; starting it again in 0.5 s",
        "ended with code 3; starting it again in 1 s",
        "ended with code 3; starting it again in 2 s",
    ]


async def test_a_process_that_ends_before_it_is_ready_fails_with_its_last_words(family):
    supervisor = Supervisor(family, Heard())
    code = "print('no such setting: PORT'); raise SystemExit(2)"
    spec = ProcessSpec("broken", [sys.executable, "-c", code], {}, Path("/"))
    supervisor.start(spec, "http://127.0.0.1:1/")
    with pytest.raises(ProcessFailed, match=r"(?s)broken ended with code 2 .*no such setting: PORT"):
        await supervisor.wait_until_ready(["broken"], within=30)
    await supervisor.stop()


async def test_a_process_that_never_gets_ready_fails(family):
    supervisor = Supervisor(family, Heard())
    spec = ProcessSpec("silent", ["sleep", "60"], {"PATH": os.environ["PATH"]}, Path("/"))
    supervisor.start(spec, "http://127.0.0.1:1/")
    with pytest.raises(ProcessFailed, match="silent was not ready in time"):
        await supervisor.wait_until_ready(["silent"], within=0.2)
    await supervisor.stop()


async def test_stopping_ends_all_processes_and_kills_the_stubborn(family, monkeypatch):
    monkeypatch.setattr("infra.local.supervisor.STOP_WITHIN", 0.5)
    heard = Heard()
    supervisor = Supervisor(family, heard)
    supervisor.start(*server("polite"))
    supervisor.start(*server("stubborn", STUBBORN))
    await supervisor.wait_until_ready(["polite", "stubborn"], within=30)
    await supervisor.stop()
    assert supervisor.pids == {}
    assert heard == [("stubborn", "did not stop in time and was killed")]


async def test_the_last_run_s_logs_are_set_aside(family):
    for run in range(5):
        supervisor = Supervisor(family, Heard())
        code = f"import time; print('run {run}', flush=True); time.sleep(60)"
        supervisor.start(ProcessSpec("one", [sys.executable, "-c", code], {}, Path("/")), "")
        await eventually(lambda run=run: log_file(family.logs, "one").read_text() == f"run {run}\n")
        await supervisor.stop()
    kept_logs = {file.name: file.read_text().strip() for file in family.logs.iterdir()}
    assert kept_logs == {"one.log": "run 4", "one.1.log": "run 3", "one.2.log": "run 2", "one.3.log": "run 1"}
