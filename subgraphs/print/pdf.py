"""The facts of a PDF that matter in print: page sizes, fonts and the resolution of placed pictures."""

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
    """The file is no PDF, or is too broken to be read."""


class Encrypted(Exception):
    """The file is encrypted."""


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """A placed picture: pixels per inch of paper, in the direction with fewer."""

    page: int
    ppi: float


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """The facts of one file; pages count from 1."""

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
            pages=tuple(_size(page) for page in pages),
            unembedded_fonts=tuple(
                (number, name)
                for number, page in enumerate(pages, 1)
                for name in sorted(_unembedded_fonts(page))
            ),
            pictures=tuple(
                PlacedPicture(number, ppi)
                for number, page in enumerate(pages, 1)
                for ppi in _resolutions(page)
            ),
        )
    except Encrypted:
        raise
    except Exception as error:  # pypdf raises any exception on a broken file
        raise Unreadable(str(error)) from error


def _size(page: PageObject) -> Size:
    width, height = float(page.mediabox.width), float(page.mediabox.height)
    if page.rotation % 180:
        width, height = height, width
    return Size(width * page.user_unit, height * page.user_unit)


def _unembedded_fonts(page: PageObject) -> set[str]:
    """The names of the fonts that a page names but the file does not contain."""
    return {
        str(font.get("/BaseFont", "?")).removeprefix("/")
        for resources in _all_resources(_dictionary(page.get("/Resources")), 0)
        for font in _values(resources, "/Font")
        if not _is_embedded(font)
    }


def _all_resources(resources: DictionaryObject, depth: int) -> Iterator[DictionaryObject]:
    """A page's resources and those of the forms drawn on it."""
    if depth > _MAX_FORM_DEPTH:
        raise Unreadable("Forms are nested too deeply.")
    yield resources
    for drawn in _values(resources, "/XObject"):
        if drawn.get("/Subtype") == "/Form":
            yield from _all_resources(_dictionary(drawn.get("/Resources")), depth + 1)


def _is_embedded(font: DictionaryObject) -> bool:
    if font.get("/Subtype") == "/Type3":
        return True
    if font.get("/Subtype") == "/Type0":
        [descendant] = _list(font["/DescendantFonts"])
        font = _dictionary(descendant)
    descriptor = _dictionary(font.get("/FontDescriptor"))
    return any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))


def _resolutions(page: PageObject) -> Iterator[float]:
    contents = page.get_contents()
    if contents is not None:
        unit = page.user_unit
        yield from _image_resolutions(
            contents, _dictionary(page.get("/Resources")), (unit, 0.0, 0.0, unit, 0.0, 0.0), page.pdf, 0
        )


def _image_resolutions(
    stream: ContentStream, resources: DictionaryObject, start: Matrix, pdf: Any, depth: int
) -> Iterator[float]:
    """Follow the transformation matrix through a content stream, and into the forms that it draws."""
    if depth > _MAX_FORM_DEPTH:
        raise Unreadable("Forms are nested too deeply.")
    matrix, saved = start, list[Matrix]()
    objects = _dictionary(resources.get("/XObject"))
    for operands, operator in stream.operations:
        match operator:
            case b"q":
                saved.append(matrix)
            case b"Q":
                matrix = saved.pop()
            case b"cm":
                matrix = _times(_matrix(operands), matrix)
            case b"Do":
                drawn = _dictionary(objects.get(operands[0]))
                if drawn.get("/Subtype") == "/Image":
                    yield from _resolution(drawn["/Width"], drawn["/Height"], matrix)
                elif drawn.get("/Subtype") == "/Form":
                    inner = _times(_matrix(drawn.get("/Matrix", _IDENTITY)), matrix)
                    own = _dictionary(drawn.get("/Resources", resources))
                    yield from _image_resolutions(ContentStream(drawn, pdf), own, inner, pdf, depth + 1)
            case b"INLINE IMAGE":
                settings = operands["settings"]
                width, height = (
                    settings.get("/W", settings.get("/Width")),
                    settings.get("/H", settings.get("/Height")),
                )
                yield from _resolution(width, height, matrix)


def _resolution(width: Any, height: Any, matrix: Matrix) -> Iterator[float]:
    """Pixels per inch: an image fills the unit square, which the matrix maps onto the page."""
    a, b, c, d, _, _ = matrix
    across, down = hypot(a, b) / 72, hypot(c, d) / 72
    if across and down:
        yield min(float(width) / across, float(height) / down)


def _matrix(numbers: Any) -> Matrix:
    a, b, c, d, e, f = (float(number) for number in numbers)
    return a, b, c, d, e, f


def _times(first: Matrix, then: Matrix) -> Matrix:
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


def _dictionary(value: Any) -> DictionaryObject:
    found = value.get_object() if value is not None else DictionaryObject()
    return found if isinstance(found, DictionaryObject) else DictionaryObject()


def _list(value: Any) -> list[Any]:
    return list(value.get_object())


def _values(resources: DictionaryObject, kind: str) -> list[DictionaryObject]:
    return [_dictionary(value) for value in _dictionary(resources.get(NameObject(kind))).values()]
