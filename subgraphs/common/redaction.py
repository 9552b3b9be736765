"""What may stand in a log: short values without control characters, exceptions without what they were given.

A log is read by people who may not see what parents write. The message of a foreign exception often repeats
the value that it failed on (a row's DETAIL, a parameter, the input of a validation), so only its type and
place are kept; our own exceptions, and those that speak of connections and of the program, keep their words.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from types import TracebackType
from typing import Any, Final

from redis.exceptions import RedisError

LONGEST: Final = 1_000
"""Characters of one logged value."""

_MOST_BITS: Final = 63
_MOST_ITEMS: Final = 50
_MOST_NESTED: Final = 5
_MOST_FRAMES: Final = 15
_MOST_EXCEPTIONS: Final = 5
_OUR_MODULES: Final = ("subgraphs.", "workers.")
_WITHOUT_VALUES: Final = (ArithmeticError, AssertionError, OSError, RedisError, RuntimeError)


def cut(text: str) -> str:
    """The beginning of a text, where it is too long to be told whole."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def loggable(value: Any, nested: int = 0) -> Any:
    """A value as it may stand in a log."""
    match value:
        case int() if value.bit_length() > _MOST_BITS:
            return f"a number of {value.bit_length()} bits"
        case None | bool() | int() | float():
            return value
        case Mapping():
            items = list(value.items())[:_MOST_ITEMS]
            return {_text(str(key)): loggable(each, nested + 1) for key, each in items if _nests(nested)}
        case list() | tuple() | set() | frozenset():
            return [loggable(each, nested + 1) for each in list(value)[:_MOST_ITEMS] if _nests(nested)]
        case BaseException():
            return reason(value)
    return _text(str(value))


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor that makes an event fit for the log; `exc_info` becomes its `exception`."""
    if found := _exception(event.pop("exc_info", None)):
        event["exception"] = list(_lines(found))
    return {name: value if name == "exception" else loggable(value) for name, value in event.items()}


def reason(error: BaseException) -> str:
    """What an exception is, with its message where that repeats nothing it was given."""
    kind = type(error)
    ours = kind.__module__.startswith(_OUR_MODULES)
    message = str(error) if ours or isinstance(error, _WITHOUT_VALUES) else ""
    return _text(f"{kind.__name__}: {message}" if message else f"{kind.__module__}.{kind.__qualname__}")


def _text(text: str) -> str:
    text = cut(text)
    if text.isprintable():
        return text
    return cut("".join(char if char.isprintable() else _escaped(char) for char in text))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _nests(nested: int) -> bool:
    return nested < _MOST_NESTED


def _exception(exc_info: Any) -> BaseException | None:
    match sys.exc_info() if exc_info is True else exc_info:
        case BaseException() as error:
            return error
        case (_, BaseException() as error, _):
            return error
        case _:
            return None


def _lines(error: BaseException) -> Iterator[str]:
    """The places and reasons of an exception and of those that led to it, the first of them first."""
    for each in reversed(_chain(error)):
        yield from _places(each.__traceback__)
        yield reason(each)


def _chain(error: BaseException) -> list[BaseException]:
    """An exception, its causes and the members of groups, each once."""
    found: list[BaseException] = []
    open_: list[BaseException | None] = [error]
    while open_ and len(found) < _MOST_EXCEPTIONS:
        each = open_.pop(0)
        if each is None or each in found:
            continue
        found.append(each)
        open_ += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        open_.append(each.__cause__ or (None if each.__suppress_context__ else each.__context__))
    return found


def _places(trace: TracebackType | None) -> Iterator[str]:
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return (_text(f"{frame.filename}:{frame.lineno} in {frame.name}") for frame in frames)
