"""The content of an approved book: one canonical JSON document that is hashed and typeset."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import orjson

from subgraphs.books import models
from subgraphs.books.layouts import Layout
from subgraphs.books.models import Theme

TYPESETTING = 1
"""The version of typesetting; to be incremented when the same content would look different."""


@dataclass(frozen=True, slots=True)
class PageContent:
    """The content of a page; `illustration` is a SHA-256."""

    number: int
    layout: Layout
    text: str
    illustration: str | None


@dataclass(frozen=True, slots=True)
class BookContent:
    """Everything that determines how a book looks in print; `format` is an id, `cover` a SHA-256."""

    format: str
    title: str
    subtitle: str | None
    blurb: str
    language: str
    theme: Theme
    cover: str
    pages: tuple[PageContent, ...]

    @classmethod
    def of(
        cls, book: models.Book, pages: Sequence[models.Page], pictures: Mapping[str, models.Illustration]
    ) -> Self:
        """Take the content of a complete book; `pictures` are its illustrations by id."""
        return cls(
            format=book.format,
            title=book.title,
            subtitle=book.subtitle,
            blurb=book.blurb,
            language=book.language,
            theme=book.theme,
            cover=pictures[book.cover_illustration_id or ""].sha256,
            pages=tuple(
                PageContent(
                    number=page.number,
                    layout=page.layout,
                    text=page.text,
                    illustration=pictures[page.illustration_id].sha256 if page.illustration_id else None,
                )
                for page in pages
            ),
        )

    @classmethod
    def parse(cls, document: str) -> Self:
        """Parse a canonical document."""
        values: dict[str, Any] = orjson.loads(document)
        del values["typesetting"]
        pages = tuple(
            PageContent(**page | {"layout": Layout(page["layout"])}) for page in values.pop("pages")
        )
        return cls(theme=Theme(values.pop("theme")), pages=pages, **values)

    def to_canonical_json(self) -> str:
        """Write the canonical document: sorted keys, no spaces; equal content gives equal bytes."""
        return orjson.dumps(
            {"typesetting": TYPESETTING, **asdict(self)}, option=orjson.OPT_SORT_KEYS
        ).decode()

    @property
    def pictures(self) -> frozenset[str]:
        """The SHA-256 of every picture in the book."""
        placed = (page.illustration for page in self.pages)
        return frozenset({self.cover, *(sha256 for sha256 in placed if sha256)})


def hash_content(document: str) -> str:
    """Hash a canonical document: SHA-256, in hex."""
    return hashlib.sha256(document.encode()).hexdigest()
