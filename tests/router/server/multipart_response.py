"""The parts of a multipart response, read by the standard library's parser."""

from email.message import Message
from email.parser import BytesParser
from typing import Any

import aiohttp
import orjson


def parts(response: aiohttp.ClientResponse, body: bytes) -> list[Any]:
    """The parts as a parser of another house reads them; whatever stands outside of them must be nothing."""
    head = f"content-type: {response.headers['content-type']}\r\n\r\n".encode()
    whole = BytesParser().parsebytes(head + body)
    assert not whole.defects
    assert (whole.preamble or "").strip() == (whole.epilogue or "").strip() == ""
    assert {part.get_content_type() for part in messages(whole)} == {"application/json"}
    return [orjson.loads(str(part.get_payload())) for part in messages(whole)]


def messages(whole: Message) -> list[Message]:
    found = whole.get_payload()
    assert isinstance(found, list)
    return [part for part in found if isinstance(part, Message)]
