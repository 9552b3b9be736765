"""Documents are parsed and validated once, off the event loop, and cached within a bound."""

from __future__ import annotations

import time

import pytest
from graphql import DocumentNode, build_schema, specified_rules

from subgraphs.common.documents import BYTES_PER_TOKEN, Documents
from subgraphs.common.limits import MAX_ALIASES

SCHEMA = build_schema("type Query { name: String }")
RULES = tuple(specified_rules)


async def prepare_document(documents: Documents, text: str) -> DocumentNode:
    prepared = await documents.prepare(text, RULES)
    assert prepared.errors == []
    assert prepared.document is not None
    return prepared.document


async def test_a_text_is_parsed_and_validated_once() -> None:
    documents = Documents(SCHEMA)
    first = await prepare_document(documents, "{ name }")
    assert await prepare_document(documents, "{ name }") is first
    assert await prepare_document(documents, "{ name } ") is not first


async def test_a_large_document_does_not_block_the_event_loop() -> None:
    text = "{ " + " ".join(f"a{number}: name" for number in range(MAX_ALIASES)) + " }"
    before = time.thread_time()
    await prepare_document(Documents(SCHEMA), text)
    assert time.thread_time() - before < 0.02


async def test_cached_documents_are_bounded_by_their_bytes() -> None:
    size_of_two = 2 * (len("{ a: name }") + 7 * BYTES_PER_TOKEN)
    documents = Documents(SCHEMA, size_of_two)
    first = await prepare_document(documents, "{ a: name }")
    second = await prepare_document(documents, "{ b: name }")
    assert await prepare_document(documents, "{ a: name }") is first
    await prepare_document(documents, "{ c: name }")
    assert await prepare_document(documents, "{ a: name }") is first, "it was used last"
    assert await prepare_document(documents, "{ b: name }") is not second


async def test_a_document_larger_than_the_cache_is_not_cached() -> None:
    documents = Documents(SCHEMA, BYTES_PER_TOKEN)
    first = await prepare_document(documents, "{ name }")
    assert await prepare_document(documents, "{ name }") is not first


@pytest.mark.parametrize("text", ["{", "{ nothing }", "{ " + "name " * 200 + "}"])
async def test_invalid_documents_are_not_cached(text: str) -> None:
    documents = Documents(SCHEMA)
    first = await documents.prepare(text, RULES)
    second = await documents.prepare(text, RULES)
    assert first.errors != []
    assert first.errors is not second.errors


async def test_documents_are_cached_by_the_rules_they_were_validated_with() -> None:
    documents = Documents(SCHEMA)
    assert (await documents.prepare("{ nothing }", ())).errors == []
    assert (await documents.prepare("{ nothing }", RULES)).errors != []
