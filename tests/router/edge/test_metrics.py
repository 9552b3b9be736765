"""Metrics: at an address that clients do not reach, and counting whom the edge turns away."""

import httpx2

from tests.router.edge.conversation import edge
from tests.router.library import SUPERGRAPH
from tests.support.router_process import lines, router


async def test_metrics_are_served_at_an_address_of_their_own():
    async with router("--supergraph", str(SUPERGRAPH), "--port", "0") as process:
        announced = [await anext(lines(process)) for _ in range(2)]
        messages = [line["message"] for line in announced]
        assert messages == ["Metrics are served", "The router listens"]
        metrics, api = (line["metadata"] for line in announced)
        assert metrics["host"] == "127.0.0.1"
        async with httpx2.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{metrics['port']}/metrics")
            assert "router_refused_connections" in answer.text
            for port, path in ((metrics["port"], "graphql"), (metrics["port"], "metrics/")):
                assert (await client.get(f"http://127.0.0.1:{port}/{path}")).status_code == 404
            assert (await client.get(f"http://127.0.0.1:{api['port']}/metrics")).status_code == 404


async def test_bodies_that_are_received_are_bounded_all_together():
    head = (
        b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
    )
    async with edge(ROUTER_MAX_BODIES_BYTES="1500") as running, await running.connect() as first:
        await first.send(head + b" " * 900)
        async with await running.connect() as second:
            await second.send(head + b" " * 900)
            refused = await second.answer()
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        await first.send(b" " * 100)
        assert (await first.answer()).status == 400
