"""Progressive overrides: which fields have moved to their new subgraph, for one request.

A field moves under a label. `percent(x)` is active for that share of the requests; any other label is one
that only a deployment's own code could judge, so it is never active and its field stays where it was.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from router.supergraph import Supergraph

Labels: TypeAlias = frozenset[str]
Draw: TypeAlias = Callable[[], float]
NONE: Labels = frozenset()

_PERCENT = re.compile(r"percent\((\d{1,3}(?:\.\d{1,8})?)\)")


class Overrides:
    """The labels of a supergraph, and the share of requests that each is active for.

    One number is drawn for a request and held against every label, so that there are at most as many sets of
    active labels as there are percentages, and one more.
    """

    def __init__(self, supergraph: Supergraph, draw: Draw = random.random) -> None:
        self._shares = _shares(supergraph)
        self._draw = draw

    def active(self) -> Labels:
        """The labels that are active for a new request; `draw` gives a number from 0 up to 1."""
        if not self._shares:
            return NONE
        drawn = self._draw() * 100
        return frozenset(label for label, share in self._shares.items() if drawn < share)


def _shares(supergraph: Supergraph) -> Mapping[str, float]:
    labels = {
        join.label_active
        for type_ in supergraph.types.values()
        for joins in type_.fields.values()
        for join in joins.values()
        if join.label_active
    }
    return {label: float(match[1]) for label in sorted(labels) if (match := _PERCENT.fullmatch(label))}
