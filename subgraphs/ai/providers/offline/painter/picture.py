"""One picture of a book: composed as SVG and rendered as a PNG in sRGB."""

from __future__ import annotations

import typst

from subgraphs.ai.providers.offline.painter.stage import compose
from subgraphs.ai.providers.protocol import StoryBrief

SIZE = 2625
"""Pixels of an edge: 8.75 inches, which is the trimmed page and its bleed, at 300 to the inch."""

_PAGE = b"""#set page(width: 630pt, height: 630pt, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", width: 100%, height: 100%)"""


def paint(brief: StoryBrief, number: int | None, take: int) -> bytes:
    """Draw the picture of a scene, or of the cover; the same for the same input."""
    svg = compose(brief, number, take)
    return typst.compile(_PAGE, format="png", ppi=300, sys_inputs={"svg": svg}, ignore_system_fonts=True)
