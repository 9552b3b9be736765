"""Files over HTTP: served at signed URLs only."""

import pytest

from subgraphs.common.clock import utc_now
from tests.support.subgraph import SubgraphClient

KEY = "snapshots/snp_1/interior.pdf"


def sign(books: SubgraphClient, key: str) -> str:
    return "/files/" + books.runtime.storage.sign_url(key, utc_now()).partition("/files/")[2]


async def test_a_file_is_served_at_its_signed_address(books: SubgraphClient) -> None:
    await books.runtime.storage.put(KEY, b"%PDF")
    response = await books.http.get(sign(books, KEY))
    assert (response.status_code, response.content) == (200, b"%PDF")
    missing = await books.http.get(sign(books, "snapshots/snp_2/interior.pdf"))
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("expires", ["", "soon", "-1", "1" * 5000, "9" * 12, "٣", "%00", "1e9"])
async def test_an_address_that_was_not_signed_is_forbidden(books: SubgraphClient, expires: str) -> None:
    signature = sign(books, KEY).partition("signature=")[2]
    response = await books.http.get(f"/files/{KEY}?expires={expires}&signature={signature}")
    assert (response.status_code, response.json()["error"]["code"]) == (403, "FORBIDDEN")
