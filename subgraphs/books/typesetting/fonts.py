"""The fonts used in print, and the characters they cover."""

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
_INVISIBLE_CATEGORIES = {"Cf", "Zl", "Zp"}
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


@cache
def load_fonts() -> typst.Fonts:
    """Load the packaged fonts only, so that lines break alike on every machine."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=list(_FOLDERS))


@cache
def list_fallback_families() -> str:
    """List the fallback font families as JSON for the templates: scripts, then emoji, then symbols."""
    last = ["Noto Emoji", "Noto Sans Symbols"]
    scripts = {family for family in load_fonts().families() if family.startswith("Noto Sans")} - set(last)
    return orjson.dumps(["Lexend", *sorted(scripts), *last]).decode()


def find_unprintable(text: str) -> list[str]:
    """Find the distinct characters for which no font has a glyph, sorted."""
    return sorted({char for char in text if not _has_glyph(char)})


def remove_unprintable(text: str) -> str:
    """Remove the characters for which no font has a glyph."""
    return "".join(char for char in text if _has_glyph(char))


def _has_glyph(char: str) -> bool:
    return (
        ord(char) in _load_glyphs()
        or char == "\n"
        or unicodedata.category(char) in _INVISIBLE_CATEGORIES
        or ord(char) in _VARIATION_SELECTORS
    )


@cache
def _load_glyphs() -> frozenset[int]:
    return frozenset(code for file in _list_font_files() for code in _read_codes(file))


def _list_font_files() -> Iterator[Path]:
    for folder in _FOLDERS:
        yield from sorted(folder.glob("*.ttf"))


def _read_codes(file: Path) -> set[int]:
    with TTFont(file, lazy=True) as font:
        return set(font.getBestCmap())
