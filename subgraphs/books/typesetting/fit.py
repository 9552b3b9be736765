"""Whether a text fits on its page, measured by setting it."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import typst

from subgraphs.books.layouts import Layout
from subgraphs.books.typesetting.fonts import fallback_families, fonts
from subgraphs.books.typesetting.press import TEMPLATES

CHARACTERS: Mapping[Layout, int] = {
    Layout.TITLE: 100,
    Layout.IMPRINT: 400,
    Layout.DEDICATION: 250,
    Layout.TEXT: 500,
    Layout.FULL_BLEED: 0,
    Layout.TEXT_BELOW: 200,
    Layout.CLOSING: 200,
}
"""How long a running text of each layout may be: so many of the widest letters still fit."""


def fitting_characters(layout: Layout, text: str) -> int:
    """How many characters of this text its page can show; all of them when it fits.

    Many short lines take more room than their characters tell, so the text itself is set and measured.
    """
    limit = min(len(text), CHARACTERS[layout])
    if limit == 0:
        return 0
    measured = typst.query(
        TEMPLATES / "fit.typ",
        "<fitting>",
        field="value",
        one=True,
        root=TEMPLATES,
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={"fonts": fallback_families(), "layout": layout, "text": text[:limit]},
    )
    return int(orjson.loads(measured))
