"""A subscription stream that completes or is refused is not opened again."""

import pytest

from tests.router.trouble.single import Single, build_chunked_response, run_single

NEXT = b'event: next\ndata: {"data":{"tick":%d}}\n\n'
UNNAMED = b'data: {"data":{"tick":%d}}\n\n'


async def fetch_events(running: Single) -> list[str]:
    async with running.client.post(
        f"{running.origin}/graphql",
        json={"query": "subscription { tick }"},
        headers={"accept": "text/event-stream"},
    ) as response:
        text = await response.text()
    return [event for event in text.split("\n\n") if event.strip(":")]


@pytest.mark.parametrize(
    "pieces",
    [
        (b":\n\n", NEXT % 1, NEXT % 2, b"event: complete\n\n"),
        (NEXT % 1, NEXT % 2, b"event: complete\ndata: \n\n"),
        (NEXT % 1, NEXT % 2, b"event: complete\r\n\r\n"),
        (NEXT % 1, NEXT % 2, b"event: complete\n"),
        (NEXT % 1, NEXT % 2, b"event: complete"),
        (UNNAMED % 1, b":\n\n", UNNAMED % 2),
        (UNNAMED % 1, UNNAMED % 2, b"event: complete\n\n"),
    ],
)
async def test_each_event_arrives_once_and_the_stream_is_opened_once(pieces: tuple[bytes, ...]):
    async with run_single(lambda *_: build_chunked_response(*pieces)) as running:
        events = await fetch_events(running)
    assert events == [
        'event: next\ndata: {"data":{"tick":1}}',
        'event: next\ndata: {"data":{"tick":2}}',
        "event: complete\ndata: ",
    ]
    assert len(running.bodies) == 1


async def test_a_stream_that_is_redirected_or_refused_is_not_opened_again():
    for status in (b"302 Found", b"403 Forbidden"):
        answer = b"HTTP/1.1 %b\r\ncontent-length: 2\r\n\r\nno" % status
        async with run_single(answer) as running:
            [error, _] = await fetch_events(running)
        assert "did not respond" in error
        assert len(running.bodies) == 1
