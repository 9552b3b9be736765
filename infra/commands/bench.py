"""`memorable bench`: measure a platform of its own, and print the figures."""

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

from infra.bench import measures, setup
from infra.bench.measures import Memory, RouterCost
from infra.bench.parent import Generated, Parent
from infra.console import console, say
from infra.demo.client import GraphClient
from infra.local import Stack

SETTLING = 5.0


def bench(
    set_up: Annotated[
        bool, typer.Option("--setup/--no-setup", help="Also install a fresh clone with empty caches.")
    ] = True,
) -> None:
    """Measure set-up, time to a book, router CPU, SQL statements, typesetting and memory."""
    with tempfile.TemporaryDirectory(prefix="memorable-bench-") as name:
        folder = Path(name)
        console.print(f"{platform.platform()}, Python {platform.python_version()}", style="dim")
        if set_up:
            say("bench", "installing a fresh clone")
            _show("Cold set-up", {"packages of a fresh clone": f"{setup.install(folder):.1f} s"})
        asyncio.run(_measure(folder / "platform"))


async def _measure(data_dir: Path) -> None:
    say("bench", "starting a platform of its own")
    started = time.perf_counter()
    async with Stack(data_dir, ports="free") as stack:
        first_start = time.perf_counter() - started
        graph = GraphClient(stack.graphql_url)
        parent = Parent(graph)
        await parent.arrive()
        say("bench", "filling a shelf with 100 books, the newest two made: to warm up, and to be measured")
        for number in range(max(measures.SIZES) - 2):
            await parent.create_book(f"book {number}")
        await parent.generate(await parent.create_book("to sail home"))
        book_id = await parent.create_book("to find out where the moon sleeps")
        generated = await parent.generate(book_id)
        await parent.order(book_id)
        say("bench", "asking the widest query again and again")
        cost = await measures.router_cost(stack, parent)
        statements = await measures.statements_per_fetch(stack, parent)
        typesetting = await measures.typesetting_seconds(stack)
        await graph.close()
        await asyncio.sleep(SETTLING)
        memory = measures.memory(stack)
    _show("Start", {"first start: database made, 9 processes ready": f"{first_start:.1f} s"})
    _show_book(generated, typesetting)
    _show_router(cost)
    _show_statements(statements)
    _show_memory(memory)


def _show_book(generated: Generated, typesetting: float) -> None:
    _show(
        "A book, from generateBook on",
        {
            "first event": f"{generated.first_event * 1000:.0f} ms",
            "first words": f"{generated.first_words * 1000:.0f} ms",
            "first picture": f"{generated.first_picture:.2f} s",
            "finished: 14 texts, 15 pictures": f"{generated.finished:.1f} s",
            "typesetting: interior of 32 pages, and cover": f"{typesetting:.2f} s",
        },
    )


def _show_router(cost: RouterCost) -> None:
    _show(
        "The widest query, over all five subgraphs; per request",
        {
            "router CPU": f"{cost.cpu_milliseconds:.2f} ms",
            "subgraph CPU, all five": f"{cost.subgraph_cpu_milliseconds:.2f} ms",
            "the router's part of the CPU": f"{cost.cpu_milliseconds / cost.total:.0%}",
            "answer time": f"{cost.milliseconds:.1f} ms",
        },
    )


def _show_statements(statements: Mapping[str, Sequence[float]]) -> None:
    table = Table("subgraph", title="SQL statements per fetch", title_justify="left", min_width=60)
    for size in measures.SIZES:
        table.add_column(f"{size} book{'s' if size > 1 else ''}", justify="right")
    for domain, counts in statements.items():
        table.add_row(domain, *(f"{count:g}" for count in counts))
    console.print(table)


def _show_memory(memory: Sequence[Memory]) -> None:
    table = Table("process", title="Memory at rest", title_justify="left", show_footer=True, min_width=60)
    table.columns[0].footer = "together"
    for name, amount in (("resident", "resident"), ("proportional", "share")):
        whole = sum(getattr(process, amount) for process in memory)
        table.add_column(name, justify="right", footer=f"{whole:.0f} MiB")
    for process in memory:
        table.add_row(process.process, f"{process.resident:.0f} MiB", f"{process.share:.0f} MiB")
    console.print(table)


def _show(title: str, figures: Mapping[str, str]) -> None:
    table = Table("", "", title=title, title_justify="left", show_header=False, min_width=60)
    table.columns[1].justify = "right"
    for name, figure in figures.items():
        table.add_row(name, figure)
    console.print(table)
