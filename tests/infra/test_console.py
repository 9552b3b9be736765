"""Terminal output: log lines, tails and errors."""

import os

from infra.console import format_log_line, print_error
from infra.log_tail import Tail


def test_a_json_record_is_shown_in_brief():
    line = (
        '{"level":"warn","service":"books","timestamp":"2026-11-22T21:03:04.5Z","traceId":"ab",'
        '"message":"Slow","metadata":{"milliseconds":12,"path":["a","b"]}}'
    )
    assert format_log_line("books", line).plain == 'books     21:03:04 Slow  milliseconds=12  path=["a", "b"]'


def test_any_other_line_is_shown_unchanged():
    assert format_log_line("postgres", "LOG:  ready [x]").plain == "postgres  LOG:  ready [x]"
    assert format_log_line("postgres", '{"broken').plain == 'postgres  {"broken'
    assert format_log_line("postgres", '["a list"]').plain == 'postgres  ["a list"]'


def test_a_traceback_is_shown_in_full_on_lines_of_its_own():
    line = '{"message":"Failed","metadata":{"exception":"Traceback:\\n  File x\\nBoom"}}'
    assert format_log_line("ai", line).plain == "ai         Failed\nTraceback:\n  File x\nBoom"


def test_long_metadata_is_truncated():
    line = '{"message":"m","metadata":{"body":"' + "x" * 300 + '"}}'
    assert format_log_line("ai", line).plain.endswith("x" * 200 + "…")


def test_a_tail_returns_each_complete_line_once(tmp_path):
    log = tmp_path / "one.log"
    log.write_text("old\n")
    tail = Tail(log, from_start=False)
    with log.open("a") as file:
        file.write("first\nsec")
    assert tail.read_lines() == ["first"]
    with log.open("a") as file:
        file.write("ond\n")
    assert tail.read_lines() == ["second"]
    assert tail.read_lines() == []


def test_a_tail_follows_rotation_and_truncation(tmp_path):
    log = tmp_path / "one.log"
    tail = Tail(log, from_start=True)
    assert tail.read_lines() == []
    log.write_text("run 1\n")
    assert tail.read_lines() == ["run 1"]
    log.rename(tmp_path / "one.1.log")
    log.write_text("run 2\n")
    assert tail.read_lines() == ["run 2"]
    os.truncate(log, 0)
    log.write_text("r3\n")
    assert tail.read_lines() == ["r3"]


def test_an_error_is_printed_on_one_line_without_markup(capsys):
    print_error("no [bold]such[/bold] thing: " + "x" * 200)
    assert capsys.readouterr().err == "error: no [bold]such[/bold] thing: " + "x" * 200 + "\n"


def test_control_characters_in_a_log_are_escaped():
    line = (
        '{"message":"\\u001b[2J\\nA line\\u202e","timestamp":"2026-11-22T21:\\u001b]0;x",'
        '"metadata":{"name":"\\u009b31m","exception":["a\\u001b[1m","b"]}}'
    )
    for shown in (
        format_log_line("ai", line).plain,
        format_log_line("postgres", "LOG: \x1b[31m\x07\x9b").plain,
    ):
        assert all(char.isprintable() or char == "\n" for char in shown)
    assert "\\x1b[2J\\nA line\\u202e" in format_log_line("ai", line).plain
    assert format_log_line("ai", line).plain.splitlines()[1:] == ["a\\x1b[1m", "b"]
