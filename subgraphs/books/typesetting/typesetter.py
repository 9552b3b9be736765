"""The typesetter, which turns the content of a book into its two print files with Typst."""

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
from subgraphs.books.typesetting.fonts import list_fallback_families, load_fonts, remove_unprintable
from subgraphs.books.typesetting.postprocessing import postprocess

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class TypesetFile:
    """A PDF with its page count and page size."""

    content: bytes
    page_count: int
    width_points: float
    height_points: float


@dataclass(frozen=True, slots=True)
class TypesetBook:
    """The print files of a book."""

    interior: TypesetFile
    cover: TypesetFile


def typeset(content: BookContent, pictures: Mapping[str, bytes]) -> TypesetBook:
    """Typeset a book; `pictures` are image files by SHA-256. The same content gives the same bytes.

    It takes seconds of CPU time without holding the GIL, so call it in a thread.
    """
    with TemporaryDirectory(prefix="memorable-typeset-") as folder:
        # Typst cannot read files outside its root.
        workdir = Path(folder)
        copytree(TEMPLATES, workdir, dirs_exist_ok=True)
        (workdir / "pictures").mkdir()
        for sha256 in content.pictures:
            (workdir / "pictures" / sha256).write_bytes(pictures[sha256])
        return TypesetBook(
            interior=_typeset_interior(workdir, content), cover=_typeset_cover(workdir, content)
        )


def _typeset_interior(workdir: Path, content: BookContent) -> TypesetFile:
    width, height = geometry.compute_page_size(geometry.SQUARE).points
    values = _build_common_values(content) | {
        "sheet": [width, height],
        "margin": _to_points(geometry.BLEED + geometry.SAFETY_MARGIN),
        "pages": [asdict(page) | {"text": remove_unprintable(page.text)} for page in content.pages],
    }
    pdf = postprocess(_compile(workdir, "interior.typ", values), geometry.BLEED)
    return TypesetFile(pdf, len(content.pages), width, height)


def _typeset_cover(workdir: Path, content: BookContent) -> TypesetFile:
    trim, page_count = geometry.SQUARE, len(content.pages)
    width, height = geometry.compute_cover_size(trim, page_count).points
    values = _build_common_values(content) | {
        "sheet": [width, height],
        "edge": _to_points(geometry.TURN_IN + geometry.BLEED),
        "panel": _to_points(trim.width),
        "spine": _to_points(geometry.compute_spine_width(page_count)),
        "margin": _to_points(geometry.SAFETY_MARGIN),
        "spineText": geometry.has_spine_text(page_count),
        "heading": remove_unprintable("\n".join(filter(None, (content.title, content.subtitle)))),
        "blurb": remove_unprintable(content.blurb),
    }
    pdf = postprocess(_compile(workdir, "cover.typ", values), geometry.TURN_IN + geometry.BLEED)
    return TypesetFile(pdf, 1, width, height)


def _build_common_values(content: BookContent) -> dict[str, Any]:
    return {
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
