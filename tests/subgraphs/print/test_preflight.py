"""Preflight: each code is reported for a file with exactly that problem."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from subgraphs.print.catalogue import Product, get_product
from subgraphs.print.geometry import BookFormat
from subgraphs.print.preflight import CandidateFile, PreflightCode, PreflightReport, preflight
from tests.subgraphs.print.pdf_files import (
    build_book,
    build_cover,
    draw_picture,
    encrypt,
    resize,
    rotate,
    use_standard_font,
)

CASEWRAP = get_product("casewrap-8.5-square")
SMALL = get_product("casewrap-7.5-square")
SQUARE = BookFormat.of(trim_width=8.5, trim_height=8.5, bleed=0.125, page_count=32)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def build_candidate(content: bytes) -> CandidateFile:
    return CandidateFile(content, hashlib.sha256(content).hexdigest())


def check(
    interior: bytes, sheet: bytes, book: BookFormat = SQUARE, product: Product = CASEWRAP
) -> PreflightReport:
    return preflight(product, book, build_candidate(interior), build_candidate(sheet), NOW)


def list_codes(report: PreflightReport) -> list[tuple[PreflightCode, int | None]]:
    return [(issue.code, issue.page) for issue in report.issues]


def test_a_good_book_passes() -> None:
    report = check(build_book(), build_cover())
    assert report == PreflightReport(checked_at=NOW, effective_ppi=None, issues=())
    assert report.passed


@pytest.mark.parametrize(
    ("pages", "code"),
    [
        (22, PreflightCode.PAGE_COUNT_MIN),
        (33, PreflightCode.PAGE_COUNT_MULTIPLE),
        (802, PreflightCode.PAGE_COUNT_MAX),
    ],
)
def test_a_page_count_that_cannot_be_bound_is_refused(pages: int, code: PreflightCode) -> None:
    book = replace(SQUARE, page_count=pages)
    assert list_codes(check(build_book(pages), build_cover(), book)) == [(code, None)]


def test_pages_without_bleed_are_refused_one_by_one() -> None:
    report = check(build_book(24, 8.5, 8.5), build_cover(), replace(SQUARE, page_count=24))
    assert list_codes(report) == [(PreflightCode.PAGE_SIZE, number) for number in range(1, 25)]
    assert report.issues[0].message == "8.500 by 8.500 in instead of 8.750 by 8.750 in with bleed."


def test_a_small_book_passes_as_its_own_product_alone() -> None:
    book = BookFormat.of(trim_width=7.5, trim_height=7.5, bleed=0.125, page_count=24)
    interior, cover = build_book(24, 7.75, 7.75), build_cover(17.0, 9.25)
    assert check(interior, cover, book, SMALL).passed
    report = check(interior, cover, book, CASEWRAP)
    assert list_codes(report) == [(PreflightCode.TRIM_SIZE, None)]
    assert report.issues[0].message == "The book is 7.5 by 7.5 in, the product 8.5 by 8.5 in."


def test_the_width_and_the_height_of_a_format_are_not_confused() -> None:
    landscape = replace(CASEWRAP, trim_width=Decimal(9), trim_height=Decimal(7))
    book = BookFormat.of(trim_width=9, trim_height=7, bleed=0.125, page_count=24)
    assert check(build_book(24, 9.25, 7.25), build_cover(20.0, 8.75), book, landscape).passed
    assert not check(build_book(24, 7.25, 9.25), build_cover(20.0, 8.75), book, landscape).passed


def test_a_bleed_that_the_print_shop_does_not_expect_is_refused() -> None:
    book = replace(SQUARE, bleed=Decimal("0.25"))
    report = check(build_book(32, 9.0, 9.0), build_cover(19.25, 10.5), book)
    assert list_codes(report) == [(PreflightCode.BLEED, None)]
    assert report.issues[0].message == "The bleed is 0.25 in instead of 0.125 in."


@pytest.mark.parametrize("pages", [24, 34])
def test_an_interior_with_more_or_fewer_pages_than_were_approved_is_refused(pages: int) -> None:
    report = check(build_book(pages), build_cover())
    assert list_codes(report) == [(PreflightCode.PAGE_COUNT, None)]
    assert report.issues[0].message == f"{pages} pages instead of 32."


def test_one_page_of_another_size_is_named() -> None:
    assert list_codes(check(build_book(change=resize(7, 630, 640)), build_cover())) == [
        (PreflightCode.PAGE_SIZE, 7)
    ]


def test_a_page_may_differ_by_less_than_a_point() -> None:
    assert check(build_book(change=resize(7, 630.9, 629.2)), build_cover()).passed


def test_a_hardcover_with_the_cover_of_a_paperback_is_refused() -> None:
    report = check(build_book(), build_cover(17.25, 8.75))
    assert list_codes(report) == [(PreflightCode.COVER_SIZE, None)]


def test_the_cover_must_fit_the_spine_of_this_page_count() -> None:
    book = replace(SQUARE, page_count=86)
    assert list_codes(check(build_book(86), build_cover(), book)) == [(PreflightCode.COVER_SIZE, None)]
    assert check(build_book(86), build_cover(19.25, 10.25), book).passed


def test_a_rotated_sheet_does_not_fit() -> None:
    assert list_codes(check(build_book(), build_cover(change=rotate(1)))) == [
        (PreflightCode.COVER_SIZE, None)
    ]


def test_a_cover_of_two_sheets_is_refused() -> None:
    assert list_codes(check(build_book(), build_book(2, 19.0, 10.25))) == [
        (PreflightCode.COVER_PAGE_COUNT, None)
    ]


def test_a_font_that_is_not_embedded_is_named() -> None:
    report = check(build_book(change=use_standard_font(3)), build_cover(change=use_standard_font(1)))
    assert list_codes(report) == [
        (PreflightCode.FONT_NOT_EMBEDDED, 3),
        (PreflightCode.FONT_NOT_EMBEDDED, None),
    ]
    assert report.issues[0].message == "The interior lacks the font Helvetica."


def test_resolution_is_that_of_the_picture_as_it_is_placed() -> None:
    sharp = check(build_book(change=draw_picture(600, 2, 5)), build_cover())
    assert (sharp.passed, sharp.effective_ppi) == (True, 300)
    coarse = check(build_book(change=draw_picture(600, 4, 5)), build_cover())
    assert (list_codes(coarse), coarse.effective_ppi) == ([(PreflightCode.LOW_PPI, 5)], 150)


def test_a_picture_that_typst_placed_is_measured() -> None:
    pixels = 'image(bytes((0,) * 30000), format: (encoding: "rgb8", width: 100, height: 100), width: {}in)'
    sharp, coarse = pixels.format(0.25), pixels.format(1)
    assert check(build_book(drawing=sharp), build_cover()).effective_ppi == 400
    book = replace(SQUARE, page_count=24)
    assert list_codes(check(build_book(24, drawing=coarse), build_cover(), book)) == [
        (PreflightCode.LOW_PPI, number) for number in range(1, 25)
    ]


def test_the_scale_of_a_form_is_taken_into_account() -> None:
    report = check(build_book(change=draw_picture(600, 4, 5, wrapped=True)), build_cover())
    assert (list_codes(report), report.effective_ppi) == ([(PreflightCode.LOW_PPI, 5)], 150)


def test_a_coarse_picture_on_the_cover_belongs_to_no_page() -> None:
    assert list_codes(check(build_book(), build_cover(change=draw_picture(100, 4, 1)))) == [
        (PreflightCode.LOW_PPI, None)
    ]


def test_an_encrypted_file_is_refused() -> None:
    assert list_codes(check(build_book(change=encrypt), build_cover())) == [(PreflightCode.ENCRYPTED, None)]


@pytest.mark.parametrize("content", [b"", b"not a pdf", build_book()[:2000]])
def test_an_incomplete_pdf_is_refused(content: bytes) -> None:
    assert list_codes(check(content, build_cover())) == [(PreflightCode.UNREADABLE, None)]


def test_a_file_that_differs_from_the_approved_one_in_a_byte_is_refused() -> None:
    interior = build_book()
    report = preflight(
        CASEWRAP,
        SQUARE,
        CandidateFile(interior + b"\n", build_candidate(interior).approved_sha256),
        build_candidate(build_cover()),
        NOW,
    )
    assert list_codes(report) == [(PreflightCode.CONTENT_CHANGED, None)]


def test_every_issue_is_found_not_only_the_first() -> None:
    report = check(build_book(22, change=use_standard_font(2)), build_cover(17.25, 8.75))
    assert {issue.code for issue in report.issues} == {
        PreflightCode.PAGE_COUNT,
        PreflightCode.FONT_NOT_EMBEDDED,
        PreflightCode.COVER_SIZE,
    }


def test_a_report_is_stored_and_read_unchanged() -> None:
    report = check(build_book(change=draw_picture(600, 4, 5)), build_cover())
    assert PreflightReport.from_json(report.as_json()) == report
