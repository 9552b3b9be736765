"""Log lines and trace context."""

import logging
import sys

import orjson
import pytest

from router.telemetry import JsonFormatter, Trace, current_trace

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def build_record(level: int = logging.INFO, **extra: object) -> logging.LogRecord:
    record = logging.LogRecord("router", level, __file__, 1, "Hello %s", ("there",), None)
    record.created = 0.5
    record.__dict__.update(extra)
    return record


def test_log_lines_have_the_format_of_the_platform():
    token = current_trace.set(Trace.begin(TRACEPARENT))
    line = orjson.loads(JsonFormatter().format(build_record(metadata={"n": 1})))
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
def test_levels_have_the_names_of_the_platform(level: int, name: str):
    assert orjson.loads(JsonFormatter().format(build_record(level)))["level"] == name


def test_an_exception_is_logged_in_full():
    try:
        raise ValueError("torn")
    except ValueError:
        line = orjson.loads(JsonFormatter().format(build_record(exc_info=sys.exc_info())))
    assert "ValueError: torn" in line["metadata"]["exception"]


@pytest.mark.parametrize(
    ("text", "logged"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\r\nb\x00\x7f\x9b", r"a\r\nb\x00\x7f\x9b"),
        ("Mia\u202e\u2066\u200b\u2028", r"Mia\u202e\u2066\u200b\u2028"),
        ("half \ud83d", r"half \ud83d"),
        ("José 李小龙 👩", "José 李小龙 👩"),
        ("a" * 1000, "a" * 1000),
        ("a" * 1001, "a" * 997 + "…"),
        ("é" * 501, "é" * 498 + "…"),
        ("\x1b" * 1_000_000, r"\x1b" * 249 + "\\…"),
    ],
)
def test_logged_text_is_short_and_has_no_control_characters(text: str, logged: str):
    metadata = {"value": text, text[:20]: 1, "in": [{"more": (text,)}]}
    record = build_record(metadata=metadata)
    record.msg, record.args = text, None
    text = JsonFormatter().format(record)
    line = orjson.loads(text)
    assert (line["message"], line["metadata"]["value"]) == (logged, logged)
    assert line["metadata"]["in"] == [{"more": [logged]}]
    assert text.isprintable()


def test_logged_metadata_is_bounded_in_size_and_depth():
    nested: list[object] = []
    nested.append(nested)
    metadata = {"long": list(range(1000)), "nested": nested, "number": 10**5000, "thing": object}
    logged = orjson.loads(JsonFormatter().format(build_record(metadata=metadata)))["metadata"]
    assert logged["long"] == list(range(100))
    assert logged["nested"] == [[[["…"]]]]
    assert len(logged["number"]) == 998  # and its last one takes three bytes
    assert logged["thing"] == "<class 'object'>"


def test_a_long_exception_is_logged_as_its_last_lines_each_shortened():
    try:
        raise ValueError("\n".join(f"{n}\x1b" + "a" * 2000 for n in range(200)))
    except ValueError:
        lines = orjson.loads(JsonFormatter().format(build_record(exc_info=sys.exc_info())))["metadata"][
            "exception"
        ]
    assert len(lines) == 100
    assert all(line.startswith(rf"{n}\x1baaa") for n, line in zip(range(100, 200), lines, strict=True))
    assert max(len(line.encode()) for line in lines) == 1000


def test_a_trace_continues_that_of_the_caller():
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
def test_a_new_trace_begins_without_a_valid_header(header: str | None):
    first, second = Trace.begin(header), Trace.begin(header)
    assert len(first.trace_id) == 32
    assert first.trace_id != second.trace_id
