"""Book contents for typesetting, built without a database."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from subgraphs.books.content import BookContent, PageContent
from subgraphs.books.formats import DEFAULT_FORMAT, MAX_PAGE_COUNT, get_format
from subgraphs.books.layouts import Layout, get_first_layout
from subgraphs.books.models import RenditionKind, Theme
from subgraphs.books.typesetting.typesetter import TypesetFile, typeset
from tests.support.pictures import build_png

TEXTS = {
    Layout.TITLE: "Mia and the Lantern Fox\nA story for a brave heart",
    Layout.DEDICATION: "For Mia, who asks the best questions",
    Layout.TEXT: "The fox was waiting by the old oak.",
    Layout.CLOSING: "And they slept until morning.",
}
PICTURES = {
    hashlib.sha256(build_png(number)).hexdigest(): build_png(number) for number in range(MAX_PAGE_COUNT + 1)
}
_NAMES = list(PICTURES)


def build_manuscript(format_id: str = DEFAULT_FORMAT, **changes: Any) -> BookContent:
    """A complete book of a format; `changes` replace fields of its content."""
    page_count = get_format(format_id).page_counts[0]
    content = BookContent(
        format=format_id,
        title="Mia and the Lantern Fox",
        subtitle="A story for a brave heart",
        blurb="When the lantern goes out, Mia follows the fox.",
        language="en",
        theme=Theme.ADVENTURE,
        cover=_NAMES[0],
        pages=tuple(_build_page(number, page_count) for number in range(1, page_count + 1)),
    )
    return replace(content, **changes)


def build_manuscript_with_page(number: int, format_id: str = DEFAULT_FORMAT, **changes: Any) -> BookContent:
    """A complete book of a format with one page changed."""
    content = build_manuscript(format_id)
    pages = list(content.pages)
    pages[number - 1] = replace(pages[number - 1], **changes)
    return replace(content, pages=tuple(pages))


def typeset_interior(content: BookContent) -> TypesetFile:
    return typeset(RenditionKind.PRINT_INTERIOR, content, PICTURES)


def typeset_cover(content: BookContent) -> TypesetFile:
    return typeset(RenditionKind.PRINT_COVER, content, PICTURES)


def _build_page(number: int, page_count: int) -> PageContent:
    layout = get_first_layout(number, page_count)
    picture = _NAMES[number] if layout is Layout.FULL_BLEED else None
    return PageContent(number, layout, TEXTS.get(layout, ""), picture)
