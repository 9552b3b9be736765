"""The garbage collector of a server: short collections, and little garbage between them."""

from __future__ import annotations

import gc
from typing import Final

# What requests allocate is nearly always freed without the collector. Refused ones leave cycles, which have
# grown old where a document or an answer was large: up to 200,000 such objects are kept until a full
# collection, which takes some 10 ms.
_THRESHOLDS: Final = (2_000, 10, 10)


def tune() -> None:
    """Exempt what exists after the start, above all the schema, from every later collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
