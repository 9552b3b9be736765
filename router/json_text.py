"""JSON text read and written without loss: integers of any size, and whatever could be read can be written.

orjson does both nearly always. It makes floats of integers beyond 64 bits and writes neither these nor what
is nested more than 254 levels deep, so such texts and values take another way, pydantic's.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
from pydantic_core import PydanticSerializationError, from_json, to_json

# The shortest integer that does not fit 64 bits has this many digits, after its sign.
_LONG_DIGITS = 19
_DIGITS = bytes(ord("0") if code in b"0123456789" else ord(" ") for code in range(256))
# One of every so many bytes is looked at first, which costs next to nothing: a long number shows there.
_STRIDE = 4
_SAMPLE = b"0" * (_LONG_DIGITS // _STRIDE)
_RUN = b"0" * _LONG_DIGITS

_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
_REPLACEMENT = rb"\ufffd"


class InvalidJsonError(ValueError):
    """A text is not JSON; the message tells what is wrong with it, and nothing of its content."""


def decode(text: bytes | str) -> Any:
    """The value of a JSON text.

    Raises:
        InvalidJsonError: it is not JSON, or a number is too large, or it is nested too deeply.
    """
    digits = text if isinstance(text, bytes) else text.encode(errors="replace")
    try:
        if _SAMPLE in digits[::_STRIDE].translate(_DIGITS) and _RUN in digits.translate(_DIGITS):
            return _exact(text)
        return orjson.loads(text)
    except ValueError as error:
        raise InvalidJsonError(str(error)) from None


def decode_repaired(text: bytes) -> Any:
    r"""The value of a JSON text in which half a character, as `"\ud83d"`, is read as U+FFFD.

    JavaScript's strings, cut anywhere, make such texts, and RFC 8259 allows them.

    Raises:
        InvalidJsonError: it is not JSON for another reason.
    """
    try:
        return decode(text)
    except InvalidJsonError:
        repaired = _ESCAPE.sub(_without_surrogate, text)
        if repaired == text:
            raise
    return decode(repaired)


def encode(value: Any) -> bytes:
    """The JSON text of a value that was read here, or of one like it."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return b"".join(_parts(value))


def _exact(text: bytes | str) -> Any:
    """The value of a text that may have integers beyond 64 bits."""
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        # It takes 200 levels, Python's own reader takes more, but also what is no JSON.
        orjson.loads(text)
        try:
            return json.loads(text)
        except RecursionError:
            raise InvalidJsonError("large numbers are nested too deeply") from None


def _without_surrogate(escape: re.Match[bytes]) -> bytes:
    return _REPLACEMENT if escape[1] else escape[0]


class _Text(bytes):
    """A piece of text that is ready, among values that are still to be written."""


def _parts(value: Any) -> list[bytes]:
    """The text in pieces: what is nested too deeply is opened, level by level and without recursion."""
    parts: list[bytes] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, _Text):
            parts.append(each)
            continue
        try:
            parts.append(to_json(each))
        except PydanticSerializationError:
            if isinstance(each, dict):
                items = [[_Text(orjson.dumps(key) + b":"), item] for key, item in each.items()]
                waiting += _enclosed(b"{", items, b"}")
            elif isinstance(each, list | tuple):
                waiting += _enclosed(b"[", [[item] for item in each], b"]")
            else:
                raise
    return parts


def _enclosed(head: bytes, items: list[list[Any]], tail: bytes) -> list[Any]:
    """What is to be written of an object or a list, last things first."""
    pieces: list[Any] = [_Text(head)]
    for index, item in enumerate(items):
        if index:
            pieces.append(_Text(b","))
        pieces += item
    pieces.append(_Text(tail))
    return pieces[::-1]
