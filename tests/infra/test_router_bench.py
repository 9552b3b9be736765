"""The router's own bench, with few requests."""

from pathlib import Path

import pytest

from infra.bench.router.measure import measure
from infra.bench.router.town import SCHEMAS
from infra.errors import InfraError


async def test_a_router_is_measured_on_right_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # Traced, planning its large operations takes longer than any may on a busy machine.
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    monkeypatch.setattr("infra.bench.router.measure.WARM_UP", 10)
    figures = await measure(tmp_path, 40)
    assert figures.fetches_per_request == 6
    assert figures.cpu_seconds_per_thousand > 0
    assert figures.median_milliseconds <= figures.p95_milliseconds
    assert figures.mebibytes > 0


async def test_a_router_that_cannot_answer_is_not_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(SCHEMAS, "store", SCHEMAS["store"].replace("copies", "shelves"))
    with pytest.raises(ExceptionGroup) as raised:
        await measure(tmp_path, 40)
    assert raised.group_contains(InfraError, match="The router answered 200")
