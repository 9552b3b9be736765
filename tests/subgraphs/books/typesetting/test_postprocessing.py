"""Postprocessing of PDFs for print."""

import struct
import tracemalloc
import zlib
from io import BytesIO

import typst
from pypdf import PdfReader
from pypdf.generic import RectangleObject

from subgraphs.books.typesetting.postprocessing import postprocess
from tests.subgraphs.books.typesetting.manuscripts import build_manuscript, typeset_cover, typeset_interior
from tests.support.pictures import build_png


def build_png_with_alpha(alpha: int, *, red: int = 200, side: int = 8) -> bytes:
    """A PNG of one colour with an alpha channel."""
    rows = (b"\x00" + bytes((red, 90, 30, alpha)) * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return build_png()[:8] + b"".join(chunks)


def typeset_page(*pictures: bytes) -> bytes:
    source = "#set page(width: 100pt, height: 100pt, margin: 0pt)\n" + "\n".join(
        f"#image(bytes(({', '.join(map(str, picture))})), width: 10%)" for picture in pictures
    )
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


def test_each_picture_of_a_size_keeps_or_loses_its_own_soft_mask() -> None:
    pdf = typeset_page(*(build_png_with_alpha(alpha, red=alpha) for alpha in (255, 128, 254)))
    assert (pdf.count(b"/SMask"), postprocess(pdf, 0.125).count(b"/SMask")) == (3, 2)


def test_equal_soft_masks_are_decoded_once() -> None:
    side, count = 1000, 8
    pdf = typeset_page(*(build_png_with_alpha(255, red=red, side=side) for red in range(count)))
    tracemalloc.start()
    try:
        assert b"/SMask" not in postprocess(pdf, 0.125)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < count / 2 * side * side


def test_postprocessing_is_deterministic_and_keeps_the_pdf_version() -> None:
    pdf = typeset_page(build_png_with_alpha(255))
    assert postprocess(pdf, 0.125) == postprocess(pdf, 0.125)
    assert postprocess(pdf, 0.125)[:8] == pdf[:8] == b"%PDF-1.7"
