"""Tuning of the garbage collector for a server: short collections, and little garbage between them."""

from __future__ import annotations

import gc
from typing import Final

# Nearly all objects of requests are freed by reference counting. Refused requests leave cycles, which reach
# the oldest generation if a document or an answer was large: up to 200,000 such objects are kept until a full
# collection, which takes some 10 ms.
_THRESHOLDS: Final = (2_000, 10, 10)


def tune_garbage_collector() -> None:
    """Exempt all existing objects, above all the schema, from later collections, and set the thresholds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
