"""Finishing a PDF for the printer: where the sheet is cut, and no transparency that hides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pypdf import PdfReader, PdfWriter
from pypdf.generic import RectangleObject

from subgraphs.books.typesetting.geometry import POINTS_PER_INCH


def finish(pdf: bytes, margin: float) -> bytes:
    """Mark the trim on every page, so many inches inside the sheet, and drop masks of opaque pictures.

    The same PDF gives the same bytes.
    """
    reader = PdfReader(BytesIO(pdf))
    writer = PdfWriter(clone_from=reader)
    writer.pdf_header = reader.pdf_header
    inset = margin * POINTS_PER_INCH
    for page in writer.pages:
        left, bottom, right, top = (float(edge) for edge in page.mediabox)
        page.bleedbox = RectangleObject((left, bottom, right, top))
        page.trimbox = RectangleObject((left + inset, bottom + inset, right - inset, top - inset))
    for picture in _pictures(writer):
        if "/SMask" in picture and _is_opaque(picture["/SMask"].get_data()):
            del picture["/SMask"]
    writer.compress_identical_objects(remove_duplicates=False, remove_unreferenced=True)
    finished = BytesIO()
    writer.write(finished)
    return finished.getvalue()


def _is_opaque(mask: bytes) -> bool:
    return mask == b"\xff" * len(mask)


def _pictures(writer: PdfWriter) -> Iterator[Any]:
    for page in writer.pages:
        resources: Any = page["/Resources"]
        for entry in resources.get("/XObject", {}).values():
            found = entry.get_object()
            if found["/Subtype"] == "/Image":
                yield found
