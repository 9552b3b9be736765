"""Metrics on a port of their own, and the limit on received bodies."""

import httpx2

from tests.router.edge.raw_http import run_edge
from tests.router.library import SUPERGRAPH
from tests.support.router_process import read_log, start_router


async def test_metrics_are_served_on_a_separate_port():
    async with start_router("--supergraph", str(SUPERGRAPH), "--port", "0") as process:
        log_lines = [await anext(read_log(process)) for _ in range(2)]
        messages = [line["message"] for line in log_lines]
        assert messages == ["Metrics are served", "The router listens"]
        metrics, api = (line["metadata"] for line in log_lines)
        assert metrics["host"] == "127.0.0.1"
        async with httpx2.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{metrics['port']}/metrics")
            assert "router_refused_connections" in answer.text
            for port, path in ((metrics["port"], "graphql"), (metrics["port"], "metrics/")):
                assert (await client.get(f"http://127.0.0.1:{port}/{path}")).status_code == 404
            assert (await client.get(f"http://127.0.0.1:{api['port']}/metrics")).status_code == 404


async def test_the_bodies_of_all_unfinished_requests_are_bounded():
    head = (
        b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
    )
    async with run_edge(ROUTER_MAX_BODIES_BYTES="1500") as running, await running.connect() as first:
        await first.send(head + b" " * 900)
        async with await running.connect() as second:
            await second.send(head + b" " * 900)
            refusal = await second.read_answer()
        assert (refusal.status, refusal.headers["retry-after"]) == (503, "1")
        await first.send(b" " * 100)
        assert (await first.read_answer()).status == 400
