"""Rendering of a picture: composed as SVG, rendered to PNG in sRGB."""

from __future__ import annotations

import typst

from subgraphs.ai.providers.offline.painter.stage import compose
from subgraphs.ai.providers.story import StoryBrief

SIZE = 2625
"""Edge length in pixels, enough for 8.75 inches at 300 ppi."""

_PAGE = b"""#set page(width: 630pt, height: 630pt, margin: 0pt)
#image(bytes(sys.inputs.svg), format: "svg", width: 100%, height: 100%)"""


def paint(brief: StoryBrief, number: int | None, take: int) -> bytes:
    """Paint the picture of a scene, or of the cover, as a PNG; the same input gives the same bytes."""
    svg = compose(brief, number, take)
    return typst.compile(_PAGE, format="png", ppi=300, sys_inputs={"svg": svg}, ignore_system_fonts=True)
