"""Messages of the graphql-transport-ws protocol."""

import pytest

from router.pipeline.request import GraphQLRequest
from router.server.messages import (
    Complete,
    ConnectionInit,
    InvalidMessageError,
    Message,
    Ping,
    Pong,
    Subscribe,
    parse,
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type": "connection_init"}', ConnectionInit({})),
        ('{"type": "connection_init", "payload": null}', ConnectionInit({})),
        ('{"type": "connection_init", "payload": {"a": 1}}', ConnectionInit({"a": 1})),
        ('{"type": "ping"}', Ping(None)),
        ('{"type": "ping", "payload": {"a": 1}}', Ping({"a": 1})),
        ('{"type": "pong", "payload": {}}', Pong()),
        ('{"type": "complete", "id": "1"}', Complete("1")),
        (
            '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": {"n": 1}}}',
            Subscribe("1", GraphQLRequest("{ a }", None, {"n": 1})),
        ),
    ],
)
def test_each_message_of_the_protocol_is_read(text: str, message: Message):
    assert parse(text) == message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "1",
        "{}",
        '{"type": 1}',
        '{"type": "start"}',
        '{"type": "connection_init", "payload": []}',
        '{"type": "ping", "payload": "x"}',
        '{"type": "pong", "payload": 1}',
        '{"type": "complete"}',
        '{"type": "complete", "id": 1}',
        '{"type": "subscribe", "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ a }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": null}',
        '{"type": "subscribe", "id": "1", "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 1}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "extensions": "x"}}',
    ],
)
def test_invalid_messages_are_refused(text: str):
    with pytest.raises(InvalidMessageError):
        parse(text)
