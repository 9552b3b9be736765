"""The router benchmark, with few requests."""

from pathlib import Path

import pytest

from infra.bench.router.measure import measure
from infra.bench.router.workload import SCHEMAS
from infra.errors import InfraError


async def test_a_router_is_measured_on_correct_responses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # Under coverage, planning the large queries can exceed the router's time limit on a busy machine.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    monkeypatch.setattr("infra.bench.router.measure.WARM_UP_REQUESTS", 10)
    figures = await measure(tmp_path, 40)
    assert figures.fetches_per_request == 6
    assert figures.cpu_seconds_per_thousand > 0
    assert figures.median_milliseconds <= figures.p95_milliseconds
    assert figures.mebibytes > 0


async def test_an_unexpected_response_fails_the_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(SCHEMAS, "store", SCHEMAS["store"].replace("copies", "shelves"))
    with pytest.raises(ExceptionGroup) as raised:
        await measure(tmp_path, 40)
    assert raised.group_contains(InfraError, match="The router answered 200")
