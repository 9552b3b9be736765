"""JSON decoded and encoded without loss: integers of any size, and any value that was decoded can be encoded.

orjson does nearly all of it. It turns integers beyond 64 bits into floats, and encodes neither those nor
values nested more than 254 levels deep, so pydantic-core handles them.
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
# Sampling every fourth byte first costs next to nothing and finds every long number.
_STRIDE = 4
_SAMPLE = b"0" * (_LONG_DIGITS // _STRIDE)
_RUN = b"0" * _LONG_DIGITS

_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
_REPLACEMENT = rb"\ufffd"


class InvalidJsonError(ValueError):
    """A text is not valid JSON; the message says why without quoting the text."""


class Encoded(dict[str, Any]):
    """An object together with its JSON text, for one that is sent to many; it must not be changed."""

    __slots__ = ("text",)

    def __init__(self, value: dict[str, Any]) -> None:
        super().__init__(value)
        self.text = encode(value)


def decode(text: bytes | str) -> Any:
    """Decodes a JSON text.

    Raises:
        InvalidJsonError: it is not JSON, a number is out of range, or it is nested too deeply.
    """
    digits = text if isinstance(text, bytes) else text.encode(errors="replace")
    try:
        if _SAMPLE in digits[::_STRIDE].translate(_DIGITS) and _RUN in digits.translate(_DIGITS):
            return _decode_exactly(text)
        return orjson.loads(text)
    except ValueError as error:
        raise InvalidJsonError(str(error)) from None


def decode_lossy(text: bytes) -> Any:
    r"""Decodes a JSON text, replacing unpaired surrogates such as `"\ud83d"` with U+FFFD.

    Truncated JavaScript strings contain them, and RFC 8259 section 8.2 allows them.

    Raises:
        InvalidJsonError: it is not JSON for another reason.
    """
    try:
        return decode(text)
    except InvalidJsonError:
        repaired = _ESCAPE.sub(_replace_surrogate, text)
        if repaired == text:
            raise
    return decode(repaired)


def encode(value: Any) -> bytes:
    """Encodes a value that `decode` returned, or one like it."""
    if isinstance(value, Encoded):
        return value.text
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return b"".join(_encode_nested(value))


def _decode_exactly(text: bytes | str) -> Any:
    """Decodes a text that may contain integers beyond 64 bits."""
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        # pydantic-core stops at 200 levels. The standard library goes deeper but accepts more than JSON,
        # so orjson validates first.
        orjson.loads(text)
        try:
            return json.loads(text)
        except RecursionError:
            raise InvalidJsonError("large numbers are nested too deeply") from None


def _replace_surrogate(escape: re.Match[bytes]) -> bytes:
    return _REPLACEMENT if escape[1] else escape[0]


class _Encoded(bytes):
    """JSON text that is already encoded, among values that are not yet."""


def _encode_nested(value: Any) -> list[bytes]:
    """Encodes a value in chunks, splitting what is nested too deeply level by level and without recursion."""
    chunks: list[bytes] = []
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, _Encoded):
            chunks.append(each)
            continue
        try:
            chunks.append(to_json(each))
        except PydanticSerializationError:
            if isinstance(each, dict):
                items = [[_Encoded(orjson.dumps(key) + b":"), item] for key, item in each.items()]
                stack += _enclose(b"{", items, b"}")
            elif isinstance(each, list | tuple):
                stack += _enclose(b"[", [[item] for item in each], b"]")
            else:
                raise
    return chunks


def _enclose(head: bytes, items: list[list[Any]], tail: bytes) -> list[Any]:
    """The tokens of an object or an array, in reverse order."""
    tokens: list[Any] = [_Encoded(head)]
    for index, item in enumerate(items):
        if index:
            tokens.append(_Encoded(b","))
        tokens += item
    tokens.append(_Encoded(tail))
    return tokens[::-1]
