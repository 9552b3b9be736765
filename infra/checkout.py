"""Where this checkout is, and where its platform keeps its data."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("MEMORABLE_DATA_DIR") or ROOT / ".memorable").resolve()
