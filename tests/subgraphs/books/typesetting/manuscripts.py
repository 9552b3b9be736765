"""Book contents for typesetting, built without a database."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from subgraphs.books.content import BookContent, PageContent
from subgraphs.books.layouts import PAGE_COUNT, Layout, get_first_layout
from subgraphs.books.models import Theme
from tests.support.pictures import build_png

TEXTS = {
    Layout.TITLE: "Mia and the Lantern Fox\nA story for a brave heart",
    Layout.DEDICATION: "For Mia, who asks the best questions",
    Layout.TEXT: "The fox was waiting by the old oak.",
    Layout.CLOSING: "And they slept until morning.",
}
PICTURES = {
    hashlib.sha256(build_png(number)).hexdigest(): build_png(number) for number in range(PAGE_COUNT + 1)
}
_NAMES = list(PICTURES)


def build_manuscript(**changes: Any) -> BookContent:
    """A complete book; `changes` replace fields of its content."""
    content = BookContent(
        title="Mia and the Lantern Fox",
        subtitle="A story for a brave heart",
        blurb="When the lantern goes out, Mia follows the fox.",
        language="en",
        theme=Theme.ADVENTURE,
        cover=_NAMES[0],
        pages=tuple(_build_page(number) for number in range(1, PAGE_COUNT + 1)),
    )
    return replace(content, **changes)


def build_manuscript_with_page(number: int, **changes: Any) -> BookContent:
    """A complete book with one page changed."""
    content = build_manuscript()
    pages = list(content.pages)
    pages[number - 1] = replace(pages[number - 1], **changes)
    return replace(content, pages=tuple(pages))


def _build_page(number: int) -> PageContent:
    layout = get_first_layout(number)
    picture = _NAMES[number] if layout is Layout.FULL_BLEED else None
    return PageContent(number, layout, TEXTS.get(layout, ""), picture)
