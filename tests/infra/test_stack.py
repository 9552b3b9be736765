"""The whole platform: readiness, restarts, and partial platforms."""

import asyncio
import os
import signal

import httpx2
import pytest

from infra.errors import InfraError
from infra.local import Stack
from infra.local.stack import compute_stop_timeout
from infra.local.state import find_platform_state
from tests.support.waiting import wait_until

TIMEOUT = 60.0


async def wait_until_all_are_ready(stack: Stack) -> None:
    waiting = [url for name, url in stack.urls.items() if not name.startswith("worker")]
    async with httpx2.AsyncClient(timeout=5) as client, asyncio.timeout(TIMEOUT):
        while waiting:
            waiting = [url for url in waiting if not await is_ready(client, url)]
            await asyncio.sleep(0.05)


async def is_ready(client: httpx2.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/health/ready")).status_code == 200
    except httpx2.HTTPError:
        return False


async def test_everything_runs_and_is_ready(stack):
    assert set(stack.processes) == {
        *("postgres", "valkey", "auth", "books", "ai", "orders", "print", "router", "worker")
    }
    await wait_until_all_are_ready(stack)


@pytest.mark.parametrize("name", ["print", "router", "valkey", "postgres"])
async def test_a_killed_process_is_restarted(stack, name):
    dead = stack.processes[name]
    os.kill(dead, signal.SIGKILL)
    await wait_until(lambda: stack.processes.get(name) not in {None, dead})
    await wait_until_all_are_ready(stack)


def test_the_state_file_contains_urls_and_no_secrets(stack):
    folder = stack.logs_dir.parent
    state = find_platform_state(folder)
    assert state is not None
    assert state.graphql_url == stack.graphql_url
    assert dict(state.urls) == stack.urls
    content = (folder / "platform.json").read_text()
    secrets = [
        value for name, value in stack.environ.items() if "PASSWORD" in name or name == "FILE_SIGNING_KEY"
    ]
    assert len(secrets) == 8
    assert not [secret for secret in secrets if secret in content]


def test_a_worker_has_time_to_finish_what_it_has_begun_before_it_is_killed():
    assert compute_stop_timeout({}) > 60
    assert compute_stop_timeout({"WORKER_DRAIN_SECONDS": "300"}) > 300


async def test_a_process_that_cannot_start_reports_why(tmp_path):
    broken = Stack(tmp_path, ports="free", settings={"LOG_LEVEL": "loud"}, durable=False)
    with pytest.raises(InfraError, match=r"(?s)exited with code 1 before it was ready.*LOG_LEVEL"):
        await broken.start()
    assert broken.processes == {}


@pytest.mark.parametrize("port", ["1", "six"])
async def test_a_redis_that_does_not_answer_is_named_at_once(tmp_path, port):
    settings = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": port}
    with pytest.raises(InfraError, match=rf"Redis at 127.0.0.1:{port} \(REDIS_HOST, REDIS_PORT\)"):
        await Stack(tmp_path, ports="free", settings=settings, durable=False).start()


async def test_processes_can_be_left_out_and_workers_added(tmp_path):
    stack = Stack(
        tmp_path, ports="free", without=["auth", "books", "ai", "orders", "router"], workers=2, durable=False
    )
    async with stack:
        assert set(stack.processes) == {"postgres", "valkey", "print", "worker-1", "worker-2"}
    assert stack.processes == {}
