"""Preflight: the check whether an interior and a cover can be printed in their format, as a product."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from subgraphs.print.catalogue import Product
from subgraphs.print.geometry import BookFormat, Size, compute_cover_size, compute_page_size
from subgraphs.print.pdf import Encrypted, PdfFacts, Unreadable, read_facts

_TOLERANCE = 1.0
"""The difference in points that print shops allow between a file and their template."""


class PreflightCode(StrEnum):
    """The kinds of issues that preflight finds."""

    UNREADABLE = "UNREADABLE"
    ENCRYPTED = "ENCRYPTED"
    CONTENT_CHANGED = "CONTENT_CHANGED"
    TRIM_SIZE = "TRIM_SIZE"
    BLEED = "BLEED"
    PAGE_COUNT = "PAGE_COUNT"
    PAGE_COUNT_MIN = "PAGE_COUNT_MIN"
    PAGE_COUNT_MAX = "PAGE_COUNT_MAX"
    PAGE_COUNT_MULTIPLE = "PAGE_COUNT_MULTIPLE"
    PAGE_SIZE = "PAGE_SIZE"
    COVER_PAGE_COUNT = "COVER_PAGE_COUNT"
    COVER_SIZE = "COVER_SIZE"
    FONT_NOT_EMBEDDED = "FONT_NOT_EMBEDDED"
    LOW_PPI = "LOW_PPI"


@dataclass(frozen=True, slots=True)
class PreflightIssue:
    """A reason not to print; `page` is the number of an interior page, or None."""

    code: PreflightCode
    page: int | None
    message: str


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """The outcome of preflight; `effective_ppi` is the lowest of all pictures, None without pictures."""

    checked_at: datetime
    effective_ppi: int | None
    issues: tuple[PreflightIssue, ...]

    @property
    def passed(self) -> bool:
        """Whether the files may be printed."""
        return not self.issues

    def as_json(self) -> dict[str, Any]:
        """Convert to the JSON object that is stored."""
        return asdict(self) | {"checked_at": self.checked_at.isoformat()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read a report that `as_json` has written."""
        return cls(
            datetime.fromisoformat(value["checked_at"]),
            value["effective_ppi"],
            tuple(
                PreflightIssue(PreflightCode(issue["code"]), issue["page"], issue["message"])
                for issue in value["issues"]
            ),
        )


@dataclass(frozen=True, slots=True)
class CandidateFile:
    """A file to check, and the SHA-256 that it had when it was approved."""

    content: bytes
    approved_sha256: str


def preflight(
    product: Product, book: BookFormat, interior: CandidateFile, cover: CandidateFile, now: datetime
) -> PreflightReport:
    """Check both files of a book and report every issue."""
    issues = [
        *_check_format(product, book),
        *_check_hash("interior", interior),
        *_check_hash("cover", cover),
    ]
    interior_facts = _read_pdf("interior", interior, issues)
    cover_facts = _read_pdf("cover", cover, issues)
    if interior_facts:
        issues += [*_check_page_count(book, interior_facts), *_check_page_sizes(book, interior_facts)]
    if cover_facts:
        issues += _check_cover(product, book, cover_facts)
    for part, facts in (("interior", interior_facts), ("cover", cover_facts)):
        if facts:
            issues += [*_check_fonts(part, facts), *_check_resolutions(part, facts, product.minimum_ppi)]
    resolutions = [
        picture.ppi for facts in (interior_facts, cover_facts) if facts for picture in facts.pictures
    ]
    return PreflightReport(now, int(min(resolutions)) if resolutions else None, tuple(issues))


def _check_hash(part: str, file: CandidateFile) -> Iterator[PreflightIssue]:
    if hashlib.sha256(file.content).hexdigest() != file.approved_sha256:
        yield PreflightIssue(
            PreflightCode.CONTENT_CHANGED, None, f"The {part} is not the file that was approved."
        )


def _read_pdf(part: str, file: CandidateFile, issues: list[PreflightIssue]) -> PdfFacts | None:
    try:
        return read_facts(file.content)
    except Encrypted:
        issues.append(PreflightIssue(PreflightCode.ENCRYPTED, None, f"The {part} is encrypted."))
    except Unreadable as error:
        issues.append(
            PreflightIssue(PreflightCode.UNREADABLE, None, f"The {part} cannot be read as a PDF: {error}")
        )
    return None


def _check_format(product: Product, book: BookFormat) -> Iterator[PreflightIssue]:
    """Check whether the product is made of books of this format."""
    if (book.trim_width, book.trim_height) != (product.trim_width, product.trim_height):
        yield PreflightIssue(
            PreflightCode.TRIM_SIZE,
            None,
            f"The book is {book.trim_width} by {book.trim_height} in, "
            f"the product {product.trim_width} by {product.trim_height} in.",
        )
    if book.bleed != product.bleed:
        yield PreflightIssue(
            PreflightCode.BLEED, None, f"The bleed is {book.bleed} in instead of {product.bleed} in."
        )
    count = book.page_count
    if count < product.minimum_pages:
        yield PreflightIssue(
            PreflightCode.PAGE_COUNT_MIN, None, f"{count} pages; at least {product.minimum_pages} are needed."
        )
    if count > product.maximum_pages:
        yield PreflightIssue(
            PreflightCode.PAGE_COUNT_MAX,
            None,
            f"{count} pages; at most {product.maximum_pages} can be bound.",
        )
    if count % product.page_multiple:
        yield PreflightIssue(
            PreflightCode.PAGE_COUNT_MULTIPLE,
            None,
            f"{count} pages; the number must be a multiple of {product.page_multiple}.",
        )


def _check_page_count(book: BookFormat, interior: PdfFacts) -> Iterator[PreflightIssue]:
    if len(interior.pages) != book.page_count:
        yield PreflightIssue(
            PreflightCode.PAGE_COUNT, None, f"{len(interior.pages)} pages instead of {book.page_count}."
        )


def _check_page_sizes(book: BookFormat, interior: PdfFacts) -> Iterator[PreflightIssue]:
    expected = compute_page_size(book)
    for number, size in enumerate(interior.pages, 1):
        if not _fits(size, expected):
            yield PreflightIssue(
                PreflightCode.PAGE_SIZE,
                number,
                f"{_format_size(size)} instead of {_format_size(expected)} with bleed.",
            )


def _check_cover(product: Product, book: BookFormat, cover: PdfFacts) -> Iterator[PreflightIssue]:
    if len(cover.pages) != 1:
        yield PreflightIssue(
            PreflightCode.COVER_PAGE_COUNT, None, f"The cover has {len(cover.pages)} pages instead of one."
        )
        return
    # Above the largest page count the spine has no width; the page count is an issue of its own.
    if book.page_count > product.maximum_pages:
        return
    expected = compute_cover_size(book)
    if not _fits(cover.pages[0], expected):
        yield PreflightIssue(
            PreflightCode.COVER_SIZE,
            None,
            f"The cover is {_format_size(cover.pages[0])} instead of {_format_size(expected)}.",
        )


def _check_fonts(part: str, facts: PdfFacts) -> Iterator[PreflightIssue]:
    for number, name in facts.unembedded_fonts:
        yield PreflightIssue(
            PreflightCode.FONT_NOT_EMBEDDED,
            _get_interior_page(part, number),
            f"The {part} lacks the font {name}.",
        )


def _check_resolutions(part: str, facts: PdfFacts, minimum: int) -> Iterator[PreflightIssue]:
    for picture in facts.pictures:
        if picture.ppi < minimum:
            yield PreflightIssue(
                PreflightCode.LOW_PPI,
                _get_interior_page(part, picture.page),
                f"A picture of the {part} has {int(picture.ppi)} pixels per inch; {minimum} are needed.",
            )


def _get_interior_page(part: str, number: int) -> int | None:
    return number if part == "interior" else None


def _fits(size: Size, expected: Size) -> bool:
    return abs(size.width - expected.width) <= _TOLERANCE and abs(size.height - expected.height) <= _TOLERANCE


def _format_size(size: Size) -> str:
    return f"{size.width / 72:.3f} by {size.height / 72:.3f} in"
