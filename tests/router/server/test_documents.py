"""Persisted queries and trusted documents at a running router."""

import hashlib
import json
from pathlib import Path

from tests.router.persisted_queries import NAMED, TEXT
from tests.router.running_library import run_library
from tests.router.websocket_client import open_acknowledged_socket


async def test_a_persisted_query_runs_by_its_hash_once_it_is_registered():
    async with run_library(router_apq=True) as library:
        answers = []
        for body in (NAMED, {"query": TEXT, **NAMED}, NAMED, {"query": "{ books { id } }", **NAMED}):
            async with library.client.post(library.url, json=body) as response:
                answers.append((response.status, await response.json()))
        parameters = {"extensions": json.dumps(NAMED["extensions"])}
        async with library.client.get(library.url, params=parameters) as response:
            answer_to_get = await response.json()
    assert answers == [
        (
            200,
            {
                "errors": [
                    {
                        "message": "PersistedQueryNotFound",
                        "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
                    }
                ]
            },
        ),
        (200, {"data": {"average": 4.5}}),
        (200, {"data": {"average": 4.5}}),
        (
            200,
            {
                "errors": [
                    {
                        "message": "provided sha does not match query",
                        "extensions": {"code": "PERSISTED_QUERY_HASH_MISMATCH"},
                    }
                ]
            },
        ),
    ]
    assert answer_to_get == {"data": {"average": 4.5}}


async def test_a_persisted_query_runs_over_a_socket_beside_an_empty_text():
    async with run_library(router_apq=True) as library, open_acknowledged_socket(library) as socket:
        for text in (TEXT, ""):
            await socket.subscribe("1", text, **NAMED)
            answer = {"id": "1", "type": "next", "payload": {"data": {"average": 4.5}}}
            assert [await socket.receive() for _ in range(2)] == [answer, {"id": "1", "type": "complete"}]


async def test_a_document_that_is_not_valid_is_not_persisted():
    text = "{ nothing }"
    name = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(text.encode()).hexdigest()}}
    async with run_library(router_apq=True) as library:
        codes = []
        for body in ({"query": text, "extensions": name}, {"extensions": name}):
            async with library.client.post(library.url, json=body) as response:
                codes.append((await response.json())["errors"][0]["extensions"]["code"])
    assert codes == ["GRAPHQL_VALIDATION_FAILED", "PERSISTED_QUERY_NOT_FOUND"]


async def test_only_trusted_documents_run_under_a_safelist(tmp_path: Path):
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"average": TEXT}))
    async with run_library(router_trusted_documents=manifest, router_safelist=True) as library:
        headers = {"accept": "application/graphql-response+json"}
        answers = []
        for body in ({"documentId": "average"}, {"documentId": "other"}, {"query": "{ books { id } }"}):
            async with library.client.post(library.url, json=body, headers=headers) as response:
                answer = await response.json(content_type=None)
                answers.append(
                    (response.status, answer.get("data") or answer["errors"][0]["extensions"]["code"])
                )
        assert library.books.requests == []
    assert answers == [
        (200, {"average": 4.5}),
        (404, "PERSISTED_QUERY_NOT_FOUND"),
        (403, "QUERY_NOT_IN_SAFELIST"),
    ]
