"""Decoding Server-Sent Events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.transport.sse_decoder import EventTooLargeError, ServerSentEvent, SseDecoder

STREAM = b': hello\r\n\r\nevent: next\r\ndata: {"n":1}\r\n\r\nevent: complete\r\ndata: \r\n\r\n'
EVENTS = [ServerSentEvent("next", b'{"n":1}'), ServerSentEvent("complete", b"")]


def decode(*chunks: bytes, max_bytes: int = 1000) -> list[ServerSentEvent]:
    decoder = SseDecoder(max_bytes)
    return [event for chunk in chunks for event in decoder.feed(chunk)]


@given(st.lists(st.integers(0, len(STREAM)), max_size=6), st.sampled_from([b"\r\n", b"\n", b"\r"]))
def test_events_are_decoded_however_their_bytes_are_split(cuts: list[int], line_end: bytes):
    stream = STREAM.replace(b"\r\n", line_end) + b"x"
    edges = [0, *sorted(cuts), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    assert decode(*chunks) == EVENTS


def test_data_over_several_lines_is_one_value():
    assert decode(b"data: a\ndata: b\n\n") == [ServerSentEvent("message", b"a\nb")]


def test_an_event_without_data_is_decoded_if_it_has_a_name():
    assert decode(b"event: complete\n\nid: 7\n\ndata: a\n\n") == [
        ServerSentEvent("complete", b""),
        ServerSentEvent("message", b"a"),
    ]


@pytest.mark.parametrize("chunks", [(b"data: " + b"x" * 100,), (b"data: " + b"x" * 50 + b"\n",) * 2])
def test_an_event_that_never_ends_is_refused(chunks: tuple[bytes, ...]):
    with pytest.raises(EventTooLargeError):
        decode(*chunks, max_bytes=90)
