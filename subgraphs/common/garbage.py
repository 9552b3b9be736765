"""The garbage collector of a process that serves: full collections are rare and short."""

from __future__ import annotations

import gc
from typing import Final

# What requests allocate dies with them, nearly always without cycles. A search of all that is kept holds the
# event loop; it is made at times all the same, for the cycles of errors and their tracebacks.
_THRESHOLDS: Final = (2_000, 10, 1_000)


def tune() -> None:
    """Take what the start made, most of all the schema, out of every later collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
