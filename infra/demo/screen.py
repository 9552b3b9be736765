"""What the watcher of the demonstration sees: steps as they are done, and a book as it is made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

LABEL_WIDTH = 35


@dataclass(slots=True)
class Step:
    """One step under way; `fact` is told beside it."""

    fact: str = ""


@dataclass(slots=True)
class Making:
    """How far the making of a book is, as its events tell."""

    pages: int
    pictures: int
    title: str = ""
    page_texts: dict[int, str] = field(default_factory=dict)
    current_page: int = 0
    written: int = 0
    drawn: int = 0
    last_picture: str = ""

    def write(self, page: int, words: str) -> None:
        """Add words to a page."""
        self.current_page = page
        self.page_texts[page] = self.page_texts.get(page, "") + words

    def finish_page(self, page: int, text: str) -> None:
        """A page has its whole text."""
        self.current_page = page
        self.page_texts[page] = text
        self.written += 1

    def finish_picture(self, description: str) -> None:
        """A picture is ready."""
        self.drawn += 1
        self.last_picture = description


class Screen:
    """The terminal, or any other output: there, only what is finished is told."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._label = ""
        self._step = Step()
        self._spinner = Spinner("dots")
        self._making: Making | None = None

    @contextmanager
    def step(self, label: str) -> Iterator[Step]:
        """Show a step while it runs, and what came of it."""
        started = time.monotonic()
        self._label, self._step = label, Step()
        with Live(self, console=self._console, transient=True, refresh_per_second=12) as self._live:
            try:
                yield self._step
            except BaseException:
                self._console.print(Text.assemble(("✗ ", "bold red"), label))
                raise
            finally:
                self._making = None
        seconds = time.monotonic() - started
        self._console.print(_row(Text("✓", "bold green"), label, self._step.fact, f"{seconds:.1f} s"))

    def show_making(self, making: Making) -> None:
        """Show a book being made until the step ends."""
        self._making = making
        if self._live is not None:
            self._live.refresh()

    def tell(self, message: str) -> None:
        """Say something that stays on the screen."""
        self._console.print(Padding(Text(message, style="dim"), (0, 0, 0, 2)))

    def __rich__(self) -> RenderableType:
        if not self._console.is_terminal:
            return Text("")
        row = _row(self._spinner, self._label, self._step.fact, "")
        return row if self._making is None else Group(row, *_picture_of(self._making))


def _row(mark: RenderableType, label: str, fact: str, seconds: str) -> Table:
    row = Table.grid(padding=(0, 1), expand=True)
    row.add_column(width=1)
    row.add_column(width=LABEL_WIDTH)
    row.add_column(ratio=1)
    row.add_column(width=7, justify="right")
    row.add_row(mark, label, Text(fact, style="cyan"), Text(seconds, style="dim"))
    return row


def _picture_of(making: Making) -> Iterator[RenderableType]:
    bars = Progress(TextColumn("  {task.description:<9}"), BarColumn(bar_width=40), MofNCompleteColumn())
    bars.add_task("pages", total=making.pages, completed=making.written)
    bars.add_task("pictures", total=making.pictures, completed=making.drawn)
    yield bars
    if making.last_picture:
        yield Text(f"  newest picture: {making.last_picture}", style="dim", overflow="ellipsis", no_wrap=True)
    if making.current_page:
        yield Panel(
            Text(making.page_texts[making.current_page]),
            title=Text(f"{making.title or 'page'} · {making.current_page}"),
            title_align="left",
            border_style="magenta",
            width=72,
            height=8,
            padding=(1, 2),
        )
