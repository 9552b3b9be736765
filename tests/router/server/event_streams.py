"""A subscription over Server-Sent Events and the events that its response must have."""

import aiohttp
import orjson

from router.transport.sse_decoder import SseDecoder

ACCEPT = {"accept": "text/event-stream"}


PUBLISHED = {"query": "subscription { published { title stars } }"}


async def read_events(response: aiohttp.ClientResponse) -> list[tuple[str, object]]:
    decoder = SseDecoder(1_000_000)
    return [
        (event.name, orjson.loads(event.data) if event.data else None)
        async for chunk in response.content.iter_any()
        for event in decoder.feed(chunk)
    ]


EXPECTED = [
    ("next", {"data": {"published": {"title": "Moon", "stars": 4}}}),
    ("next", {"data": {"published": {"title": "Sea", "stars": 5}}}),
    ("complete", None),
]
