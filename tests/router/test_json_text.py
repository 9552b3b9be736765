"""Decoding and encoding of JSON: exact integers, depth limits and error messages."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.json_text import Encoded, InvalidJsonError, decode, decode_lossy, encode

BIG = 123456789012345678901234567890

numbers = st.integers() | st.integers(-(2**70), 2**70) | st.integers(-(10**40), 10**40)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_encoded_values_decode_unchanged(value: Any):
    assert decode(encode(value)) == value
    assert json.loads(encode(value)) == value


@given(values, st.sampled_from([None, 2]))
def test_json_of_other_encoders_is_decoded(value: Any, indent: int | None):
    assert decode(json.dumps(value, indent=indent).encode()) == value


@pytest.mark.parametrize(
    "number",
    [2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, BIG, -BIG, 10**4299],
)
@pytest.mark.parametrize("shift", range(9))
def test_integers_keep_their_digits_at_any_offset(number: int, shift: int):
    text = b" " * shift + b'{"a":["0x",%d]}' % number
    assert decode(text) == {"a": ["0x", number]}
    assert encode({"a": ["0x", number]}) == b'{"a":["0x",%d]}' % number


@pytest.mark.parametrize("depth", [254, 255, 260, 1000])
def test_whatever_can_be_decoded_can_be_encoded(depth: int):
    lists, objects = b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth
    for text in (lists, objects):
        assert encode(decode(text)) == text


@pytest.mark.parametrize("depth", [199, 200, 201, 600])
def test_integers_keep_their_digits_at_any_depth(depth: int):
    text = b"[" * depth + b"%d" % BIG + b"]" * depth
    assert encode(decode(text)) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b'{"a":', "end of"),
        (b"NaN", "expected a JSON value"),
        (b"1e400", "infinity"),
        (b"[" * 5000, "depth limit"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'"\xff"', "UTF-8"),
        (b'"\\ud83d"', "surrogate"),
        (b"1" + b"0" * 5000, "infinity"),
        (b"[" * 300 + b"%d]" % BIG, "unexpected"),
        (b"[" * 300 + b"%d,NaN" % BIG + b"]" * 300, "expected a JSON value"),
        (b"[" * 300 + b'%d,"\\ud83d"' % BIG + b"]" * 300, "surrogate"),
        (b"[" * 1000 + b"%d" % BIG + b"]" * 1000, "nested too deeply"),
    ],
)
def test_the_error_says_why_a_text_is_not_json(text: bytes, reason: str):
    with pytest.raises(InvalidJsonError, match=reason):
        decode(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"ab\ud83d"', "ab\ufffd"),
        (rb'"\udc00x"', "\ufffdx"),
        (rb'"\ud83d\ude00\ud83d"', "\U0001f600\ufffd"),
        (rb'"\\ud83d\uD83D"', "\\ud83d\ufffd"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
    ],
)
def test_lossy_decoding_replaces_lone_surrogates(text: bytes, value: str):
    assert decode_lossy(text) == value


def test_lossy_decoding_repairs_nothing_else():
    with pytest.raises(InvalidJsonError):
        decode_lossy(rb'"\ud83d')
    with pytest.raises(InvalidJsonError):
        decode_lossy(b"{")


def test_an_object_that_is_sent_to_many_is_encoded_once():
    shared = Encoded({"data": {"n": 10**30}})
    assert encode(shared) is shared.text
    assert shared.text == b'{"data":{"n":1000000000000000000000000000000}}'
    assert encode({"payload": shared}) == b'{"payload":%b}' % shared.text
