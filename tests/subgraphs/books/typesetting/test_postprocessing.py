"""Postprocessing of PDFs for print."""

import struct
import zlib
from io import BytesIO

import typst
from pypdf import PdfReader
from pypdf.generic import RectangleObject

from subgraphs.books.typesetting.postprocessing import postprocess
from tests.subgraphs.books.typesetting.manuscripts import build_manuscript, typeset_cover, typeset_interior
from tests.support.pictures import build_png


def build_png_with_alpha(alpha: int) -> bytes:
    """A PNG of one colour with an alpha channel."""
    rows = (b"\x00" + bytes((200, 90, 30, alpha)) * 8) * 8
    header = struct.pack(">IIBBBBB", 8, 8, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return build_png()[:8] + b"".join(chunks)


def typeset_page(picture: bytes) -> bytes:
    numbers = ", ".join(map(str, picture))
    source = f"#set page(width: 100pt, height: 100pt, margin: 0pt)\n#image(bytes(({numbers})), width: 100%)"
    pdf = typst.compile(source.encode())
    assert b"/SMask" in pdf
    return pdf


def test_the_trim_box_lies_inside_the_bleed_box() -> None:
    content = build_manuscript()
    interior = PdfReader(BytesIO(typeset_interior(content).content)).pages
    assert all(page.trimbox == RectangleObject((9, 9, 621, 621)) for page in interior)
    assert all(page.bleedbox == page.mediabox for page in interior)
    [cover] = PdfReader(BytesIO(typeset_cover(content).content)).pages
    assert cover.trimbox == RectangleObject((63, 63, 1305, 675))


def test_an_opaque_soft_mask_is_removed() -> None:
    processed = postprocess(typeset_page(build_png_with_alpha(255)), 0.125)
    assert b"/SMask" not in processed
    assert len(PdfReader(BytesIO(processed)).pages) == 1


def test_a_translucent_soft_mask_is_kept() -> None:
    assert b"/SMask" in postprocess(typeset_page(build_png_with_alpha(128)), 0.125)


def test_postprocessing_is_deterministic_and_keeps_the_pdf_version() -> None:
    pdf = typeset_page(build_png_with_alpha(255))
    assert postprocess(pdf, 0.125) == postprocess(pdf, 0.125)
    assert postprocess(pdf, 0.125)[:8] == pdf[:8] == b"%PDF-1.7"
