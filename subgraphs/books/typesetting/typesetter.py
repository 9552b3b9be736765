"""The typesetter, which turns the content of a book into its print files with Typst."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson
import typst

from subgraphs.books.content import BookContent
from subgraphs.books.formats import BookFormat, get_format
from subgraphs.books.models import RenditionKind
from subgraphs.books.typesetting import geometry
from subgraphs.books.typesetting.fonts import list_fallback_families, load_fonts, remove_unprintable
from subgraphs.books.typesetting.postprocessing import postprocess

TEMPLATES = Path(__file__).parent / "templates"
_DRAWN_TRIM_WIDTH: Final = 8.5
"""The trim width in inches for which the templates are drawn; for other formats they are scaled."""


@dataclass(frozen=True, slots=True)
class TypesetFile:
    """A PDF with its page count and page size."""

    content: bytes
    page_count: int
    width_points: float
    height_points: float


def typeset(kind: RenditionKind, content: BookContent, pictures: Mapping[str, bytes]) -> TypesetFile:
    """Typeset a rendition; `pictures` are its image files by SHA-256. The same content gives the same bytes.

    It takes seconds of CPU time without holding the GIL, so call it in a thread.
    """
    with TemporaryDirectory(prefix="memorable-typeset-") as folder:
        # Typst cannot read files outside its root.
        workdir = Path(folder)
        copytree(TEMPLATES, workdir, dirs_exist_ok=True)
        (workdir / "pictures").mkdir()
        for sha256 in list_pictures(kind, content):
            (workdir / "pictures" / sha256).write_bytes(pictures[sha256])
        return _TYPESETTERS[kind](workdir, content)


def list_pictures(kind: RenditionKind, content: BookContent) -> frozenset[str]:
    """List the SHA-256 of every picture in a rendition."""
    return frozenset({content.cover}) if kind is RenditionKind.PRINT_COVER else content.pictures


def _typeset_interior(workdir: Path, content: BookContent) -> TypesetFile:
    book_format = get_format(content.format)
    width, height = geometry.compute_page_size(book_format).points
    values = _build_common_values(content, book_format) | {
        "sheet": [width, height],
        "margin": _to_points(book_format.bleed + book_format.safety_margin),
        "pages": [asdict(page) | {"text": remove_unprintable(page.text)} for page in content.pages],
    }
    pdf = postprocess(_compile(workdir, "interior.typ", values), book_format.bleed)
    return TypesetFile(pdf, len(content.pages), width, height)


def _typeset_cover(workdir: Path, content: BookContent) -> TypesetFile:
    book_format, page_count = get_format(content.format), len(content.pages)
    width, height = geometry.compute_cover_size(book_format, page_count).points
    edge = geometry.compute_cover_edge(book_format)
    values = _build_common_values(content, book_format) | {
        "sheet": [width, height],
        "edge": _to_points(edge),
        "panel": _to_points(book_format.trim_width),
        "spine": _to_points(geometry.compute_spine_width(page_count)),
        "margin": _to_points(book_format.safety_margin),
        "spineText": geometry.has_spine_text(page_count),
        "heading": remove_unprintable("\n".join(filter(None, (content.title, content.subtitle)))),
        "blurb": remove_unprintable(content.blurb),
    }
    pdf = postprocess(_compile(workdir, "cover.typ", values), edge)
    return TypesetFile(pdf, 1, width, height)


_TYPESETTERS: Final[Mapping[RenditionKind, Callable[[Path, BookContent], TypesetFile]]] = {
    RenditionKind.PRINT_INTERIOR: _typeset_interior,
    RenditionKind.PRINT_COVER: _typeset_cover,
}


def _build_common_values(content: BookContent, book_format: BookFormat) -> dict[str, Any]:
    return {
        "scale": book_format.trim_width / _DRAWN_TRIM_WIDTH,
        "title": remove_unprintable(content.title),
        "theme": content.theme,
        "language": content.language,
        "cover": content.cover,
    }


def _to_points(inches: float) -> float:
    return inches * geometry.POINTS_PER_INCH


def _compile(workdir: Path, template: str, values: Mapping[str, Any]) -> bytes:
    (workdir / "book.json").write_bytes(orjson.dumps(values))
    # Tags matter on screen only; without tags and dates, the bytes depend on the content alone.
    return typst.compile(
        workdir / template,
        root=workdir,
        font_paths=load_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"fonts": list_fallback_families()},
        pdf_tags=False,
    )
