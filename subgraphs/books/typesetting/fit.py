"""Measurement of how much text fits on a page, by typesetting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import orjson
import typst

from subgraphs.books.layouts import Layout
from subgraphs.books.typesetting.fonts import list_fallback_families, load_fonts
from subgraphs.books.typesetting.typesetter import TEMPLATES

Box = Layout | Literal["BLURB"]
"""The box of a text: that of a page layout, or of the blurb on the back cover."""

MAX_CHARACTERS: Mapping[Box, int] = {
    Layout.TITLE: 100,
    Layout.IMPRINT: 400,
    Layout.DEDICATION: 300,
    Layout.TEXT: 420,
    Layout.FULL_BLEED: 0,
    Layout.TEXT_BELOW: 200,
    Layout.CLOSING: 200,
    "BLURB": 540,
}
"""The maximum length of a running text; that many of the widest characters still fit."""


def count_fitting_characters(box: Box, text: str) -> int:
    """Count how many of the text's characters fit into its box; all of them if it fits.

    Many short lines need more space than their number of characters suggests, so the text is typeset.
    """
    candidate = text[: MAX_CHARACTERS[box]]
    if not candidate:
        return 0
    result = typst.query(
        TEMPLATES / "fit.typ",
        "<fitting>",
        field="value",
        one=True,
        root=TEMPLATES,
        font_paths=load_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"fonts": list_fallback_families(), "box": str(box), "text": candidate},
    )
    return int(orjson.loads(result))
