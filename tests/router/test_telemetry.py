"""Log lines and trace context."""

import logging
import sys

import orjson
import pytest

from router.telemetry import JsonFormatter, Trace, current_trace

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def record(level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("router", level, __file__, 1, "Hello %s", ("there",), None)
    made.created = 0.5
    made.__dict__.update(extra)
    return made


def test_a_log_line_has_the_form_of_the_system():
    token = current_trace.set(Trace.begin(TRACEPARENT))
    line = orjson.loads(JsonFormatter().format(record(metadata={"n": 1})))
    current_trace.reset(token)
    assert line == {
        "level": "info",
        "service": "router",
        "timestamp": "1970-01-01T00:00:00.500+00:00",
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "message": "Hello there",
        "metadata": {"n": 1},
    }


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (logging.DEBUG, "debug"),
        (logging.WARNING, "warn"),
        (logging.ERROR, "error"),
        (logging.CRITICAL, "error"),
    ],
)
def test_levels_have_the_names_of_the_system(level: int, name: str):
    assert orjson.loads(JsonFormatter().format(record(level)))["level"] == name


def test_an_exception_is_logged_whole():
    try:
        raise ValueError("torn")
    except ValueError:
        line = orjson.loads(JsonFormatter().format(record(exc_info=sys.exc_info())))
    assert "ValueError: torn" in line["metadata"]["exception"]


def test_a_trace_continues_the_callers():
    trace = Trace.begin(TRACEPARENT)
    assert trace.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert trace.traceparent == f"00-{trace.trace_id}-{trace.span_id}-01"
    assert trace.span_id != "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        TRACEPARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        TRACEPARENT + "-x",
    ],
)
def test_a_trace_begins_where_the_caller_brings_none(header: str | None):
    first, second = Trace.begin(header), Trace.begin(header)
    assert len(first.trace_id) == 32
    assert first.trace_id != second.trace_id
