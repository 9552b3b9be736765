"""`memorable demo`: the whole main job, played on this machine."""

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
from infra.demo.play import Play, PrintFiles
from infra.demo.screen import Screen
from infra.errors import InfraError
from infra.local import Stack, environment
from infra.local.folder import DataFolder, is_held
from infra.local.running import Running, find_running
from infra.signals import until_told_to_stop

STARTING_MAY_TAKE = 120.0


def demo(
    child: Annotated[str, typer.Option(envvar="CHILD", help="The child's name.")] = "Mila",
    wish: Annotated[str, typer.Option(envvar="WISH", help="What the book is to be about.")] = (
        "to find out where the moon sleeps"
    ),
) -> None:
    """Sign up, make a book, edit it, approve it, pay, and see it printed: over the public endpoint only."""
    asyncio.run(_demo(child, wish))


async def _demo(child: str, wish: str) -> None:
    started = time.monotonic()
    screen = Screen(console)
    async with until_told_to_stop() as stopped:
        playing = asyncio.create_task(_play(screen, child, wish))
        stopping = asyncio.create_task(stopped.wait())
        await asyncio.wait([playing, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            raise InfraError("Stopped before the book was finished.")
        stopping.cancel()
        console.print(_ending(playing.result(), time.monotonic() - started))


async def _play(screen: Screen, child: str, wish: str) -> PrintFiles:
    async with _platform(screen) as url:
        graph = GraphClient(url)
        try:
            return await Play(graph, screen, child, wish).run(DATA_DIR / "demo")
        finally:
            await graph.close()


@asynccontextmanager
async def _platform(screen: Screen) -> AsyncIterator[str]:
    """The endpoint of the platform that runs in this checkout, or of one for the while."""
    if is_held(DataFolder(DATA_DIR)):
        with screen.step("Join the running platform") as step:
            url = step.fact = (await _published()).graphql_url
        yield url
        return
    with screen.step("Start the platform") as step:

        def show(name: str, message: str) -> None:
            step.fact = message if name == "platform" else f"{name}: {message}"

        stack = Stack(given=environment.given_settings(), notice=show)
        await stack.start()
        step.fact = f"PostgreSQL, Valkey, five subgraphs, router and worker at {stack.graphql_url}"
    try:
        yield stack.graphql_url
    finally:
        with screen.step("Stop everything"):
            await stack.stop()


async def _published() -> Running:
    """Wait for the platform to be up: it may be starting at this moment."""
    deadline = time.monotonic() + STARTING_MAY_TAKE
    while time.monotonic() < deadline:
        running = find_running(DATA_DIR)
        if running is not None and running.graphql_url:
            return running
        await asyncio.sleep(0.5)
    raise InfraError(f"Something holds {DATA_DIR}, but no platform answers there.")


def _ending(files: PrintFiles, seconds: float) -> Panel:
    lines = [("interior  ", files.interior), ("cover     ", files.cover)]
    text = Text("\n").join(Text.assemble((name, "dim"), (_short(path), "bold")) for name, path in lines)
    title = f"The book is printed and on its way; {seconds:.0f} s"
    return Panel(text, title=title, title_align="left", border_style="green", expand=False, padding=(1, 2))


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
