"""Redaction of log events: short values without control characters, and exceptions without user data.

People who read logs must not see what parents write. The message of a library's exception often repeats the
value that it failed on (a row's DETAIL, a parameter, the input of a validation), so only its type and
traceback are logged. Our own exceptions, and those of connections and programming errors, are logged with
their messages.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from types import TracebackType
from typing import Any, Final

from redis.exceptions import RedisError

MAX_VALUE_LENGTH: Final = 1_000
"""Characters of one logged value."""

_MAX_BITS: Final = 63
_MAX_ITEMS: Final = 50
_MAX_DEPTH: Final = 5
_MAX_FRAMES: Final = 15
_MAX_EXCEPTIONS: Final = 5
_OUR_MODULES: Final = ("subgraphs.", "workers.")
_WITHOUT_VALUES: Final = (ArithmeticError, AssertionError, OSError, RedisError, RuntimeError)


def truncate(text: str) -> str:
    """Shorten a text that is too long for a log or an error message."""
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 1]}…"


def redact_value(value: Any, depth: int = 0) -> Any:
    """Redact a logged value."""
    match value:
        case int() if value.bit_length() > _MAX_BITS:
            return f"a number of {value.bit_length()} bits"
        case None | bool() | int() | float():
            return value
        case Mapping():
            items = list(value.items())[:_MAX_ITEMS]
            return {
                _clean(str(key)): redact_value(each, depth + 1) for key, each in items if _is_shallow(depth)
            }
        case list() | tuple() | set() | frozenset():
            return [redact_value(each, depth + 1) for each in list(value)[:_MAX_ITEMS] if _is_shallow(depth)]
        case BaseException():
            return describe_error(value)
    return _clean(str(value))


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Redact an event, as a structlog processor; its `exc_info` becomes `exception`."""
    if found := _find_exception(event.pop("exc_info", None)):
        event["exception"] = list(_format_exception(found))
    return {name: value if name == "exception" else redact_value(value) for name, value in event.items()}


def describe_error(error: BaseException) -> str:
    """Describe an exception by its type, and by its message if that cannot contain user data.

    The message of a group, which says nothing, is replaced by the descriptions of its members.
    """
    kind = type(error)
    if isinstance(error, BaseExceptionGroup):
        message = "; ".join(map(describe_error, error.exceptions))
    else:
        ours = kind.__module__.startswith(_OUR_MODULES)
        message = str(error) if ours or isinstance(error, _WITHOUT_VALUES) else ""
    return _clean(f"{kind.__name__}: {message}" if message else f"{kind.__module__}.{kind.__qualname__}")


def _clean(text: str) -> str:
    text = truncate(text)
    if text.isprintable():
        return text
    return truncate("".join(char if char.isprintable() else _escape(char) for char in text))


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _is_shallow(depth: int) -> bool:
    return depth < _MAX_DEPTH


def _find_exception(exc_info: Any) -> BaseException | None:
    match sys.exc_info() if exc_info is True else exc_info:
        case BaseException() as error:
            return error
        case (_, BaseException() as error, _):
            return error
        case _:
            return None


def _format_exception(error: BaseException) -> Iterator[str]:
    """Yield the frames and the description of an exception and of its causes, the first cause first."""
    for each in reversed(_collect_causes(error)):
        yield from _format_frames(each.__traceback__)
        yield describe_error(each)


def _collect_causes(error: BaseException) -> list[BaseException]:
    """Collect an exception, its causes and the members of groups, each once."""
    found: list[BaseException] = []
    open_: list[BaseException | None] = [error]
    while open_ and len(found) < _MAX_EXCEPTIONS:
        each = open_.pop(0)
        if each is None or each in found:
            continue
        found.append(each)
        open_ += each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        open_.append(each.__cause__ or (None if each.__suppress_context__ else each.__context__))
    return found


def _format_frames(trace: TracebackType | None) -> Iterator[str]:
    frames = traceback.extract_tb(trace)[-_MAX_FRAMES:]
    return (_clean(f"{frame.filename}:{frame.lineno} in {frame.name}") for frame in frames)
