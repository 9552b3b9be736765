"""`memorable demo`: one book from sign-up to the shipped parcel, on this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.panel import Panel
from rich.text import Text

from infra.checkout import DATA_DIR
from infra.console import console
from infra.demo.client import GraphClient
from infra.demo.scenario import PrintFiles, Scenario
from infra.demo.screen import Screen
from infra.errors import InfraError
from infra.local import Stack, environment
from infra.local.folder import DataFolder, is_locked
from infra.local.state import PlatformState, find_platform_state
from infra.signals import stop_on_signals

START_TIMEOUT = 120.0


def demo(
    child: Annotated[str, typer.Option(envvar="CHILD", help="The child's name.")] = "Mila",
    wish: Annotated[str, typer.Option(envvar="WISH", help="What the book should be about.")] = (
        "to find out where the moon sleeps"
    ),
) -> None:
    """Make one book through the public API: sign up, generate, edit, approve, order, print."""
    asyncio.run(_demo(child, wish))


async def _demo(child: str, wish: str) -> None:
    started = time.monotonic()
    screen = Screen(console)
    async with stop_on_signals() as stopped:
        scenario = asyncio.create_task(_run_scenario(screen, child, wish))
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait([scenario, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not scenario.done():
            scenario.cancel()
            await asyncio.gather(scenario, return_exceptions=True)
            raise InfraError("Stopped before the demo was finished.")
        stopping.cancel()
        console.print(_render_summary(scenario.result(), time.monotonic() - started))


async def _run_scenario(screen: Screen, child: str, wish: str) -> PrintFiles:
    async with _open_platform(screen) as url:
        graph = GraphClient(url)
        try:
            return await Scenario(graph, screen, child, wish).run(DATA_DIR / "demo")
        finally:
            await graph.close()


@asynccontextmanager
async def _open_platform(screen: Screen) -> AsyncIterator[str]:
    """Yield the GraphQL URL of the running platform, or start one and stop it on exit."""
    if is_locked(DataFolder(DATA_DIR)):
        with screen.step("Use the running platform") as step:
            url = step.detail = (await _wait_for_platform()).graphql_url
        yield url
        return
    with screen.step("Start the platform") as step:

        def show(name: str, message: str) -> None:
            step.detail = message if name == "platform" else f"{name}: {message}"

        stack = Stack(settings=environment.read_settings(), on_status=show)
        await stack.start()
        step.detail = f"PostgreSQL, Valkey, five subgraphs, router and worker at {stack.graphql_url}"
    try:
        yield stack.graphql_url
    finally:
        with screen.step("Stop the platform"):
            await stack.stop()


async def _wait_for_platform() -> PlatformState:
    """Wait until the platform that holds the data folder is up; it may be starting."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        running = find_platform_state(DATA_DIR)
        if running is not None and running.graphql_url:
            return running
        await asyncio.sleep(0.5)
    raise InfraError(f"Another process uses {DATA_DIR}, but no platform came up within {START_TIMEOUT:g} s.")


def _render_summary(files: PrintFiles, seconds: float) -> Panel:
    lines = [("interior  ", files.interior), ("cover     ", files.cover)]
    text = Text("\n").join(Text.assemble((name, "dim"), (_format_path(path), "bold")) for name, path in lines)
    title = f"The book is printed and shipped ({seconds:.0f} s)"
    return Panel(text, title=title, title_align="left", border_style="green", expand=False, padding=(1, 2))


def _format_path(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
