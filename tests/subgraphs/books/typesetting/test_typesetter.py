"""The print files: pages, sizes, fonts, literal text, and deterministic bytes."""

import asyncio
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from pypdf import PageObject, PdfReader
from pypdf.generic import RectangleObject

from subgraphs.books.content import BookContent
from subgraphs.books.layouts import Layout
from subgraphs.books.models import Theme
from subgraphs.books.typesetting.typesetter import TypesetFile
from tests.subgraphs.books.typesetting.manuscripts import (
    build_manuscript,
    build_manuscript_with_page,
    typeset_cover,
    typeset_interior,
)


def read(file: TypesetFile) -> PdfReader:
    return PdfReader(BytesIO(file.content))


def extract_text(file: TypesetFile, number: int) -> str:
    return "".join(read(file).pages[number - 1].extract_text().split())


def measure_line_gap(page: PageObject) -> float:
    """The distance between the first two lines below the initial, in points of the sheet."""
    heights: list[float] = []

    def record(fragment: str, sheet: list[float], line: list[float], *_: object) -> None:
        if fragment.strip():
            heights.append(line[4] * sheet[1] + line[5] * sheet[3] + sheet[5])

    page.extract_text(visitor_text=record)
    second, third = sorted(set(heights), reverse=True)[1:3]
    return second - third


def list_fonts(file: TypesetFile) -> dict[str, Any]:
    resources: list[Any] = [page["/Resources"] for page in read(file).pages]
    return {
        str(font["/BaseFont"]): font["/DescendantFonts"][0]["/FontDescriptor"]
        for names in resources
        for font in (entry.get_object() for entry in names.get("/Font", {}).values())
    }


def test_a_book_has_32_square_pages_and_one_cover_sheet() -> None:
    interior, cover = typeset_interior(build_manuscript()), typeset_cover(build_manuscript())
    assert len(read(interior).pages) == interior.page_count == 32
    assert {(page.mediabox.width, page.mediabox.height) for page in read(interior).pages} == {(630, 630)}
    assert (interior.width_points, interior.height_points) == (630, 630)
    [sheet] = read(cover).pages
    assert (sheet.mediabox.width, sheet.mediabox.height) == (1368, 738)
    assert (cover.width_points, cover.height_points) == (1368, 738)


def test_a_small_book_is_the_large_one_scaled_to_its_trim() -> None:
    text = "The fox was waiting by the old oak, where the lanterns hung. " * 5
    pages = [
        read(typeset_interior(build_manuscript_with_page(4, format_id, text=text.strip()))).pages[3]
        for format_id in ("square-8.5", "square-7.5")
    ]
    assert [(page.mediabox.width, page.mediabox.height) for page in pages] == [(630, 630), (558, 558)]
    large, small = (page.extract_text().split("\n") for page in pages)
    assert small == large, "every line breaks at the same word"
    [large_gap, small_gap] = [measure_line_gap(page) for page in pages]
    assert small_gap == pytest.approx(large_gap * 7.5 / 8.5)
    [cover] = read(typeset_cover(build_manuscript("square-7.5"))).pages
    assert (cover.mediabox.width, cover.mediabox.height) == (1224, 666)
    assert cover.trimbox == RectangleObject((63, 63, 1161, 603))


@pytest.mark.parametrize("theme", list(Theme))
def test_every_theme_has_a_cover_of_its_own(theme: Theme) -> None:
    cover = typeset_cover(build_manuscript(theme=theme))
    others = [typeset_cover(build_manuscript(theme=other)) for other in Theme if other is not theme]
    assert all(cover.content != other.content for other in others)


@pytest.mark.parametrize("typeset", [typeset_interior, typeset_cover])
def test_the_same_content_gives_the_same_bytes(typeset: Callable[[BookContent], TypesetFile]) -> None:
    document = build_manuscript("square-7.5").to_canonical_json()
    first, second = (typeset(BookContent.parse(document)) for _ in range(2))
    assert first == second


def test_all_fonts_are_embedded() -> None:
    content = build_manuscript_with_page(3, text="For Mia 🦊 Жанна نور")
    interior = typeset_interior(content)
    for file in (interior, typeset_cover(content)):
        fonts = list_fonts(file)
        assert fonts
        assert all("/FontFile2" in descriptor or "/FontFile3" in descriptor for descriptor in fonts.values())
    assert {name.split("+")[1].split("-")[0] for name in list_fonts(interior)} >= {
        "Lexend",
        "Fredoka",
        "Baloo2",
        "NotoEmoji",
    }


def test_no_glyph_is_missing() -> None:
    text = "Mia 🦊 Жанна Ελένη نور ⭐ ½ „so“"
    content = read(typeset_interior(build_manuscript_with_page(4, text=text))).pages[3].extract_text()
    assert "\x00" not in content
    assert "🦊" in content
    assert "Жанна" in content


@pytest.mark.parametrize(
    "text", ["<b>Mia</b>", "*Mia* _x_", '#panic("x")', "$x^2$", "\\u{1F98A}", "`raw`", "@ref"]
)
def test_markup_is_printed_literally(text: str) -> None:
    expected = "".join(text.split())
    for number in (1, 2, 3, 4, 32):
        assert expected in extract_text(
            typeset_interior(build_manuscript_with_page(number, text=text)), number
        )
    cover = typeset_cover(build_manuscript(title=text, subtitle=text, blurb=text))
    assert extract_text(cover, 1).count(expected) == 3


def test_a_full_bleed_picture_fills_its_page() -> None:
    page = read(typeset_interior(build_manuscript())).pages[4]
    contents = page.get_contents()
    assert contents is not None
    assert b"630 0 0 630 0 0 cm/x0 Do" in contents.get_data()
    assert page.extract_text() == ""


def test_the_text_below_a_picture_is_set() -> None:
    content = build_manuscript_with_page(5, layout=Layout.TEXT_BELOW, text="The fox laughed.")
    assert extract_text(typeset_interior(content), 5) == "Thefoxlaughed."


async def test_typesetting_does_not_block_the_event_loop() -> None:
    setting = asyncio.create_task(asyncio.to_thread(typeset_interior, build_manuscript()))
    turns = 0
    while not setting.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await setting).page_count == 32
    assert turns > 1
