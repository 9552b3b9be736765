"""Postprocessing of PDFs for print: page boxes, and removal of opaque soft masks."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pypdf import PdfReader, PdfWriter
from pypdf.generic import RectangleObject

from subgraphs.books.typesetting.geometry import POINTS_PER_INCH


def postprocess(pdf: bytes, margin: float) -> bytes:
    """Set each page's trim box `margin` inches inside the sheet, and drop soft masks that mask nothing.

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
    _remove_opaque_masks(writer)
    writer.compress_identical_objects(remove_duplicates=False, remove_unreferenced=True)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def _remove_opaque_masks(writer: PdfWriter) -> None:
    """Remove opaque soft masks; equal ones, as pictures of one size have, are decoded once."""
    opaque: dict[bytes, bool] = {}
    for image in _list_images(writer):
        if "/SMask" not in image:
            continue
        mask = image["/SMask"]
        encoded = BytesIO()
        mask.write_to_stream(encoded)
        key = encoded.getvalue()
        if key not in opaque:
            opaque[key] = _is_opaque(mask.get_data())
        if opaque[key]:
            del image["/SMask"]


def _is_opaque(mask: bytes) -> bool:
    return mask == b"\xff" * len(mask)


def _list_images(writer: PdfWriter) -> Iterator[Any]:
    for page in writer.pages:
        resources: Any = page["/Resources"]
        for entry in resources.get("/XObject", {}).values():
            xobject = entry.get_object()
            if xobject["/Subtype"] == "/Image":
                yield xobject
