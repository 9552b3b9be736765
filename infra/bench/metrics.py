"""The Prometheus metrics of the platform's processes."""

from __future__ import annotations

from collections.abc import Mapping

import httpx2
from prometheus_client.parser import text_string_to_metric_families

Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


async def read_samples(client: httpx2.AsyncClient, url: str) -> Samples:
    """Read all samples of a process, by name and labels."""
    answer = await client.get(f"{url}/metrics")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def sum_samples(samples: Samples, name: str, **labels: str) -> float:
    """Sum the samples of a counter that have these labels."""
    return sum(
        value
        for (sample, found), value in samples.items()
        if sample == name and labels.items() <= dict(found).items()
    )
