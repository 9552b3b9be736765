"""Paths of this checkout, of its platform's data and of its settings."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("MEMORABLE_DATA_DIR") or ROOT / ".memorable").resolve()
ENV_FILE = Path(os.environ.get("MEMORABLE_ENV_FILE") or ROOT / ".env").resolve()


def replace_process(command: Sequence[str]) -> NoReturn:
    """Replace this process with a command run in the checkout's root, so that signals reach it directly."""
    os.chdir(ROOT)
    os.execv(command[0], list(command))  # noqa: S606 - no shell is needed
