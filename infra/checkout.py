"""Where this checkout is, and where its platform keeps its data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("MEMORABLE_DATA_DIR") or ROOT / ".memorable").resolve()


def become(command: Sequence[str]) -> NoReturn:
    """Go on as another program, in the checkout's folder: what ends this process ends that."""
    os.chdir(ROOT)
    os.execv(command[0], list(command))  # noqa: S606 - no shell is wanted
