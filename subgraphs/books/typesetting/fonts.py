"""The fonts of the press, and which characters they can print."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import fontpkg_baloo_2
import fontpkg_fredoka
import fontpkg_lexend
import manimgx_fonts
import orjson
import typst
from fontTools.ttLib import TTFont

_FOLDERS = (
    fontpkg_lexend.ROOT / "files",
    fontpkg_fredoka.ROOT / "files",
    fontpkg_baloo_2.ROOT / "files",
    Path(str(manimgx_fonts.__file__)).parent,
)
_WITHOUT_GLYPH = {"Cf", "Zl", "Zp"}
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


@cache
def fonts() -> typst.Fonts:
    """Only what comes with the distribution, so that every machine sets the same lines."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=list(_FOLDERS))


@cache
def fallback_families() -> str:
    """The families to look into for what the book's own fonts lack, as a JSON list for the templates.

    Scripts come first, then emoji, then symbols.
    """
    last = ["Noto Emoji", "Noto Sans Symbols"]
    scripts = {family for family in fonts().families() if family.startswith("Noto Sans")} - set(last)
    return orjson.dumps(["Lexend", *sorted(scripts), *last]).decode()


def unprintable(text: str) -> list[str]:
    """The characters of a text for which no font has a glyph, each once."""
    return sorted({char for char in text if not _has_glyph(char)})


def printable(text: str) -> str:
    """The text without what no font has a glyph for."""
    return "".join(char for char in text if _has_glyph(char))


def _has_glyph(char: str) -> bool:
    return (
        ord(char) in _glyphs()
        or char == "\n"
        or unicodedata.category(char) in _WITHOUT_GLYPH
        or ord(char) in _VARIATION_SELECTORS
    )


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(code for file in _files() for code in _codes(file))


def _files() -> Iterator[Path]:
    for folder in _FOLDERS:
        yield from sorted(folder.glob("*.ttf"))


def _codes(file: Path) -> set[int]:
    with TTFont(file, lazy=True) as font:
        return set(font.getBestCmap())
