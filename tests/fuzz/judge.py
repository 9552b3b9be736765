"""The judge: what an attack may cost, and what it must not do to anybody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra.console import format_log_line
from tests.fuzz.attacks import Attack
from tests.fuzz.parent import MARKER
from tests.fuzz.watch import Usage
from tests.fuzz.wire import Exchange

# How long a loop is held at most: by its own thread, and by all, one of which may keep the interpreter.
HELD_SECONDS = 0.020
STARVED_SECONDS = 0.100
# What a subgraph may go on with when all that was asked of it is answered or given up.
AFTERWARDS_SECONDS = 2.0
# Two passwords that are hashed at one time take 64 each.
PEAK_MEBIBYTES = 160.0
# A value is cut at 1 kB; a line has several, and a frame around them.
LINE_BYTES = 4096
LOG_BYTES, LOG_BYTES_EACH = 16_384, 2048
SHOWN = 400
EVERY_ATTACK = "every attack"

# What depends on what else a process was doing, such as collecting garbage, has to show each time.
TO_CONFIRM = frozenset({"held", "garbage", "starved", "memory", "busy"})
# What leaves a process that the next attack should not meet.
STOPPED = frozenset({"stuck", "health", "ended"})

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FAILURE = re.compile(
    r"Traceback \(most recent call last\)|INTERNAL_SERVER_ERROR|never retrieved|never awaited"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    attack: str
    seed: int
    kind: str
    process: str
    what: str

    def __str__(self) -> str:
        found = f"[{self.kind}] {self.process}: {self.what}"
        if self.attack == EVERY_ATTACK:
            return f"{found}\n    after all attacks"
        return f"{found}\n    again: memorable fuzz --seed {self.seed} --only {self.attack}"


@dataclass(frozen=True, slots=True)
class Observation:
    """All that was seen of one attack.

    Where others use the machine, the same work costs more CPU time: `slack` says how much more.
    """

    attack: Attack
    seed: int
    exchanges: Sequence[Exchange]
    complaints: Sequence[str]
    usage: Mapping[str, Usage]
    log_lines: Mapping[str, Sequence[str]]
    unwell: Sequence[str]
    bystander_requests: int
    bystander_failures: Sequence[str]
    secrets: Sequence[str]
    slack: float = 1.0


def findings(seen: Observation) -> list[Finding]:
    """What is wrong in an observation."""
    name, seed = seen.attack.full_name, seen.seed
    alike: dict[tuple[str, str], dict[str, None]] = {}
    for kind, process, what in [*_answers(seen), *_usage(seen), *_logs(seen), *_others(seen)]:
        alike.setdefault((kind, process), {})[what] = None
    return [
        Finding(name, seed, kind, process, _first(list(whats))) for (kind, process), whats in alike.items()
    ]


def _first(alike: Sequence[str]) -> str:
    """The first of those that differ in their values alone."""
    return alike[0] if len(alike) == 1 else f"{alike[0]} (and {len(alike) - 1} more)"


_Found = Iterator[tuple[str, str, str]]


def _answers(seen: Observation) -> _Found:
    target = seen.attack.target
    for complaint in seen.complaints:
        yield "protocol", target, complaint
    for exchange in seen.exchanges:
        for kind in _wrong(exchange, seen.attack):
            yield kind, target, str(exchange)
            break


def _wrong(exchange: Exchange, attack: Attack) -> Iterator[str]:
    if exchange.ending == "silent":
        yield "not answered"
    if exchange.ending in ("closed", "refused") and not (attack.may_hang_up or attack.is_burst):
        yield "hung up"
    if exchange.status >= 500 and exchange.status != 503:
        yield "failed"
    if exchange.status == 503 and exchange.is_json and not attack.is_burst:
        yield "overloaded"
    if b"INTERNAL_SERVER_ERROR" in exchange.body:
        yield "failed"
    if exchange.ending == "answered" and exchange.is_json and not _is_valid(exchange):
        yield "invalid JSON"


def _is_valid(exchange: Exchange) -> bool:
    if exchange.sent.startswith("HEAD "):
        return True
    if not exchange.body:
        return exchange.headers.get("content-length") in (None, "0")
    try:
        exchange.json()
    except ValueError:
        return False
    return True


def _usage(seen: Observation) -> _Found:
    for process, usage in seen.usage.items():
        # A worker has no clients; its loop may wait for what it makes.
        if not process.startswith("worker"):
            yield from _loop(seen, process, usage)
        if usage.has_ended:
            yield "ended", process, "the process has ended"
        if usage.peak_growth > PEAK_MEBIBYTES:
            yield "memory", process, f"{usage.peak_growth:.0f} MiB more at its peak"
        if not usage.has_settled:
            yield "stuck", process, f"works on and on: {usage.cpu_afterwards:.1f} s after the answers so far"
        elif usage.cpu_afterwards > AFTERWARDS_SECONDS:
            yield "busy", process, f"worked for {usage.cpu_afterwards:.1f} s after the answers"


def _loop(seen: Observation, process: str, usage: Usage) -> _Found:
    held, starved = HELD_SECONDS * seen.slack, STARVED_SECONDS * seen.slack
    if usage.collecting > held:
        yield "garbage", process, f"the loop was held for {_ms(usage.collecting)} by collecting garbage"
    if seen.attack.is_burst:
        asked = max(1, len(seen.exchanges))
        if (each := usage.loop_seconds / asked) > held and process == seen.attack.target:
            yield "held", process, f"{_ms(each)} of the loop for each of {asked} requests"
    elif usage.held > held:
        yield "held", process, f"the loop was held for {_ms(usage.held)} of CPU in\n{usage.where}"
    elif usage.starved > starved:
        yield "starved", process, f"other threads kept the loop waiting for {_ms(usage.starved)} of CPU"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _logs(seen: Observation) -> _Found:
    asked = len(seen.exchanges) + seen.bystander_requests
    for process, lines in seen.log_lines.items():
        if (size := sum(map(len, lines))) > LOG_BYTES + LOG_BYTES_EACH * asked:
            yield "log size", process, f"{size} bytes of log for {asked} requests"
        for line in lines:
            yield from _line(process, line, seen.secrets)


def _line(process: str, line: str, secrets: Iterable[str]) -> _Found:
    if _FAILURE.search(line) or _level(line) == "error":
        yield "logged failure", process, _end_of(line)
    if len(line.encode()) > LINE_BYTES:
        yield "log line", process, f"{len(line.encode())} bytes: {line[:SHOWN]}"
    if any(secret in line for secret in (MARKER, MARKER.lower(), *secrets)):
        yield "secret", process, f"a personal value or a secret is logged: {line[:SHOWN]}"
    if control := _CONTROL.search(line) or _CONTROL.search(_shown(process, line)):
        yield "control character", process, f"{control[0]!a} reaches the terminal: {line[:SHOWN]!a}"


def _level(line: str) -> str | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record.get("level") if isinstance(record, dict) else None


def _shown(process: str, line: str) -> str:
    """What `memorable run` shows of a line, but for the breaks of a traceback."""
    return format_log_line(process, line).plain.replace("\n", " ")


def _end_of(line: str) -> str:
    """What a failure says at its end, which tells more than how it began."""
    return line if len(line) <= 2 * SHOWN else f"{line[:SHOWN]} … {line[-SHOWN:]}"


def _others(seen: Observation) -> _Found:
    for process in seen.unwell:
        yield "health", process, "does not say that it is well"
    for failure in seen.bystander_failures[:2]:
        yield "bystander", "router", f"another client was not served: {failure}"
