"""Documents ready to be executed: parsed, measured and validated in a thread, and kept by their text."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, TypeAlias

from graphql import ASTValidationRule, DocumentNode, GraphQLError, GraphQLSchema, parse
from strawberry.schema.schema import validate_document

from subgraphs.common.errors import OperationTooLarge
from subgraphs.common.limits import MOST_TOKENS, check_document, check_length
from subgraphs.common.source import DocumentSource, unlink

MOST_KEPT_BYTES: Final = 16 * 1024 * 1024
BYTES_PER_TOKEN: Final = 600
"""What a document takes in memory for each token of its text, at most."""

# Parsing holds the interpreter's lock: more threads would only take it from the event loop more often.
_THREADS: Final = ThreadPoolExecutor(2, thread_name_prefix="documents")

Rules: TypeAlias = tuple[type[ASTValidationRule], ...]


class Prepared(NamedTuple):
    """A document that can be executed, or why it cannot be; None where it is no GraphQL at all."""

    document: DocumentNode | None
    errors: list[GraphQLError]


class Documents:
    """The documents of one schema; the router sends the same texts again and again."""

    def __init__(self, schema: GraphQLSchema, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._schema = schema
        self._kept: OrderedDict[tuple[str, Rules], Prepared] = OrderedDict()
        self._free = most_bytes

    async def prepared(self, text: str, rules: Rules) -> Prepared:
        """Look a text up, or parse and validate it without holding the event loop."""
        key = (text, rules)
        if known := self._kept.get(key):
            self._kept.move_to_end(key)
            return known
        loop = asyncio.get_running_loop()
        prepared = await loop.run_in_executor(_THREADS, _prepare, self._schema, text, rules)
        if not prepared.errors and key not in self._kept:
            self._keep(key, prepared)
        return prepared

    def _keep(self, key: tuple[str, Rules], prepared: Prepared) -> None:
        self._kept[key] = prepared
        self._free -= _size(key[0], prepared)
        while self._free < 0:
            (text, _), oldest = self._kept.popitem(last=False)
            self._free += _size(text, oldest)


def _size(text: str, prepared: Prepared) -> int:
    assert prepared.document is not None, "only what can be executed is kept"
    return len(text) + prepared.document.token_count * BYTES_PER_TOKEN


def _prepare(schema: GraphQLSchema, text: str, rules: Rules) -> Prepared:
    document = None
    try:
        check_length(text)
        document = parse(DocumentSource(text), max_tokens=MOST_TOKENS)
        unlink(document)
        check_document(document)
    except GraphQLError as error:
        return Prepared(document, [error])
    except OperationTooLarge as refusal:
        return Prepared(document, [GraphQLError(str(refusal), original_error=refusal)])
    return Prepared(document, validate_document(schema, document, rules))
