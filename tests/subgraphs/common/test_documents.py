"""Documents are parsed and validated once, beside the event loop, and kept within a bound."""

from __future__ import annotations

import time

import pytest
from graphql import DocumentNode, build_schema, specified_rules

from subgraphs.common.documents import BYTES_PER_TOKEN, Documents
from subgraphs.common.limits import MAX_ALIASES

SCHEMA = build_schema("type Query { name: String }")
RULES = tuple(specified_rules)


async def document_of(documents: Documents, text: str) -> DocumentNode:
    prepared = await documents.prepare(text, RULES)
    assert prepared.errors == []
    assert prepared.document is not None
    return prepared.document


async def test_a_text_is_parsed_and_validated_once() -> None:
    documents = Documents(SCHEMA)
    first = await document_of(documents, "{ name }")
    assert await document_of(documents, "{ name }") is first
    assert await document_of(documents, "{ name } ") is not first


async def test_a_large_text_leaves_the_event_loop_to_others() -> None:
    text = "{ " + " ".join(f"a{number}: name" for number in range(MAX_ALIASES)) + " }"
    before = time.thread_time()
    await document_of(Documents(SCHEMA), text)
    assert time.thread_time() - before < 0.02


async def test_the_documents_kept_are_bounded_by_their_bytes() -> None:
    room_for_two = 2 * (len("{ a: name }") + 7 * BYTES_PER_TOKEN)
    documents = Documents(SCHEMA, room_for_two)
    first = await document_of(documents, "{ a: name }")
    second = await document_of(documents, "{ b: name }")
    assert await document_of(documents, "{ a: name }") is first
    await document_of(documents, "{ c: name }")
    assert await document_of(documents, "{ a: name }") is first, "it was asked for last"
    assert await document_of(documents, "{ b: name }") is not second


async def test_a_document_that_does_not_fit_is_not_kept() -> None:
    documents = Documents(SCHEMA, BYTES_PER_TOKEN)
    first = await document_of(documents, "{ name }")
    assert await document_of(documents, "{ name }") is not first


@pytest.mark.parametrize("text", ["{", "{ nothing }", "{ " + "name " * 200 + "}"])
async def test_what_cannot_be_executed_is_not_kept(text: str) -> None:
    documents = Documents(SCHEMA)
    first = await documents.prepare(text, RULES)
    second = await documents.prepare(text, RULES)
    assert first.errors != []
    assert first.errors is not second.errors


async def test_a_document_is_valid_by_the_rules_that_it_was_validated_with() -> None:
    documents = Documents(SCHEMA)
    assert (await documents.prepare("{ nothing }", ())).errors == []
    assert (await documents.prepare("{ nothing }", RULES)).errors != []
