"""The garbage collector of a process that serves: searches are short, and little is kept until the next."""

from __future__ import annotations

import gc
from typing import Final

# What requests allocate dies with them, nearly always without cycles. What is refused leaves some, which of
# a large document or answer have grown old by then: at most 200,000 such objects are kept until all is
# searched, which takes some 10 ms.
_THRESHOLDS: Final = (2_000, 10, 10)


def tune() -> None:
    """Take what the start made, most of all the schema, out of every later collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
