"""Where this checkout is, and what a `.env` file in it says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = ROOT / ".memorable"


def settings_environ(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Merge `.env` with the process environment, which wins; names with empty values are left out."""
    merged = dotenv_values(ROOT / ".env") | dict(os.environ if environ is None else environ)
    return {name: value for name, value in merged.items() if value}
