"""Prepared documents: parsed, checked against the limits and validated in a thread, and cached by text."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, TypeAlias

from graphql import ASTValidationRule, DocumentNode, GraphQLError, GraphQLSchema, parse
from strawberry.schema.schema import validate_document

from subgraphs.common.errors import OperationTooLarge
from subgraphs.common.limits import MAX_TOKENS, check_document, check_length
from subgraphs.common.source import DocumentSource, unlink_tokens

MAX_CACHED_BYTES: Final = 16 * 1024 * 1024
BYTES_PER_TOKEN: Final = 600
"""The memory that a document needs at most for each token of its text."""

# Parsing holds the interpreter's lock: more threads would only compete with the event loop.
_THREADS: Final = ThreadPoolExecutor(2, thread_name_prefix="documents")

Rules: TypeAlias = tuple[type[ASTValidationRule], ...]


class Prepared(NamedTuple):
    """A parsed document and its errors; `document` is None if the text cannot be parsed."""

    document: DocumentNode | None
    errors: list[GraphQLError]


class Documents:
    """The document cache of a schema; the router sends the same texts again and again."""

    def __init__(self, schema: GraphQLSchema, max_bytes: int = MAX_CACHED_BYTES) -> None:
        self._schema = schema
        self._cache: OrderedDict[tuple[str, Rules], Prepared] = OrderedDict()
        self._free_bytes = max_bytes

    async def prepare(self, text: str, rules: Rules) -> Prepared:
        """Look up a text, or parse and validate it without blocking the event loop."""
        key = (text, rules)
        if cached := self._cache.get(key):
            self._cache.move_to_end(key)
            return cached
        loop = asyncio.get_running_loop()
        prepared = await loop.run_in_executor(_THREADS, _parse_and_validate, self._schema, text, rules)
        if not prepared.errors and key not in self._cache:
            self._store(key, prepared)
        return prepared

    def _store(self, key: tuple[str, Rules], prepared: Prepared) -> None:
        self._cache[key] = prepared
        self._free_bytes -= _estimate_size(key[0], prepared)
        while self._free_bytes < 0:
            (text, _), oldest = self._cache.popitem(last=False)
            self._free_bytes += _estimate_size(text, oldest)


def _estimate_size(text: str, prepared: Prepared) -> int:
    assert prepared.document is not None, "only executable documents are cached"
    return len(text) + prepared.document.token_count * BYTES_PER_TOKEN


def _parse_and_validate(schema: GraphQLSchema, text: str, rules: Rules) -> Prepared:
    document = None
    try:
        check_length(text)
        document = parse(DocumentSource(text), max_tokens=MAX_TOKENS)
        unlink_tokens(document)
        check_document(document)
    except GraphQLError as error:
        return Prepared(document, [error])
    except OperationTooLarge as refusal:
        return Prepared(document, [GraphQLError(str(refusal), original_error=refusal)])
    return Prepared(document, validate_document(schema, document, rules))
