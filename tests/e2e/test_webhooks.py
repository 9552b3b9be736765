"""What a provider sends to the public address of the platform."""

import httpx2

from infra.local import Stack
from subgraphs.common.ids import new_id
from tests.e2e.conftest import Shelf
from tests.e2e.journeys import PRINT_FILES, download
from tests.support.webhooks import build_event, sign


async def test_a_payment_is_settled_by_its_providers_webhook(stack: Stack, shelf: Shelf) -> None:
    """The offline provider takes it that the parent has acted when it is asked after the webhook."""
    family = shelf.family
    await family.approve(shelf.book_id)
    required = await family.pay(
        (await family.create_quote(shelf.book_id))["id"], "pm_card_authenticationRequired"
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
    assert (await family.wait_until_shipped(required["order"]["id"]))[-1]["status"] == "SHIPPED"


async def test_files_are_downloaded_from_the_public_address(stack: Stack, shelf: Shelf) -> None:
    snapshot = await shelf.family.approve(shelf.book_id)
    await shelf.family.wait_until_shipped(
        (await shelf.family.pay((await shelf.family.create_quote(shelf.book_id))["id"]))["id"]
    )
    interior = (await shelf.family.get(PRINT_FILES, id=snapshot["id"]))["interior"]
    assert interior["url"].startswith(stack.graphql_url.replace("/graphql", "/files/"))
    assert len(await download(shelf.family, interior)) == interior["bytes"]
