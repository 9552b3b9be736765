"""`memorable run` and `memorable dev`: the platform, or one of its processes, in this terminal."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated

import typer
from rich.panel import Panel
from rich.table import Table

from infra import explorer
from infra.checkout import DATA_DIR, ROOT
from infra.console import Tail, console, log_line, say
from infra.errors import InfraError
from infra.local import Servers, Stack, environment
from infra.local.ports import free_port
from infra.local.process import log_file
from infra.local.running import SHARED, Running, find_running, settings_of
from infra.signals import until_told_to_stop
from subgraphs.domains import DOMAINS

LOOK_EVERY = 0.2
SERVICES = ("servers", "router", *DOMAINS, "worker")
Service = Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.", metavar="SERVICE")]


def run(
    workers: Annotated[int, typer.Option(min=1, max=16, help="How many workers do the jobs.")] = 1,
    without: Annotated[
        list[str] | None, typer.Option(help="A process to leave out, to run it by `memorable dev`.")
    ] = None,
    show_logs: Annotated[bool, typer.Option("--logs/--no-logs", help="Show every process's log.")] = True,
    with_explorer: Annotated[
        bool, typer.Option("--explorer/--no-explorer", help="Build the explorer when it is not.")
    ] = True,
) -> None:
    """Start everything, and keep it running until Ctrl-C."""
    if with_explorer:
        build_explorer()
    left_out = [_known(name) for name in without or []]
    asyncio.run(
        _run(
            Stack(given=environment.given_settings(), workers=workers, without=left_out, notice=say),
            show_logs,
        )
    )


async def _run(stack: Stack, show_logs: bool) -> None:
    async with until_told_to_stop() as stopped, stack:
        console.print(_welcome(stack))
        tails = {name: Tail(log_file(stack.logs_dir, name), from_start=False) for name in stack.processes}
        while not stopped.is_set():
            if show_logs:
                _show(tails)
            await _sleep_until(stopped, LOOK_EVERY)
        say("platform", "stopping")
    say("platform", "stopped")


def _welcome(stack: Stack) -> Panel:
    grid = Table.grid(padding=(0, 3))
    grid.add_row("GraphQL endpoint", f"[bold]{stack.graphql_url}[/]")
    grid.add_row("Explorer", f"[bold]{stack.graphql_url}[/]  [dim](the same address, in a browser)[/]")
    grid.add_row("Logs", str(stack.logs_dir))
    grid.add_row("", "[dim]Ctrl-C stops everything[/]")
    return Panel(grid, title="Memorable is running", title_align="left", border_style="green", expand=False)


def build_explorer() -> None:
    """Build the explorer, unless it is built already."""
    if not explorer.is_built():
        say("platform", "building the explorer, once")
        explorer.ensure_built()


def dev(
    service: Service,
    debug: Annotated[bool, typer.Option("--debug", help="Log at level debug.")] = False,
) -> None:
    """Run one process in this terminal, and again whenever its code changes.

    It uses the servers of a platform that runs in this checkout (`memorable run --without books`, or
    `memorable dev servers` for the servers alone), or those that POSTGRES_HOST and REDIS_HOST name.
    """
    if _known(service) == "servers":
        asyncio.run(_run_servers())
        return
    running = find_running(DATA_DIR)
    if running is None:
        raise InfraError(
            "No servers run in this checkout. Start them in another terminal: memorable dev servers"
        )
    settings = settings_of(DATA_DIR, running) | ({"LOG_LEVEL": "debug"} if debug else {})
    asyncio.run(_reload(service, _command(service), _environ(service, settings)))


async def _run_servers() -> None:
    given = environment.given_settings()
    async with until_told_to_stop() as stopped:
        with Servers(DATA_DIR, given) as servers:
            from infra.database import migrate  # noqa: PLC0415 - it imports every domain's tables

            say("platform", "migrating the database")
            await asyncio.to_thread(migrate, servers.environ)
            shared = {name: servers.environ[name] for name in SHARED if name in servers.environ}
            Running(os.getpid(), "", {}, {}, shared).write(servers.folder)
            say("platform", "PostgreSQL and Valkey are running; Ctrl-C stops them")
            await stopped.wait()
            servers.folder.state.unlink(missing_ok=True)


async def _reload(service: str, command: list[str], environ: Mapping[str, str]) -> None:
    from watchfiles import PythonFilter, awatch  # noqa: PLC0415 - only this command watches files

    async with until_told_to_stop() as stopped:
        folders = [ROOT / name for name in ("router", "subgraphs", "workers")]
        process = _start(command, environ)
        try:
            async for _ in awatch(*folders, watch_filter=PythonFilter(), stop_event=stopped):
                say(service, "the code has changed; starting again")
                await asyncio.to_thread(_end, process)
                process = _start(command, environ)
        finally:
            _end(process)


def _start(command: list[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=dict(environ), cwd=ROOT)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _command(service: str) -> list[str]:
    match service:
        case "router":
            return [sys.executable, "-m", "router"]
        case "worker":
            return [sys.executable, "-m", "workers"]
        case _:
            return [sys.executable, "-m", "subgraphs", service]


def _environ(service: str, settings: Mapping[str, str]) -> dict[str, str]:
    match service:
        case "router":
            return environment.router_environ(settings)
        case "worker":
            return environment.worker_environ(settings, free_port())
        case _:
            return environment.subgraph_environ(service, settings)


def _known(service: str) -> str:
    if service not in SERVICES:
        raise InfraError(f"There is no process {service!r}; there are {', '.join(SERVICES)}.")
    return service


async def _sleep_until(stopped: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopped.wait()


def _show(tails: Mapping[str, Tail]) -> None:
    for name, tail in tails.items():
        for line in tail.lines():
            console.print(log_line(name, line), soft_wrap=True)
