"""Progressive overrides: which fields have moved to their new subgraph, for one request.

A field moves under a label, which is active for a share of the requests: `percent(x)` says which, and any
label may be given one by the router's settings. A label without a share is never active, so that its field
stays where it was.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from router.supergraph import Supergraph
from router.telemetry import log

Labels: TypeAlias = frozenset[str]
Shares: TypeAlias = Mapping[str, float]
"""Percentages by label."""
Draw: TypeAlias = Callable[[], float]
NONE: Labels = frozenset()

_PERCENT = re.compile(r"percent\((\d{1,3}(?:\.\d{1,8})?)\)")


class Overrides:
    """The labels of a supergraph, and the share of requests that each is active for.

    One number is drawn for a request and held against every label, so that there are at most as many sets of
    active labels as there are percentages, and one more. Given shares win over those that labels name. A
    share for a label that the supergraph has not is logged: it is misspelt, or its field has moved for good.
    """

    def __init__(self, supergraph: Supergraph, given: Shares, draw: Draw = random.random) -> None:
        known = frozenset(_labels(supergraph))
        if unknown := sorted(given.keys() - known):
            log.warning("The supergraph has no such override labels", extra={"metadata": {"labels": unknown}})
        named = {label: float(match[1]) for label in known if (match := _PERCENT.fullmatch(label))}
        self._shares = {label: share for label, share in (named | dict(given)).items() if label in known}
        self._draw = draw

    def active(self) -> Labels:
        """The labels that are active for a new request; `draw` gives a number from 0 up to 1."""
        if not self._shares:
            return NONE
        drawn = self._draw() * 100
        return frozenset(label for label, share in self._shares.items() if drawn < share)


def _labels(supergraph: Supergraph) -> Iterator[str]:
    for type_ in supergraph.types.values():
        for joins in type_.fields.values():
            yield from (join.label_active for join in joins.values() if join.label_active)
