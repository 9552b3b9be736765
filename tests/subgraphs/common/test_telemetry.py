"""Log lines in the format of the platform, and their trace."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest

from subgraphs.common.telemetry import build_traceparent, get_trace_id, start_trace

TRACE = "0af7651916cd43dd8448eb211c80319c"


def run_and_read_log(level: str, program: str) -> list[dict[str, Any]]:
    """Run a program in a process; return the lines that it logs."""
    source = (
        "import logging\n"
        "from subgraphs.common.telemetry import configure_logging, get_logger, start_trace\n"
        f"configure_logging('books', {level!r})\n{program}"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_log_lines_have_the_format_of_the_platform() -> None:
    [line] = run_and_read_log(
        "info", f"start_trace('00-{TRACE}-b7ad6b7169203331-01')\nget_logger().info('Made', pages=32)"
    )
    timestamp = datetime.fromisoformat(line.pop("timestamp"))
    assert timestamp.utcoffset() is not None
    assert line == {
        "level": "info",
        "service": "books",
        "traceId": TRACE,
        "message": "Made",
        "metadata": {"pages": 32},
    }


def test_a_line_without_details_has_no_metadata() -> None:
    [line] = run_and_read_log("info", "get_logger().info('Made')")
    assert line.keys() == {"level", "service", "timestamp", "traceId", "message"}


def test_levels_have_the_names_of_the_platform() -> None:
    lines = run_and_read_log(
        "debug",
        "for name in ('debug', 'info', 'warning', 'error', 'critical'): getattr(get_logger(), name)('x')",
    )
    assert [line["level"] for line in lines] == ["debug", "info", "warn", "error", "error"]


def test_requests_that_are_sent_are_not_logged() -> None:
    program = (
        "import httpx2\n"
        "answers = httpx2.MockTransport(lambda _: httpx2.Response(200))\n"
        "httpx2.Client(transport=answers).get('http://127.0.0.1/graphql')"
    )
    assert run_and_read_log("info", program) == []


@pytest.mark.parametrize(
    ("level", "logged"),
    [("debug", ["debug", "info", "warn", "error"]), ("warn", ["warn", "error"]), ("error", ["error"])],
)
def test_lines_below_the_level_are_not_logged(level: str, logged: list[str]) -> None:
    program = "log = get_logger()\nfor name in ('debug', 'info', 'warning', 'error'): getattr(log, name)('x')"
    assert [line["level"] for line in run_and_read_log(level, program)] == logged


def test_log_lines_of_libraries_have_the_same_format() -> None:
    [line] = run_and_read_log("info", "logging.getLogger('some.library').warning('Slow: %s', 3)")
    assert (line["level"], line["message"], line["metadata"]) == (
        "warn",
        "Slow: 3",
        {"logger": "some.library"},
    )


def test_an_exception_is_one_line_with_its_traceback() -> None:
    [line] = run_and_read_log(
        "info", "try: 1 / 0\nexcept ZeroDivisionError as error: get_logger().error('Broke', exc_info=error)"
    )
    assert line["metadata"]["exception"][-1] == "ZeroDivisionError: division by zero"


def test_a_trace_is_continued_and_propagated() -> None:
    assert start_trace(f"00-{TRACE}-b7ad6b7169203331-01") == TRACE == get_trace_id()
    version, passed_on, span, flags = build_traceparent().split("-")
    assert (version, passed_on, flags) == ("00", TRACE, "01")
    assert span != "b7ad6b7169203331"


@pytest.mark.parametrize(
    "header", [None, "", "nonsense", f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-{TRACE}-short-01"]
)
def test_a_request_without_a_trace_begins_one(header: str | None) -> None:
    begun = start_trace(header)
    assert len(begun) == 32
    assert int(begun, 16) > 0
    assert begun != TRACE


def test_the_address_of_an_outgoing_request_is_not_logged() -> None:
    program = (
        "import httpx2\n"
        "transport = httpx2.MockTransport(lambda _: httpx2.Response(200))\n"
        "httpx2.Client(transport=transport).get('http://shop.example/orders?search=ord_1')"
    )
    assert run_and_read_log("debug", program) == []
