"""The oracle, which decides what an attack may cost and what it must not cause."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra.console import format_log_line
from tests.fuzz.attacks import Attack
from tests.fuzz.monitor import Usage
from tests.fuzz.parent import MARKER
from tests.fuzz.raw_client import Exchange

# CPU seconds for which the loop may be blocked by its own thread, and by all threads together.
MAX_BLOCKED_SECONDS = 0.020
MAX_STARVED_SECONDS = 0.100
# CPU seconds that a process may use after the last response.
MAX_AFTERWARDS_SECONDS = 2.0
# Two concurrent password hashes use 64 MiB each.
MAX_PEAK_MEBIBYTES = 160.0
# A log line contains several values of up to 1 kB each.
MAX_LINE_BYTES = 4096
MAX_LOG_BYTES, MAX_LOG_BYTES_PER_REQUEST = 16_384, 2048
MAX_SHOWN = 400
ALL_ATTACKS = "every attack"

# Kinds that other activity of a process, such as garbage collection, can cause; they must recur.
NEEDS_CONFIRMATION = frozenset({"blocked", "garbage", "starved", "memory", "busy"})
# Kinds after which the process is replaced before the next attack.
NEEDS_RESTART = frozenset({"stuck", "health", "ended"})

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FAILURE = re.compile(
    r"Traceback \(most recent call last\)|INTERNAL_SERVER_ERROR|never retrieved|never awaited"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation of the oracle's rules."""

    attack: str
    seed: int
    kind: str
    process: str
    description: str

    def __str__(self) -> str:
        summary = f"[{self.kind}] {self.process}: {self.description}"
        if self.attack == ALL_ATTACKS:
            return f"{summary}\n    after all attacks"
        return f"{summary}\n    reproduce: memorable fuzz --seed {self.seed} --only {self.attack}"


@dataclass(frozen=True, slots=True)
class Observation:
    """The observations of one attack.

    On a shared machine the same work costs more CPU time; `slack` multiplies the limits accordingly.
    """

    attack: Attack
    seed: int
    exchanges: Sequence[Exchange]
    violations: Sequence[str]
    usage: Mapping[str, Usage]
    log_lines: Mapping[str, Sequence[str]]
    unready: Sequence[str]
    bystander_requests: int
    bystander_failures: Sequence[str]
    secrets: Sequence[str]
    slack: float = 1.0


def evaluate(observation: Observation) -> list[Finding]:
    """Return the findings of an observation, similar ones combined."""
    name, seed = observation.attack.full_name, observation.seed
    similar: dict[tuple[str, str], dict[str, None]] = {}
    for kind, process, description in [
        *_check_responses(observation),
        *_check_usage(observation),
        *_check_logs(observation),
        *_check_bystanders(observation),
    ]:
        similar.setdefault((kind, process), {})[description] = None
    return [
        Finding(name, seed, kind, process, _summarize(list(descriptions)))
        for (kind, process), descriptions in similar.items()
    ]


def _summarize(descriptions: Sequence[str]) -> str:
    """Show the first of several descriptions, which differ only in their values."""
    first, *others = descriptions
    return f"{first} (and {len(others)} more)" if others else first


_Violations = Iterator[tuple[str, str, str]]


def _check_responses(observation: Observation) -> _Violations:
    target = observation.attack.target
    for violation in observation.violations:
        yield "protocol", target, violation
    for exchange in observation.exchanges:
        for kind in _find_violations(exchange, observation.attack):
            yield kind, target, str(exchange)
            break


def _find_violations(exchange: Exchange, attack: Attack) -> Iterator[str]:
    if exchange.outcome == "silent":
        yield "not answered"
    if exchange.outcome in ("closed", "refused") and not (attack.may_close or attack.is_burst):
        yield "closed"
    if exchange.status >= 500 and exchange.status != 503:
        yield "failed"
    if exchange.status == 503 and exchange.is_json and not attack.is_burst:
        yield "overloaded"
    if b"INTERNAL_SERVER_ERROR" in exchange.body:
        yield "failed"
    if exchange.outcome == "answered" and exchange.is_json and not _is_valid_json(exchange):
        yield "invalid JSON"


def _is_valid_json(exchange: Exchange) -> bool:
    if exchange.sent.startswith("HEAD "):
        return True
    if not exchange.body:
        return exchange.headers.get("content-length") in (None, "0")
    try:
        exchange.parse_json()
    except ValueError:
        return False
    return True


def _check_usage(observation: Observation) -> _Violations:
    for process, usage in observation.usage.items():
        # A worker serves no clients, so its loop may block.
        if not process.startswith("worker"):
            yield from _check_loop(observation, process, usage)
        if usage.has_ended:
            yield "ended", process, "the process ended"
        if usage.peak_growth > MAX_PEAK_MEBIBYTES:
            yield "memory", process, f"{usage.peak_growth:.0f} MiB more at its peak"
        if not usage.has_settled:
            yield "stuck", process, f"still busy {usage.cpu_afterwards:.1f} CPU s after the responses"
        elif usage.cpu_afterwards > MAX_AFTERWARDS_SECONDS:
            yield "busy", process, f"used {usage.cpu_afterwards:.1f} CPU s after the responses"


def _check_loop(observation: Observation, process: str, usage: Usage) -> _Violations:
    blocked, starved = MAX_BLOCKED_SECONDS * observation.slack, MAX_STARVED_SECONDS * observation.slack
    if usage.gc > blocked:
        yield "garbage", process, f"garbage collection blocked the loop for {_format_milliseconds(usage.gc)}"
    if observation.attack.is_burst:
        requests = max(1, len(observation.exchanges))
        if (each := usage.loop_seconds / requests) > blocked and process == observation.attack.target:
            yield (
                "blocked",
                process,
                f"{_format_milliseconds(each)} of loop time for each of {requests} requests",
            )
    elif usage.blocked > blocked:
        yield (
            "blocked",
            process,
            f"the loop was blocked for {_format_milliseconds(usage.blocked)} of CPU time in\n{usage.stack}",
        )
    elif usage.starved > starved:
        yield (
            "starved",
            process,
            f"other threads starved the loop for {_format_milliseconds(usage.starved)} of CPU time",
        )


def _format_milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _check_logs(observation: Observation) -> _Violations:
    requests = len(observation.exchanges) + observation.bystander_requests
    for process, lines in observation.log_lines.items():
        if (size := sum(map(len, lines))) > MAX_LOG_BYTES + MAX_LOG_BYTES_PER_REQUEST * requests:
            yield "log size", process, f"{size} bytes of log for {requests} requests"
        for text in _join_plain_lines(lines):
            if any(_is_failure(line) for line in text.splitlines()):
                yield "logged failure", process, _shorten(text)
        for line in lines:
            yield from _check_line(process, line, observation.secrets)


def _join_plain_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield each JSON record, and each run of other lines as one text: a traceback has many lines."""
    for is_record, group in itertools.groupby(lines, lambda line: line.startswith("{")):
        texts = list(group)
        yield from texts if is_record else ["\n".join(texts)]


def _is_failure(line: str) -> bool:
    return _FAILURE.search(line) is not None or _read_level(line) == "error"


def _check_line(process: str, line: str, secrets: Iterable[str]) -> _Violations:
    if len(line.encode()) > MAX_LINE_BYTES:
        yield "log line", process, f"{len(line.encode())} bytes: {line[:MAX_SHOWN]}"
    if any(secret in line for secret in (MARKER, MARKER.lower(), *secrets)):
        yield "secret", process, f"personal data or a secret was logged: {line[:MAX_SHOWN]}"
    if control := _CONTROL.search(line) or _CONTROL.search(_format_line(process, line)):
        yield "control character", process, f"{control[0]!a} reaches the terminal: {line[:MAX_SHOWN]!a}"


def _read_level(line: str) -> str | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record.get("level") if isinstance(record, dict) else None


def _format_line(process: str, line: str) -> str:
    """Format a line as `memorable run` shows it, without the line breaks of a traceback."""
    return format_log_line(process, line).plain.replace("\n", " ")


def _shorten(line: str) -> str:
    """Shorten a long text to its beginning and its end, which say most about a failure."""
    return line if len(line) <= 2 * MAX_SHOWN else f"{line[:MAX_SHOWN]} … {line[-MAX_SHOWN:]}"


def _check_bystanders(observation: Observation) -> _Violations:
    for process in observation.unready:
        yield "health", process, "is not ready"
    for failure in observation.bystander_failures[:2]:
        yield "bystander", "router", f"another client's request failed: {failure}"
