"""Whether a text fits on its page, measured by setting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import orjson
import typst

from subgraphs.books.layouts import Layout
from subgraphs.books.typesetting.fonts import fallback_families, fonts
from subgraphs.books.typesetting.press import TEMPLATES

Box = Layout | Literal["BLURB"]
"""What a text is set into: a page of some layout, or the back cover."""

CHARACTERS: Mapping[Box, int] = {
    Layout.TITLE: 100,
    Layout.IMPRINT: 400,
    Layout.DEDICATION: 300,
    Layout.TEXT: 420,
    Layout.FULL_BLEED: 0,
    Layout.TEXT_BELOW: 200,
    Layout.CLOSING: 200,
    "BLURB": 540,
}
"""How long a running text may be: so many of the widest characters there are still fit."""


def fitting_characters(box: Box, text: str) -> int:
    """How many characters of this text its box can show; all of them when it fits.

    Many short lines take more room than their characters tell, so the text itself is set and measured.
    """
    considered = text[: CHARACTERS[box]]
    if not considered:
        return 0
    measured = typst.query(
        TEMPLATES / "fit.typ",
        "<fitting>",
        field="value",
        one=True,
        root=TEMPLATES,
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={"fonts": fallback_families(), "box": str(box), "text": considered},
    )
    return int(orjson.loads(measured))
