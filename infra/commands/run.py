"""`memorable run` and `memorable dev`: run the platform, or one of its processes, in this terminal."""

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
from infra.console import console, format_log_line, print_status
from infra.errors import InfraError
from infra.local import Servers, Stack, environment
from infra.local.ports import find_free_port
from infra.local.process import get_log_file
from infra.local.state import SHARED_SETTINGS, PlatformState, find_platform_state, load_settings
from infra.log_tail import Tail
from infra.signals import stop_on_signals
from subgraphs.domains import DOMAINS

POLL_INTERVAL = 0.2
SERVICES = ("servers", "router", *DOMAINS, "worker")
Service = Annotated[str, typer.Argument(metavar="SERVICE", help=f"One of {', '.join(SERVICES)}.")]


def run(
    workers: Annotated[int, typer.Option(min=1, max=16, help="Number of workers.")] = 1,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVICE", help="A process to leave out, to run it with `memorable dev`; repeatable."
        ),
    ] = None,
    show_logs: Annotated[
        bool, typer.Option("--logs/--no-logs", help="Show the logs of all processes.")
    ] = True,
    with_explorer: Annotated[
        bool, typer.Option("--explorer/--no-explorer", help="Build the explorer if it is not up to date.")
    ] = True,
) -> None:
    """Start the platform and keep it running until Ctrl-C."""
    _require_no_platform()
    if with_explorer:
        build_explorer()
    left_out = [_check_service(name) for name in without or []]
    asyncio.run(
        _run(
            Stack(
                settings=environment.read_settings(),
                workers=workers,
                without=left_out,
                on_status=print_status,
            ),
            show_logs,
        )
    )


def _require_no_platform() -> None:
    """Refuse to start a second platform in this checkout."""
    running = find_platform_state(DATA_DIR)
    if running is not None:
        where = f" at {running.graphql_url}" if running.graphql_url else ""
        raise InfraError(
            f"The platform of this checkout is already running{where}, as process {running.pid}. "
            "Use that one, or stop it first: press Ctrl-C in its terminal."
        )


async def _run(stack: Stack, show_logs: bool) -> None:
    async with stop_on_signals() as stopped, stack:
        console.print(_render_welcome(stack))
        tails = {name: Tail(get_log_file(stack.logs_dir, name), from_start=False) for name in stack.processes}
        while not stopped.is_set():
            if show_logs:
                _show(tails)
            await _wait_for(stopped, POLL_INTERVAL)
        print_status("platform", "stopping")
    print_status("platform", "stopped")


def _render_welcome(stack: Stack) -> Panel:
    grid = Table.grid(padding=(0, 3))
    grid.add_row("GraphQL endpoint", f"[bold]{stack.graphql_url}[/]")
    grid.add_row("Explorer", f"[bold]{stack.graphql_url}[/]  [dim](same address, in a browser)[/]")
    grid.add_row("Logs", str(stack.logs_dir))
    grid.add_row("", "[dim]Press Ctrl-C to stop[/]")
    return Panel(grid, title="Memorable is running", title_align="left", border_style="green", expand=False)


def build_explorer(
    check: Annotated[bool, typer.Option("--check", help="Check the types of its sources instead.")] = False,
) -> None:
    """Build the GraphiQL explorer, unless the build is up to date."""
    if check:
        explorer.check_types()
    elif not explorer.is_built():
        print_status("platform", "building the explorer")
        explorer.ensure_built()


def dev(
    service: Service,
    debug: Annotated[bool, typer.Option("--debug", help="Log at level debug.")] = False,
) -> None:
    """Run one process in this terminal and restart it when its code changes.

    It uses the PostgreSQL and the Valkey of what runs in this checkout:
    `memorable run --without SERVICE`, or `memorable dev servers` alone.
    """
    if _check_service(service) == "servers":
        _require_no_platform()
        asyncio.run(_run_servers())
        return
    running = find_platform_state(DATA_DIR)
    if running is None:
        raise InfraError(
            "No servers are running in this checkout. Start them in another terminal: memorable dev servers"
        )
    settings = load_settings(DATA_DIR, running) | ({"LOG_LEVEL": "debug"} if debug else {})
    asyncio.run(_reload(service, _build_command(service), _build_environ(service, settings)))


async def _run_servers() -> None:
    settings = environment.read_settings()
    async with stop_on_signals() as stopped:
        with Servers(DATA_DIR, settings) as servers:
            from infra.database import migrate  # noqa: PLC0415 - it imports every domain's tables

            print_status("platform", "migrating the database")
            await asyncio.to_thread(migrate, servers.environ)
            shared = {name: servers.environ[name] for name in SHARED_SETTINGS if name in servers.environ}
            PlatformState(os.getpid(), list(servers.pids), "", {}, {}, shared).write(servers.folder)
            print_status("platform", "PostgreSQL and Valkey are running; press Ctrl-C to stop them")
            await stopped.wait()
            servers.folder.state.unlink(missing_ok=True)


async def _reload(service: str, command: list[str], environ: Mapping[str, str]) -> None:
    from watchfiles import PythonFilter, awatch  # noqa: PLC0415 - only this command watches files

    async with stop_on_signals() as stopped:
        folders = [ROOT / name for name in ("router", "subgraphs", "workers")]
        process = _start(command, environ)
        try:
            async for _ in awatch(*folders, watch_filter=PythonFilter(), stop_event=stopped):
                print_status(service, "code changed, restarting")
                await asyncio.to_thread(_stop, process)
                process = _start(command, environ)
        finally:
            _stop(process)


def _start(command: list[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=dict(environ), cwd=ROOT)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _build_command(service: str) -> list[str]:
    match service:
        case "router":
            return [sys.executable, "-m", "router"]
        case "worker":
            return [sys.executable, "-m", "workers"]
        case _:
            return [sys.executable, "-m", "subgraphs", service]


def _build_environ(service: str, settings: Mapping[str, str]) -> dict[str, str]:
    match service:
        case "router":
            return environment.build_router_environ(settings)
        case "worker":
            return environment.build_worker_environ(settings, find_free_port())
        case _:
            return environment.build_subgraph_environ(service, settings)


def _check_service(service: str) -> str:
    if service not in SERVICES:
        raise InfraError(f"Unknown process {service!r}; choose one of {', '.join(SERVICES)}.")
    return service


async def _wait_for(stopped: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopped.wait()


def _show(tails: Mapping[str, Tail]) -> None:
    for name, tail in tails.items():
        for line in tail.read_lines():
            console.print(format_log_line(name, line), soft_wrap=True)
