"""The whole platform: what it does when a part of it dies, and when parts come and go."""

import asyncio
import os
import signal
from collections.abc import Callable

import httpx2
import pytest

from infra.errors import InfraError
from infra.local import Stack
from infra.local.running import find_running

WITHIN = 60.0


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN):
        while not condition():  # noqa: ASYNC110 - other processes change what it looks at
            await asyncio.sleep(0.05)


async def until_all_are_ready(stack: Stack) -> None:
    waiting = [url for name, url in stack.urls.items() if not name.startswith("worker")]
    async with httpx2.AsyncClient(timeout=5) as client, asyncio.timeout(WITHIN):
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
    await until_all_are_ready(stack)


@pytest.mark.parametrize("name", ["print", "router", "valkey", "postgres"])
async def test_a_process_that_dies_is_replaced_and_the_platform_is_ready_again(stack, name):
    dead = stack.processes[name]
    os.kill(dead, signal.SIGKILL)
    await eventually(lambda: stack.processes.get(name) not in {None, dead})
    await until_all_are_ready(stack)


def test_the_note_for_other_commands_holds_addresses_and_no_secret(stack):
    folder = stack.logs_dir.parent
    running = find_running(folder)
    assert running is not None
    assert running.graphql_url == stack.graphql_url
    assert dict(running.urls) == stack.urls
    note = (folder / "platform.json").read_text()
    secrets = [
        value for name, value in stack.environ.items() if "PASSWORD" in name or name == "FILE_SIGNING_KEY"
    ]
    assert len(secrets) == 8
    assert not [secret for secret in secrets if secret in note]


async def test_what_a_process_cannot_start_with_is_told(tmp_path):
    broken = Stack(tmp_path, ports="free", given={"LOG_LEVEL": "loud"}, durable=False)
    with pytest.raises(InfraError, match=r"(?s)ended with code 1 before it was ready.*LOG_LEVEL"):
        await broken.start()
    assert broken.processes == {}


async def test_a_platform_can_run_without_some_of_its_processes_and_with_more_workers(tmp_path):
    stack = Stack(
        tmp_path, ports="free", without=["auth", "books", "ai", "orders", "router"], workers=2, durable=False
    )
    async with stack:
        assert set(stack.processes) == {"postgres", "valkey", "print", "worker-1", "worker-2"}
    assert stack.processes == {}
