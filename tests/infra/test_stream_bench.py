"""The benchmark of live streams, with few watchers."""

from pathlib import Path

import pytest

from infra.bench.streams.measurements import StreamBench, build_settings
from infra.bench.streams.watchers import raise_file_limit
from infra.errors import InfraError
from infra.local import Stack


async def test_live_streams_are_measured_through_a_whole_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    settings = build_settings(20, 5) | {"OFFLINE_WORDS_PER_SECOND": "500"}
    stack = Stack(tmp_path, ports="free", settings=settings, durable=False)
    async with stack, StreamBench.of(stack) as bench:
        empty, idle = await bench.measure_idle((0, 20), 1, generations=3)
        assert (empty.watchers, idle.watchers) == (0, 20)
        # The rows of all streams are checked by one statement and its transaction, now and then.
        assert idle.load.statements < 10
        assert idle.load.commands < 5
        assert idle.kibibytes["router"] > 0
        alike = await bench.measure_fan_out(20, are_alike=True)
        apart = await bench.measure_fan_out(20, are_alike=False)
        for figures in (alike, apart):
            assert figures.events > 100
            assert 0 < figures.delay_milliseconds[0] <= figures.delay_milliseconds[1]
            assert figures.end_milliseconds < figures.seconds * 1000
        admission = await bench.measure_admission(20, 5, generations=3)
        assert (admission.accepted, admission.completed, admission.accepted_again) == (20, 20, 20)
        assert admission.refusals == {"TOO_MANY_OPERATIONS": 5}
        assert 0 < admission.later_refusal_milliseconds[0] <= admission.later_refusal_milliseconds[1]


def test_a_hard_limit_of_open_files_that_is_too_low_is_reported():
    with pytest.raises(InfraError, match=r"the hard limit is \d+ \(ulimit -Hn\)"):
        raise_file_limit(10**9)
