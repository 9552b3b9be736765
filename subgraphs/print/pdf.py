"""The facts of a PDF that matter for print: page sizes, fonts and the resolution of placed pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from math import hypot
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.generic import ContentStream, DictionaryObject, NameObject

from subgraphs.print.geometry import Size

Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_MAX_FORM_DEPTH = 20


class Unreadable(Exception):
    """The file is not a PDF, or cannot be parsed."""


class Encrypted(Exception):
    """The file is encrypted."""


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """A placed picture; `ppi` is the lower of its horizontal and vertical pixels per inch."""

    page: int
    ppi: float


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """The facts of a file; `unembedded_fonts` are pairs of a page number, from 1, and a font name."""

    pages: tuple[Size, ...]
    unembedded_fonts: tuple[tuple[int, str], ...]
    pictures: tuple[PlacedPicture, ...]


def read_facts(content: bytes) -> PdfFacts:
    """Read a file's facts; Unreadable or Encrypted when they cannot be read."""
    try:
        reader = PdfReader(BytesIO(content), strict=True)
        if reader.is_encrypted:
            raise Encrypted
        pages = list(reader.pages)
        return PdfFacts(
            pages=tuple(_read_size(page) for page in pages),
            unembedded_fonts=tuple(
                (number, name)
                for number, page in enumerate(pages, 1)
                for name in sorted(_find_unembedded_fonts(page))
            ),
            pictures=tuple(
                PlacedPicture(number, ppi)
                for number, page in enumerate(pages, 1)
                for ppi in _measure_pictures(page)
            ),
        )
    except Encrypted:
        raise
    except Exception as error:  # pypdf raises any exception on a broken file
        raise Unreadable(str(error)) from error


def _read_size(page: PageObject) -> Size:
    width, height = float(page.mediabox.width), float(page.mediabox.height)
    if page.rotation % 180:
        width, height = height, width
    return Size(width * page.user_unit, height * page.user_unit)


def _find_unembedded_fonts(page: PageObject) -> set[str]:
    """Find the names of a page's fonts that are not embedded."""
    return {
        str(font.get("/BaseFont", "?")).removeprefix("/")
        for resources in _walk_resources(_get_dictionary(page.get("/Resources")), 0)
        for font in _list_dictionaries(resources, "/Font")
        if not _is_embedded(font)
    }


def _walk_resources(resources: DictionaryObject, depth: int) -> Iterator[DictionaryObject]:
    """Yield a page's resources and those of the forms drawn on it."""
    if depth > _MAX_FORM_DEPTH:
        raise Unreadable("Forms are nested too deeply.")
    yield resources
    for drawn in _list_dictionaries(resources, "/XObject"):
        if drawn.get("/Subtype") == "/Form":
            yield from _walk_resources(_get_dictionary(drawn.get("/Resources")), depth + 1)


def _is_embedded(font: DictionaryObject) -> bool:
    if font.get("/Subtype") == "/Type3":
        return True
    if font.get("/Subtype") == "/Type0":
        [descendant] = _get_list(font["/DescendantFonts"])
        font = _get_dictionary(descendant)
    descriptor = _get_dictionary(font.get("/FontDescriptor"))
    return any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))


def _measure_pictures(page: PageObject) -> Iterator[float]:
    contents = page.get_contents()
    if contents is not None:
        unit = page.user_unit
        yield from _measure_images(
            contents, _get_dictionary(page.get("/Resources")), (unit, 0.0, 0.0, unit, 0.0, 0.0), page.pdf, 0
        )


def _measure_images(
    stream: ContentStream, resources: DictionaryObject, start: Matrix, pdf: Any, depth: int
) -> Iterator[float]:
    """Yield the resolution of each image that a content stream, or a form drawn by it, places."""
    if depth > _MAX_FORM_DEPTH:
        raise Unreadable("Forms are nested too deeply.")
    matrix, saved = start, list[Matrix]()
    objects = _get_dictionary(resources.get("/XObject"))
    for operands, operator in stream.operations:
        match operator:
            case b"q":
                saved.append(matrix)
            case b"Q":
                matrix = saved.pop()
            case b"cm":
                matrix = _multiply(_parse_matrix(operands), matrix)
            case b"Do":
                drawn = _get_dictionary(objects.get(operands[0]))
                if drawn.get("/Subtype") == "/Image":
                    yield from _measure_image(drawn["/Width"], drawn["/Height"], matrix)
                elif drawn.get("/Subtype") == "/Form":
                    inner = _multiply(_parse_matrix(drawn.get("/Matrix", _IDENTITY)), matrix)
                    own = _get_dictionary(drawn.get("/Resources", resources))
                    yield from _measure_images(ContentStream(drawn, pdf), own, inner, pdf, depth + 1)
            case b"INLINE IMAGE":
                settings = operands["settings"]
                width, height = (
                    settings.get("/W", settings.get("/Width")),
                    settings.get("/H", settings.get("/Height")),
                )
                yield from _measure_image(width, height, matrix)


def _measure_image(width: Any, height: Any, matrix: Matrix) -> Iterator[float]:
    """Yield the pixels per inch of an image; the matrix maps the unit square, which it fills, to the page."""
    a, b, c, d, _, _ = matrix
    across, down = hypot(a, b) / 72, hypot(c, d) / 72
    if across and down:
        yield min(float(width) / across, float(height) / down)


def _parse_matrix(numbers: Any) -> Matrix:
    a, b, c, d, e, f = (float(number) for number in numbers)
    return a, b, c, d, e, f


def _multiply(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + m,
    )


def _get_dictionary(value: Any) -> DictionaryObject:
    found = value.get_object() if value is not None else DictionaryObject()
    return found if isinstance(found, DictionaryObject) else DictionaryObject()


def _get_list(value: Any) -> list[Any]:
    return list(value.get_object())


def _list_dictionaries(resources: DictionaryObject, kind: str) -> list[DictionaryObject]:
    return [_get_dictionary(value) for value in _get_dictionary(resources.get(NameObject(kind))).values()]
