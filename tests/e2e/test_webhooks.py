"""What a provider sends to the public address of the platform."""

import httpx2

from infra.local import Stack
from subgraphs.common.ids import new_id
from tests.e2e.conftest import FinishedBook
from tests.e2e.journeys import PRINT_FILES, download
from tests.support.webhooks import build_event, sign


async def test_a_payment_is_settled_by_its_providers_webhook(
    stack: Stack, finished_book: FinishedBook
) -> None:
    """The offline provider assumes that the parent has acted when it is asked after the webhook."""
    parent = finished_book.parent
    await parent.approve(finished_book.book_id)
    required = await parent.pay(
        (await parent.create_quote(finished_book.book_id))["id"], "pm_card_authenticationRequired"
    )
    reference = required["action"]["clientSecret"].removesuffix("_secret_offline")
    body = build_event(new_id("evt"), "payment.updated", reference)
    secret = stack.environ["OFFLINE_PAYMENTS_WEBHOOK_SECRET"]
    url = stack.graphql_url.replace("/graphql", "/webhooks/offline-payments")
    async with httpx2.AsyncClient() as provider:
        refused = await provider.post(url, content=body, headers={"memorable-signature": sign(body, "guess")})
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "INVALID_WEBHOOK")
        for _ in range(2):
            sent = await provider.post(url, content=body, headers={"memorable-signature": sign(body, secret)})
            assert (sent.status_code, sent.json()) == (200, {"received": True})
    assert (await parent.wait_until_shipped(required["order"]["id"]))[-1]["status"] == "SHIPPED"


async def test_files_are_downloaded_from_the_public_address(
    stack: Stack, finished_book: FinishedBook
) -> None:
    snapshot = await finished_book.parent.approve(finished_book.book_id)
    await finished_book.parent.wait_until_shipped(
        (
            await finished_book.parent.pay(
                (await finished_book.parent.create_quote(finished_book.book_id))["id"]
            )
        )["id"]
    )
    interior = (await finished_book.parent.get(PRINT_FILES, id=snapshot["id"]))["interior"]
    assert interior["url"].startswith(stack.graphql_url.replace("/graphql", "/files/"))
    assert len(await download(finished_book.parent, interior)) == interior["bytes"]
