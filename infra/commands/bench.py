"""`memorable bench`: start a platform and measure what it costs."""

from __future__ import annotations

import asyncio
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from infra.bench import measurements, setup
from infra.bench.measurements import Memory, RouterCost
from infra.bench.parent import GenerationTimings, Parent
from infra.console import console, print_status
from infra.demo.client import GraphClient
from infra.local import Stack

SETTLE_SECONDS = 5.0


def bench(
    set_up: Annotated[
        bool,
        typer.Option("--setup/--no-setup", help="Also time the set-up of a fresh clone with empty caches."),
    ] = True,
) -> None:
    """Measure set-up, time to a book and to its print files, router CPU, SQL statements and memory."""
    with tempfile.TemporaryDirectory(prefix="memorable-bench-") as name:
        folder = Path(name)
        console.print(f"{platform.platform()}, Python {platform.python_version()}", style="dim")
        if set_up:
            print_status("bench", "setting up a fresh clone")
            _show("Cold set-up", {"install the locked dependencies": f"{setup.time_setup(folder):.1f} s"})
        asyncio.run(_measure(folder / "platform"))


async def _measure(data_dir: Path) -> None:
    print_status("bench", "starting a platform")
    started = time.perf_counter()
    async with Stack(data_dir, ports="free") as stack:
        first_start = time.perf_counter() - started
        graph = GraphClient(stack.graphql_url)
        parent = Parent(graph)
        await parent.sign_up()
        print_status("bench", "creating 100 books and generating two: one to warm up, one to measure")
        for number in range(max(measurements.BOOK_COUNTS) - 2):
            await parent.create_book(f"book {number}")
        await parent.generate(await parent.create_book("to sail home"))
        book_id = await parent.create_book("to find out where the moon sleeps")
        generated = await parent.generate(book_id)
        snapshot_id = await parent.approve(book_id)
        typesetting = await measurements.measure_typesetting(parent, snapshot_id)
        await parent.order(book_id, snapshot_id)
        print_status("bench", "repeating the widest query")
        cost = await measurements.measure_router_cost(stack, parent)
        statements = await measurements.count_statements_per_fetch(stack, parent)
        await graph.close()
        await asyncio.sleep(SETTLE_SECONDS)
        memory = measurements.measure_memory(stack)
    _show("Start", {"first start, until 9 processes are ready": f"{first_start:.1f} s"})
    _show_book(generated, typesetting)
    _show_router(cost)
    _show_statements(statements)
    _show_memory(memory)


def _show_book(generated: GenerationTimings, typesetting: float) -> None:
    _show(
        "A book, timed from generateBook",
        {
            "first event": f"{generated.first_event * 1000:.0f} ms",
            "first words": f"{generated.first_words * 1000:.0f} ms",
            "first picture": f"{generated.first_picture:.2f} s",
            "finished (14 texts, 15 pictures)": f"{generated.finished:.1f} s",
        },
    )
    _show(
        "Its print files, timed from the response of approveBook",
        {"interior of 32 pages and cover": f"{typesetting:.2f} s"},
    )


def _show_router(cost: RouterCost) -> None:
    _show(
        "The widest query over all five subgraphs, per request",
        {
            "router CPU": f"{cost.cpu_milliseconds:.2f} ms",
            "CPU of the five subgraphs": f"{cost.subgraph_cpu_milliseconds:.2f} ms",
            "router's share of the CPU": f"{cost.cpu_milliseconds / cost.total:.0%}",
            "response time": f"{cost.milliseconds:.1f} ms",
        },
    )


def _show_statements(statements: Mapping[str, Sequence[float]]) -> None:
    table = Table("subgraph", title="SQL statements per fetch", title_justify="left", min_width=60)
    for size in measurements.BOOK_COUNTS:
        table.add_column(f"{size} book{'s' if size > 1 else ''}", justify="right")
    for domain, counts in statements.items():
        table.add_row(domain, *(f"{count:g}" for count in counts))
    console.print(table)


def _show_memory(memory: Sequence[Memory]) -> None:
    table = Table("process", title="Memory when idle", title_justify="left", show_footer=True, min_width=60)
    table.columns[0].footer = "total"
    for name, field in (("resident", "resident"), ("proportional", "share")):
        total = sum(getattr(process, field) for process in memory)
        table.add_column(name, justify="right", footer=f"{total:.0f} MiB")
    for process in memory:
        table.add_row(process.process, f"{process.resident:.0f} MiB", f"{process.share:.0f} MiB")
    console.print(table)


def _show(title: str, figures: Mapping[str, str]) -> None:
    table = Table("", "", title=title, title_justify="left", show_header=False, min_width=60)
    table.columns[1].justify = "right"
    for name, figure in figures.items():
        table.add_row(name, figure)
    console.print(table)
