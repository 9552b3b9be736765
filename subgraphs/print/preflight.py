"""Preflight: whether two files can be printed as this product, by machine-readable codes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from subgraphs.print.catalogue import Product
from subgraphs.print.geometry import Size, cover_sheet, interior_page
from subgraphs.print.pdf import Encrypted, PdfFacts, Unreadable, read_facts

_TOLERANCE = 1.0
"""Points: what print shops allow between a file and their template."""


class PreflightCode(StrEnum):
    """What can be wrong with a file."""

    UNREADABLE = "UNREADABLE"
    ENCRYPTED = "ENCRYPTED"
    CONTENT_CHANGED = "CONTENT_CHANGED"
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
    """One reason not to print; `page` is a page of the interior."""

    code: PreflightCode
    page: int | None
    message: str


@dataclass(frozen=True, slots=True)
class PreflightReport:
    """The outcome; `effective_ppi` is that of the coarsest picture, none where there is no picture."""

    checked_at: datetime
    effective_ppi: int | None
    issues: tuple[PreflightIssue, ...]

    @property
    def passed(self) -> bool:
        """Whether the files may be printed."""
        return not self.issues

    def as_json(self) -> dict[str, Any]:
        """The report as it is stored."""
        return asdict(self) | {"checked_at": self.checked_at.isoformat()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The report that `as_json` wrote."""
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
    """A file from the store, and the hash it had when it was approved."""

    content: bytes
    approved_sha256: str


def preflight(
    product: Product, interior: CandidateFile, cover: CandidateFile, now: datetime
) -> PreflightReport:
    """Check both files of a book; every issue is found, not only the first."""
    issues = [*_unchanged("interior", interior), *_unchanged("cover", cover)]
    inside = _read("interior", interior, issues)
    outside = _read("cover", cover, issues)
    if inside:
        issues += [*_page_count(product, inside), *_page_sizes(product, inside)]
    if outside:
        issues += _cover_sheet(product, inside, outside)
    for part, facts in (("interior", inside), ("cover", outside)):
        if facts:
            issues += [*_fonts(part, facts), *_pictures(part, facts, product.minimum_ppi)]
    resolutions = [picture.ppi for facts in (inside, outside) if facts for picture in facts.pictures]
    return PreflightReport(now, int(min(resolutions)) if resolutions else None, tuple(issues))


def _unchanged(part: str, file: CandidateFile) -> Iterator[PreflightIssue]:
    if hashlib.sha256(file.content).hexdigest() != file.approved_sha256:
        yield PreflightIssue(
            PreflightCode.CONTENT_CHANGED, None, f"The {part} is not the file that was approved."
        )


def _read(part: str, file: CandidateFile, issues: list[PreflightIssue]) -> PdfFacts | None:
    try:
        return read_facts(file.content)
    except Encrypted:
        issues.append(PreflightIssue(PreflightCode.ENCRYPTED, None, f"The {part} is encrypted."))
    except Unreadable as error:
        issues.append(
            PreflightIssue(PreflightCode.UNREADABLE, None, f"The {part} cannot be read as a PDF: {error}")
        )
    return None


def _page_count(product: Product, interior: PdfFacts) -> Iterator[PreflightIssue]:
    count = len(interior.pages)
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


def _page_sizes(product: Product, interior: PdfFacts) -> Iterator[PreflightIssue]:
    wanted = interior_page(product)
    for number, size in enumerate(interior.pages, 1):
        if not _fits(size, wanted):
            yield PreflightIssue(
                PreflightCode.PAGE_SIZE, number, f"{_show(size)} instead of {_show(wanted)} with bleed."
            )


def _cover_sheet(product: Product, interior: PdfFacts | None, cover: PdfFacts) -> Iterator[PreflightIssue]:
    if len(cover.pages) != 1:
        yield PreflightIssue(
            PreflightCode.COVER_PAGE_COUNT, None, f"The cover has {len(cover.pages)} pages instead of one."
        )
        return
    # Without a bindable page count there is no spine to measure against; that is an issue of its own.
    if interior is None or len(interior.pages) > product.maximum_pages:
        return
    wanted = cover_sheet(product, len(interior.pages))
    if not _fits(cover.pages[0], wanted):
        yield PreflightIssue(
            PreflightCode.COVER_SIZE,
            None,
            f"The cover is {_show(cover.pages[0])} instead of {_show(wanted)}.",
        )


def _fonts(part: str, facts: PdfFacts) -> Iterator[PreflightIssue]:
    for number, name in facts.unembedded_fonts:
        yield PreflightIssue(
            PreflightCode.FONT_NOT_EMBEDDED, _page(part, number), f"The {part} lacks the font {name}."
        )


def _pictures(part: str, facts: PdfFacts, minimum: int) -> Iterator[PreflightIssue]:
    for picture in facts.pictures:
        if picture.ppi < minimum:
            yield PreflightIssue(
                PreflightCode.LOW_PPI,
                _page(part, picture.page),
                f"A picture of the {part} has {int(picture.ppi)} pixels per inch; {minimum} are needed.",
            )


def _page(part: str, number: int) -> int | None:
    return number if part == "interior" else None


def _fits(size: Size, wanted: Size) -> bool:
    return abs(size.width - wanted.width) <= _TOLERANCE and abs(size.height - wanted.height) <= _TOLERANCE


def _show(size: Size) -> str:
    return f"{size.width / 72:.3f} by {size.height / 72:.3f} in"
