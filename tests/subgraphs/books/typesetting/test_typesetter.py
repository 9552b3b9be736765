"""The print files: pages, sizes, fonts, literal text, and deterministic bytes."""

import asyncio
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from subgraphs.books.content import BookContent
from subgraphs.books.layouts import Layout
from subgraphs.books.models import Theme
from subgraphs.books.typesetting.typesetter import TypesetFile, typeset
from tests.subgraphs.books.typesetting.manuscripts import (
    PICTURES,
    build_manuscript,
    build_manuscript_with_page,
)


def read(file: TypesetFile) -> PdfReader:
    return PdfReader(BytesIO(file.content))


def extract_text(file: TypesetFile, number: int) -> str:
    return "".join(read(file).pages[number - 1].extract_text().split())


def list_fonts(file: TypesetFile) -> dict[str, Any]:
    resources: list[Any] = [page["/Resources"] for page in read(file).pages]
    return {
        str(font["/BaseFont"]): font["/DescendantFonts"][0]["/FontDescriptor"]
        for names in resources
        for font in (entry.get_object() for entry in names.get("/Font", {}).values())
    }


def test_a_book_has_32_square_pages_and_one_cover_sheet() -> None:
    book = typeset(build_manuscript(), PICTURES)
    interior = read(book.interior).pages
    assert len(interior) == book.interior.page_count == 32
    assert {(page.mediabox.width, page.mediabox.height) for page in interior} == {(630, 630)}
    assert (book.interior.width_points, book.interior.height_points) == (630, 630)
    [cover] = read(book.cover).pages
    assert (cover.mediabox.width, cover.mediabox.height) == (1368, 738)
    assert (book.cover.width_points, book.cover.height_points) == (1368, 738)


@pytest.mark.parametrize("theme", list(Theme))
def test_every_theme_has_a_cover_of_its_own(theme: Theme) -> None:
    book = typeset(build_manuscript(theme=theme), PICTURES)
    others = [typeset(build_manuscript(theme=other), PICTURES) for other in Theme if other is not theme]
    assert all(book.cover.content != other.cover.content for other in others)


def test_the_same_content_gives_the_same_bytes() -> None:
    first, second = (
        typeset(BookContent.parse(build_manuscript().to_canonical_json()), PICTURES) for _ in range(2)
    )
    assert first == second


def test_all_fonts_are_embedded() -> None:
    book = typeset(build_manuscript_with_page(3, text="For Mia 🦊 Жанна نور"), PICTURES)
    for file in (book.interior, book.cover):
        fonts = list_fonts(file)
        assert fonts
        assert all("/FontFile2" in descriptor or "/FontFile3" in descriptor for descriptor in fonts.values())
    assert {name.split("+")[1].split("-")[0] for name in list_fonts(book.interior)} >= {
        "Lexend",
        "Fredoka",
        "Baloo2",
        "NotoEmoji",
    }


def test_no_glyph_is_missing() -> None:
    text = "Mia 🦊 Жанна Ελένη نور ⭐ ½ „so“"
    content = (
        read(typeset(build_manuscript_with_page(4, text=text), PICTURES).interior).pages[3].extract_text()
    )
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
            typeset(build_manuscript_with_page(number, text=text), PICTURES).interior, number
        )
    cover = typeset(build_manuscript(title=text, subtitle=text, blurb=text), PICTURES).cover
    assert extract_text(cover, 1).count(expected) == 3


def test_a_full_bleed_picture_fills_its_page() -> None:
    page = read(typeset(build_manuscript(), PICTURES).interior).pages[4]
    contents = page.get_contents()
    assert contents is not None
    assert b"630 0 0 630 0 0 cm/x0 Do" in contents.get_data()
    assert page.extract_text() == ""


def test_the_text_below_a_picture_is_set() -> None:
    book = typeset(build_manuscript_with_page(5, layout=Layout.TEXT_BELOW, text="The fox laughed."), PICTURES)
    assert extract_text(book.interior, 5) == "Thefoxlaughed."


async def test_typesetting_does_not_block_the_event_loop() -> None:
    setting = asyncio.create_task(asyncio.to_thread(typeset, build_manuscript(), PICTURES))
    turns = 0
    while not setting.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await setting).interior.page_count == 32
    assert turns > 1
