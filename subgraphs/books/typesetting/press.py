"""The press: sets the content of a book with Typst into the two files that a printer needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import typst

from subgraphs.books.content import BookContent
from subgraphs.books.typesetting import geometry
from subgraphs.books.typesetting.finishing import finish
from subgraphs.books.typesetting.fonts import fallback_families, fonts, printable

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class TypesetFile:
    """A PDF and the measures of its pages."""

    content: bytes
    page_count: int
    width_points: float
    height_points: float


@dataclass(frozen=True, slots=True)
class TypesetBook:
    """The two files of a book."""

    interior: TypesetFile
    cover: TypesetFile


def typeset(content: BookContent, pictures: Mapping[str, bytes]) -> TypesetBook:
    """Set a book; `pictures` are the image files by SHA-256. The same content gives the same bytes.

    It takes seconds of processor time, outside of the interpreter: call it in a thread.
    """
    with TemporaryDirectory(prefix="memorable-press-") as folder:
        # Typst reads nothing outside of this folder.
        desk = Path(folder)
        copytree(TEMPLATES, desk, dirs_exist_ok=True)
        (desk / "pictures").mkdir()
        for sha256 in content.pictures:
            (desk / "pictures" / sha256).write_bytes(pictures[sha256])
        return TypesetBook(interior=_interior(desk, content), cover=_cover(desk, content))


def _interior(desk: Path, content: BookContent) -> TypesetFile:
    width, height = geometry.interior_page(geometry.SQUARE).points
    values = _values(content) | {
        "sheet": [width, height],
        "margin": _points(geometry.BLEED + geometry.SAFETY),
        "pages": [asdict(page) | {"text": printable(page.text)} for page in content.pages],
    }
    pdf = finish(_compile(desk, "interior.typ", values), geometry.BLEED)
    return TypesetFile(pdf, len(content.pages), width, height)


def _cover(desk: Path, content: BookContent) -> TypesetFile:
    trim, page_count = geometry.SQUARE, len(content.pages)
    width, height = geometry.casewrap_cover(trim, page_count).points
    values = _values(content) | {
        "sheet": [width, height],
        "edge": _points(geometry.TURN_IN + geometry.BLEED),
        "panel": _points(trim.width),
        "spine": _points(geometry.casewrap_spine(page_count)),
        "margin": _points(geometry.SAFETY),
        "spineText": geometry.has_spine_text(page_count),
        "heading": printable("\n".join(filter(None, (content.title, content.subtitle)))),
        "blurb": printable(content.blurb),
    }
    pdf = finish(_compile(desk, "cover.typ", values), geometry.TURN_IN + geometry.BLEED)
    return TypesetFile(pdf, 1, width, height)


def _values(content: BookContent) -> dict[str, Any]:
    return {
        "title": printable(content.title),
        "theme": content.theme,
        "language": content.language,
        "cover": content.cover,
    }


def _points(inches: float) -> float:
    return inches * geometry.POINTS_PER_INCH


def _compile(desk: Path, template: str, values: Mapping[str, Any]) -> bytes:
    (desk / "book.json").write_bytes(orjson.dumps(values))
    # Tags are for screens; without them and without a date the bytes depend on the content alone.
    return typst.compile(
        desk / template,
        root=desk,
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={"fonts": fallback_families()},
        pdf_tags=False,
    )
