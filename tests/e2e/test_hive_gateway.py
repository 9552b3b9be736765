"""Another federation router in our router's place: Hive Gateway on the supergraph as it is checked in.

What passes here needs nothing of our own between a client and the subgraphs: the graph is standard
Federation 2, and its subscriptions are Server-Sent Events as any server sends them. What the subgraphs ask of
the graph themselves goes through the platform's own router, which is started before.
"""

import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from infra.checkout import ROOT
from infra.local import Stack
from infra.local.ports import find_free_port
from infra.node import ensure_packages, find_installation
from subgraphs.domains import DOMAINS
from tests.e2e.conftest import FinishedBook
from tests.e2e.journeys import check_everything_query, order_printed_book
from tests.e2e.parent_client import ParentClient, open_client

PROJECT = Path(__file__).parent / "hive_gateway"
READY_WITHIN = 60


@pytest.fixture(scope="module")
def hive_gateway(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of Hive Gateway before the platform's subgraphs."""
    ensure_packages(PROJECT)
    folder, port = tmp_path_factory.mktemp("hive"), find_free_port()
    (folder / "supergraph.graphql").write_text(build_supergraph(stack))
    command = [
        str(find_installation() / "bin" / "node"),
        *(str(PROJECT / "node_modules" / ".bin" / "hive-gateway"), "supergraph"),
        *(str(folder / "supergraph.graphql"), "--config-path", str(PROJECT / "gateway.config.mjs")),
        *("--host", "127.0.0.1", "--port", str(port)),
    ]
    with (folder / "log").open("wb") as log:
        environ = build_environment() | {"SERVICE_TOKEN": stack.environ["SERVICE_TOKEN"]}
        process = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log, env=environ)
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}/readiness", folder / "log")
        yield f"http://127.0.0.1:{port}/graphql"
    finally:
        process.terminate()
        process.wait()


def build_supergraph(stack: Stack) -> str:
    """The supergraph with the addresses that the platform's subgraphs have this time."""
    text = (ROOT / "schema" / "supergraph.graphql").read_text()
    for index, domain in enumerate(DOMAINS):
        default = f"http://127.0.0.1:{3001 + index}/graphql"
        assert text.count(default) == 1
        text = text.replace(default, stack.environ[DOMAINS[domain].url_variable])
    return text


def build_environment() -> dict[str, str]:
    """The environment variables that Node needs."""
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            if httpx2.get(url).status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture
async def parent(hive_gateway: str) -> AsyncIterator[ParentClient]:
    """A parent with both consents who knows no other endpoint than Hive Gateway's."""
    async with open_client(hive_gateway) as parent:
        await parent.sign_up("CHILD_PROFILE", "AI_PROCESSING")
        yield parent


async def test_a_book_is_ordered_through_another_router(parent: ParentClient) -> None:
    await order_printed_book(parent)


async def test_another_router_joins_all_five_subgraphs(
    finished_book: FinishedBook, hive_gateway: str
) -> None:
    await check_everything_query(replace(finished_book.parent, url=hive_gateway), finished_book.book_id)
