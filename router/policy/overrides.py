"""Progressive overrides: which `@override` labels are active in a request.

A field with a label is resolved by its new subgraph in the percentage of requests in which the label is
active: that of `percent(x)`, or that of the router's settings for any label. A label without a percentage is
never active, so its field stays in its old subgraph.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from router.supergraph import Supergraph
from router.telemetry import log

Labels: TypeAlias = frozenset[str]
Percentages: TypeAlias = Mapping[str, float]
"""Percentages (0 to 100) by label."""
RandomNumber: TypeAlias = Callable[[], float]
"""Returns a random number from 0 up to 1."""
NO_LABELS: Labels = frozenset()

_PERCENT = re.compile(r"percent\((\d{1,3}(?:\.\d{1,8})?)\)")


class Overrides:
    """The labels of a supergraph, and the percentage of requests in which each is active.

    One random number decides about all labels of a request, so that there is at most one set of active labels
    more than there are percentages, and few plans. Configured percentages take precedence over those in
    labels. One for a label that the supergraph does not have is logged: it is misspelt, or its field has
    moved for good.
    """

    def __init__(
        self, supergraph: Supergraph, configured: Percentages, random_number: RandomNumber = random.random
    ) -> None:
        labels = frozenset(_collect_labels(supergraph))
        if unknown := sorted(configured.keys() - labels):
            log.warning("The supergraph has no such override labels", extra={"metadata": {"labels": unknown}})
        declared = {label: float(match[1]) for label in labels if (match := _PERCENT.fullmatch(label))}
        percentages = declared | dict(configured)
        self._percentages = {label: value for label, value in percentages.items() if label in labels}
        self._random_number = random_number

    def draw_active_labels(self) -> Labels:
        """Draws the labels that are active in a new request."""
        if not self._percentages:
            return NO_LABELS
        number = self._random_number() * 100
        return frozenset(label for label, percentage in self._percentages.items() if number < percentage)


def _collect_labels(supergraph: Supergraph) -> Iterator[str]:
    for type_ in supergraph.types.values():
        for joins in type_.fields.values():
            yield from (join.label_active for join in joins.values() if join.label_active)
