"""PDF files for preflight: good ones from Typst, and broken ones made by changing those."""

from collections.abc import Callable
from io import BytesIO

import typst
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, NumberObject

PAGE = 8.75
COVER = (19.0, 10.25)

Change = Callable[[PdfWriter], None]


def build_book(
    pages: int = 32,
    width: float = PAGE,
    height: float = PAGE,
    *,
    drawing: str = "none",
    change: Change | None = None,
) -> bytes:
    """A PDF with a line of text in an embedded font on each page, and a drawing in Typst's language."""
    source = f"""
    #set page(width: {width}in, height: {height}in, margin: 1in)
    #for number in range({pages}) [
        #if number > 0 {{ pagebreak() }}
        Page #(number + 1) of a small book. #{drawing}
    ]
    """
    return change_file(typst.compile(source.encode()), change)


def build_cover(width: float = COVER[0], height: float = COVER[1], *, change: Change | None = None) -> bytes:
    """Build a cover sheet."""
    return build_book(1, width, height, change=change)


def change_file(content: bytes, change: Change | None) -> bytes:
    """Change the structure of a file."""
    if change is None:
        return content
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    change(writer)
    with BytesIO() as target:
        writer.write(target)
        return target.getvalue()


def draw_picture(pixels: int, inches: float, page: int, *, wrapped: bool = False) -> Change:
    """Draw a square picture at a size; `wrapped` draws it from inside a form that is scaled by half."""

    def draw(writer: PdfWriter) -> None:
        points = inches * 72
        image = _stream(b"\x80" * pixels * pixels, Subtype="/Image", ColorSpace="/DeviceGray")
        for key, number in (("/Width", pixels), ("/Height", pixels), ("/BitsPerComponent", 8)):
            image[NameObject(key)] = NumberObject(number)
        reference = writer._add_object(image.flate_encode())
        if wrapped:
            form = _stream(f"{points * 2} 0 0 {points * 2} 0 0 cm /Picture Do".encode(), Subtype="/Form")
            form[NameObject("/Resources")] = _x_objects("/Picture", reference)
            reference = writer._add_object(form)
            points = 0.5
        _append(writer, page, f"q {points} 0 0 {points} 10 10 cm /Drawn Do Q".encode(), "/XObject", reference)

    return draw


def use_standard_font(page: int) -> Change:
    """Write with Helvetica as a viewer brings it, without its file."""

    def write(writer: PdfWriter) -> None:
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        _append(writer, page, b"BT /Drawn 12 Tf (Loose) Tj ET", "/Font", writer._add_object(font))

    return write


def encrypt(writer: PdfWriter) -> None:
    """Encrypt the file with a password."""
    writer.encrypt("secret", algorithm="RC4-128")


def resize(page: int, width: float, height: float) -> Change:
    """Give one page another size, in points."""

    def crop(writer: PdfWriter) -> None:
        writer.pages[page - 1].mediabox.upper_right = (width, height)

    return crop


def rotate(page: int) -> Change:
    """Turn one page by a quarter."""

    def turn(writer: PdfWriter) -> None:
        writer.pages[page - 1].rotate(90)

    return turn


def _append(writer: PdfWriter, page: int, operators: bytes, kind: str, reference: object) -> None:
    target = writer.pages[page - 1]
    contents = target.get_contents()
    assert contents is not None
    drawn = DecodedStreamObject()
    drawn.set_data(b"q\n" + contents.get_data() + b"\nQ\n" + operators)
    target[NameObject("/Contents")] = writer._add_object(drawn)
    resources = target["/Resources"].get_object()
    assert isinstance(resources, DictionaryObject)
    resources[NameObject(kind)] = DictionaryObject(
        {**resources.get(kind, {}), NameObject("/Drawn"): reference}
    )


def _stream(data: bytes, **names: str) -> DecodedStreamObject:
    stream = DecodedStreamObject()
    stream.set_data(data)
    stream[NameObject("/Type")] = NameObject("/XObject")
    for key, value in names.items():
        stream[NameObject(f"/{key}")] = NameObject(value)
    return stream


def _x_objects(name: str, reference: object) -> DictionaryObject:
    return DictionaryObject({NameObject("/XObject"): DictionaryObject({NameObject(name): reference})})
