"""The log lines of completed operations."""

import io
import logging
import sys
from collections.abc import Iterator

import orjson
import pytest

from router.pipeline import operation_log
from router.pipeline.operation_log import OperationLog
from router.telemetry import Metrics, log


@pytest.fixture(autouse=True)
def log_at_info() -> Iterator[None]:
    before = log.level
    log.setLevel(logging.INFO)
    yield
    log.setLevel(before)


async def test_every_recorded_operation_is_a_log_line(capsys: pytest.CaptureFixture[str]):
    lines = OperationLog(Metrics())
    async with lines.run():
        lines.record("trace 1", "query", "Stars", "ok", 0.01234)
        lines.record("trace 2", "mutation", None, "error", 1.0)
    first, second = (orjson.loads(line) for line in capsys.readouterr().out.splitlines())
    del first["timestamp"]
    assert first == {
        "level": "info",
        "service": "router",
        "traceId": "trace 1",
        "message": "An operation completed",
        "metadata": {"operation": "query", "name": "Stars", "outcome": "ok", "milliseconds": 12.3},
    }
    assert second["metadata"] == {
        "operation": "mutation",
        "outcome": "error",
        "milliseconds": 1000.0,
    }


async def test_nothing_is_written_above_the_level_info(capsys: pytest.CaptureFixture[str]):
    log.setLevel(logging.WARNING)
    lines = OperationLog(Metrics())
    async with lines.run():
        lines.record("trace", "query", None, "ok", 0.1)
    assert capsys.readouterr().out == ""


async def test_lines_beyond_the_queue_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(operation_log, "MAX_QUEUED", 3)
    metrics, output = Metrics(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    lines = OperationLog(metrics)
    for _ in range(5):
        lines.record("trace", "query", None, "ok", 0.1)
    async with lines.run():
        pass
    assert len(output.getvalue().splitlines()) == 3
    assert metrics.registry.get_sample_value("router_dropped_log_lines_total") == 2.0
