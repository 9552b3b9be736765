"""The parts of a multipart response, read by the standard library's parser."""

from email.message import Message
from email.parser import BytesParser
from typing import Any

import aiohttp
import orjson


def parse_parts(response: aiohttp.ClientResponse, body: bytes) -> list[Any]:
    """Decodes the JSON parts; the preamble and the epilogue must be empty."""
    head = f"content-type: {response.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + body)
    assert not message.defects
    assert (message.preamble or "").strip() == (message.epilogue or "").strip() == ""
    assert {part.get_content_type() for part in _list_parts(message)} == {"application/json"}
    return [orjson.loads(str(part.get_payload())) for part in _list_parts(message)]


def _list_parts(message: Message) -> list[Message]:
    payload = message.get_payload()
    assert isinstance(payload, list)
    return [part for part in payload if isinstance(part, Message)]
