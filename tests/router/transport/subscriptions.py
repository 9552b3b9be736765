"""A numbered and an unnumbered subscription, and a client that follows them across reconnections."""

from contextlib import aclosing

from router.executor import build_stream_request, compile_operation
from router.planner import Planner
from router.transport.base import RequestContext, StreamSource
from router.transport.reconnect import resume_events
from tests.support.planning import load_operation, load_supergraph

CONTEXT = RequestContext(None, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


NUMBERED = "subscription { counts { text } }"


OTHER = "subscription { beats { text } }"


async def follow(source: StreamSource, text: str, received: list[str]) -> list[str]:
    compiled = compile_operation(Planner(load_supergraph("counters")), load_operation("counters", text))
    async with aclosing(resume_events(source, build_stream_request(compiled, {}), CONTEXT)) as events:
        async for event in events:
            [answer] = (event.get("data") or {"": {"text": "error"}}).values()
            received.append(answer["text"])
    return received
