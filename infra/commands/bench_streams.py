"""`memorable bench-streams`: measure many live streams through the whole platform."""

from __future__ import annotations

import asyncio
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.table import Table

from infra.bench.streams.load import Load
from infra.bench.streams.measurements import (
    GENERATIONS,
    AdmissionFigures,
    FanOutFigures,
    IdleFigures,
    StreamBench,
    build_settings,
    count_files,
)
from infra.bench.streams.watchers import raise_file_limit
from infra.console import console, print_status
from infra.local import Stack


def bench_streams(
    idle: Annotated[int, typer.Option(min=3, help="Number of idle watchers.")] = 3000,
    fan_out: Annotated[int, typer.Option(min=10, help="Number of watchers of one book.")] = 1000,
    seconds: Annotated[float, typer.Option(min=1, help="How long idle watchers are measured.")] = 30,
) -> None:
    """Measure live streams: what idle ones cost, how late many of one book are, and refusals."""
    limit, beyond = _compute_limit(idle, fan_out)
    raise_file_limit(count_files(limit, beyond))
    console.print(f"{platform.platform()}, Python {platform.python_version()}", style="dim")
    with tempfile.TemporaryDirectory(prefix="memorable-bench-") as name:
        work = _measure(Path(name), idle, fan_out, seconds)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)


async def _measure(data_dir: Path, idle: int, fan_out: int, seconds: float) -> None:
    limit, beyond = _compute_limit(idle, fan_out)
    print_status("bench", "starting a platform")
    settings = build_settings(limit, beyond)
    async with Stack(data_dir, ports="free", settings=settings) as stack, StreamBench.of(stack) as bench:
        print_status("bench", "making a book to warm up")
        await bench.warm_up()
        counts = (0, idle // 3, idle)
        print_status("bench", f"following {GENERATIONS} generations that do not move")
        _show_idle(await bench.measure_idle(counts, seconds))
        for watchers, are_alike in ((fan_out, True), (fan_out // 10, False)):
            clients = "one client" if are_alike else f"{watchers} clients"
            print_status("bench", f"making a book that {watchers} watchers of {clients} follow")
            _show_fan_out(clients, await bench.measure_fan_out(watchers, are_alike=are_alike))
        print_status("bench", f"opening {beyond} watchers more than a client may have")
        _show_admission(await bench.measure_admission(limit, beyond))


def _compute_limit(idle: int, fan_out: int) -> tuple[int, int]:
    """Compute how many watchers one client may have, and how many more it opens."""
    limit = max(idle, fan_out)
    return limit, limit // 6


def _show_idle(figures: Sequence[IdleFigures]) -> None:
    table = Table("", title="Idle watchers", title_justify="left", min_width=60)
    for each in figures:
        table.add_column(f"{each.watchers}", justify="right")
    for process in ("router", "ai"):
        table.add_row(f"CPU of {process}", *(_format_cpu(each.load, process) for each in figures))
    table.add_row("SQL statements of ai per second", *(f"{each.load.statements:.1f}" for each in figures))
    table.add_row("Valkey commands per second", *(f"{each.load.commands:.1f}" for each in figures))
    for process in ("router", "ai"):
        memory = (f"{each.kibibytes[process]:.1f} KiB" if each.watchers else "" for each in figures)
        table.add_row(f"memory of {process} per watcher", *memory)
    console.print(table)


def _show_fan_out(clients: str, figures: FanOutFigures) -> None:
    table = _create_table(f"{figures.watchers} watchers of one book, {clients}")
    table.add_row("events", f"{figures.events}")
    table.add_row("until the last watcher has the end", f"{figures.seconds:.1f} s")
    table.add_row("last watcher after the first, median", f"{figures.delay_milliseconds[0]:.0f} ms")
    table.add_row("last watcher after the first, max", f"{figures.delay_milliseconds[1]:.0f} ms")
    table.add_row("last end after the first", f"{figures.end_milliseconds:.0f} ms")
    for process in ("router", "ai"):
        table.add_row(f"CPU of {process}", _format_cpu(figures.load, process))
    console.print(table)


def _show_admission(figures: AdmissionFigures) -> None:
    table = _create_table("Watchers beyond the limit of a client")
    table.add_row("accepted", f"{figures.accepted}")
    for code, count in figures.refusals.items():
        table.add_row(f"refused with {code}", f"{count}")
    table.add_row("refusal, all coming at once", _format_pair(figures.refusal_milliseconds))
    table.add_row("refusal, the limit reached before", _format_pair(figures.later_refusal_milliseconds))
    table.add_row("router CPU of a refusal", f"{figures.refusal_cpu_milliseconds:.2f} ms")
    for when, pair in (
        ("before", figures.query_before),
        ("while they come", figures.query_during),
        ("afterwards", figures.query_after),
    ):
        table.add_row(f"a query {when}", _format_pair(pair))
    table.add_row("accepted ones with all events", f"{figures.completed / max(figures.accepted, 1):.0%}")
    table.add_row("accepted afterwards", f"{figures.accepted_again}")
    console.print(table)


def _create_table(title: str) -> Table:
    table = Table("", "", title=title, title_justify="left", show_header=False, min_width=60)
    table.columns[1].justify = "right"
    return table


def _format_cpu(load: Load, process: str) -> str:
    return f"{load.cpu[process]:.1%}"


def _format_pair(pair: tuple[float, float]) -> str:
    return f"{pair[0]:.0f} ms, max {pair[1]:.0f} ms"
