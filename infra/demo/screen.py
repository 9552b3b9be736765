"""The demo's terminal output: each step with its result, and the live progress of a generation."""

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
    """A running step; `detail` is shown beside its label."""

    detail: str = ""


@dataclass(slots=True)
class GenerationProgress:
    """The progress of a generation, accumulated from its events."""

    pages: int
    pictures: int
    title: str = ""
    page_texts: dict[int, str] = field(default_factory=dict)
    current_page: int = 0
    written: int = 0
    drawn: int = 0
    last_picture: str = ""

    def append_text(self, page: int, text: str) -> None:
        """Append streamed text to a page."""
        self.current_page = page
        self.page_texts[page] = self.page_texts.get(page, "") + text

    def finish_page(self, page: int, text: str) -> None:
        """Set a page's final text."""
        self.current_page = page
        self.page_texts[page] = text
        self.written += 1

    def finish_picture(self, description: str) -> None:
        """Count a finished picture."""
        self.drawn += 1
        self.last_picture = description


class Screen:
    """Prints the demo's steps; live output is shown only on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._label = ""
        self._step = Step()
        self._spinner = Spinner("dots")
        self._progress: GenerationProgress | None = None

    @contextmanager
    def step(self, label: str) -> Iterator[Step]:
        """Show a step while it runs, and its result when it ends."""
        started = time.monotonic()
        self._label, self._step = label, Step()
        with Live(self, console=self._console, transient=True, refresh_per_second=12) as self._live:
            try:
                yield self._step
            except BaseException:
                self._console.print(Text.assemble(("✗ ", "bold red"), label))
                raise
            finally:
                self._progress = None
        seconds = time.monotonic() - started
        self._console.print(_build_row(Text("✓", "bold green"), label, self._step.detail, f"{seconds:.1f} s"))

    def show_progress(self, progress: GenerationProgress) -> None:
        """Show a generation's progress until the step ends."""
        self._progress = progress
        if self._live is not None:
            self._live.refresh()

    def print_note(self, message: str) -> None:
        """Print a line that stays on the screen."""
        self._console.print(Padding(Text(message, style="dim"), (0, 0, 0, 2)))

    def __rich__(self) -> RenderableType:
        if not self._console.is_terminal:
            return Text("")
        row = _build_row(self._spinner, self._label, self._step.detail, "")
        return row if self._progress is None else Group(row, *_render_progress(self._progress))


def _build_row(mark: RenderableType, label: str, detail: str, seconds: str) -> Table:
    row = Table.grid(padding=(0, 1), expand=True)
    row.add_column(width=1)
    row.add_column(width=LABEL_WIDTH)
    row.add_column(ratio=1)
    row.add_column(width=7, justify="right")
    row.add_row(mark, label, Text(detail, style="cyan"), Text(seconds, style="dim"))
    return row


def _render_progress(progress: GenerationProgress) -> Iterator[RenderableType]:
    bars = Progress(TextColumn("  {task.description:<9}"), BarColumn(bar_width=40), MofNCompleteColumn())
    bars.add_task("texts", total=progress.pages, completed=progress.written)
    bars.add_task("pictures", total=progress.pictures, completed=progress.drawn)
    yield bars
    if progress.last_picture:
        yield Text(
            f"  latest picture: {progress.last_picture}", style="dim", overflow="ellipsis", no_wrap=True
        )
    if progress.current_page:
        yield Panel(
            Text(progress.page_texts[progress.current_page]),
            title=Text(f"{progress.title or 'page'} · {progress.current_page}"),
            title_align="left",
            border_style="magenta",
            width=72,
            height=8,
            padding=(1, 2),
        )
