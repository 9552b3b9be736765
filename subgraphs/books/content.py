"""The content of a book as it is approved, hashed and typeset: one canonical JSON document."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import orjson

from subgraphs.books import models
from subgraphs.books.layouts import Layout
from subgraphs.books.models import Theme

FORMAT = 1
"""Incremented when the same content is to be typeset differently."""


@dataclass(frozen=True, slots=True)
class PageContent:
    """What stands on one page; a picture is named by its SHA-256."""

    number: int
    layout: Layout
    text: str
    illustration: str | None


@dataclass(frozen=True, slots=True)
class BookContent:
    """Everything that determines how a book looks in print, and nothing else."""

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
        """The content of a complete book; `pictures` are its illustrations by id."""
        return cls(
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
        """Read a canonical document back."""
        values: dict[str, Any] = orjson.loads(document)
        del values["format"]
        pages = tuple(
            PageContent(**page | {"layout": Layout(page["layout"])}) for page in values.pop("pages")
        )
        return cls(theme=Theme(values.pop("theme")), pages=pages, **values)

    def canonical(self) -> str:
        """The document: keys in order, no spaces, UTF-8; equal content gives equal bytes."""
        return orjson.dumps({"format": FORMAT, **asdict(self)}, option=orjson.OPT_SORT_KEYS).decode()

    @property
    def pictures(self) -> frozenset[str]:
        """The SHA-256 of every picture that is needed to print it."""
        placed = (page.illustration for page in self.pages)
        return frozenset({self.cover, *(sha256 for sha256 in placed if sha256)})


def content_hash(document: str) -> str:
    """The SHA-256 of a canonical document, in hex."""
    return hashlib.sha256(document.encode()).hexdigest()
