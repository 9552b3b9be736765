"""The demo's scenario: the steps of one parent's client, from sign-up to the shipped book."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from infra.demo import documents
from infra.demo.client import GraphClient, Object, UnexpectedResponse, expect
from infra.demo.screen import GenerationProgress, Screen, Step
from infra.errors import InfraError
from subgraphs.common.money import Money

PRINT_FILES_TIMEOUT = 60.0
FAILED_ORDER_STATUSES = {"EXPIRED", "CANCELLED", "PRINT_REJECTED"}


@dataclass(frozen=True, slots=True)
class PrintFiles:
    """The paths of the book's two PDFs."""

    interior: Path
    cover: Path


class Scenario:
    """One run of the scenario; each step builds on the earlier ones."""

    def __init__(self, graph: GraphClient, screen: Screen, child: str, wish: str) -> None:
        self._graph = graph
        self._screen = screen
        self._child = child
        self._wish = wish
        self._book_id = ""
        self._snapshot: Object = {}

    async def run(self, folder: Path) -> PrintFiles:
        """Run every step and save the PDFs below `folder`.

        Raises:
            InfraError: A step failed; the message says how.
        """
        await self._sign_up()
        await self._describe_child()
        await self._generate_book()
        await self._edit_page()
        await self._regenerate_picture()
        await self._approve()
        quote = await self._request_quote()
        order = await self._pay(quote)
        await self._wait_for_shipping(order)
        await self._query_everything()
        return await self._save_files(folder)

    async def _sign_up(self) -> None:
        with self._screen.step("Sign up") as step:
            email = f"robin.{secrets.token_hex(6)}@example.com"
            account = {"email": email, "password": secrets.token_urlsafe(16), "displayName": "Robin Parent"}
            result = await self._graph.execute(documents.SIGN_UP, {"input": account})
            self._graph.token = expect(result["signUp"], "SignedIn")["tokens"]["accessToken"]
            step.detail = email
        with self._screen.step("Record the parent's consent") as step:
            consents = await self._graph.execute(documents.RECORD_CONSENTS, {"version": "2026-11"})
            step.detail = ", ".join(consent["purpose"] for consent in consents.values())

    async def _describe_child(self) -> None:
        details = {
            "name": self._child,
            "birthMonth": "2021-05",
            "pronouns": "THEY",
            "appearance": "curly brown hair, a yellow raincoat and red boots",
            "interests": ["stars", "boats", "foxes"],
        }
        with self._screen.step("Describe the child") as step:
            result = await self._graph.execute(documents.CREATE_CHILD, {"input": details})
            child = expect(result["createChild"], "Child")
            step.detail = child["name"]
        with self._screen.step("Create a book") as step:
            brief = {
                "childId": child["id"],
                "wish": self._wish,
                "dedication": f"For {self._child}, with love.",
            }
            book = (await self._graph.execute(documents.CREATE_BOOK, {"input": brief}))["createBook"]
            self._book_id = book["id"]
            step.detail = f"“{book['brief']['wish']}”, to print on {book['pageCount']} pages"

    async def _generate_book(self) -> None:
        with self._screen.step("Write and illustrate the book") as step:
            result = await self._graph.execute(documents.GENERATE_BOOK, {"bookId": self._book_id})
            generation = expect(result["generateBook"], "Generation")
            kinds = [step["kind"] for step in generation["steps"]]
            progress = GenerationProgress(
                pages=kinds.count("SCENE_TEXT"), pictures=kinds.count("ILLUSTRATION") + kinds.count("COVER")
            )
            self._screen.show_progress(progress)
            finished = await self._watch(generation["id"], progress)
            step.detail = (
                f"“{finished['book']['title']}”, {progress.written} texts, {progress.drawn} pictures"
            )

    async def _watch(self, generation_id: str, progress: GenerationProgress) -> Object:
        """Follow a generation until it completes, and return its last event."""
        events = self._graph.follow(documents.WATCH_GENERATION, "generation", {"id": generation_id})
        async for event in events:
            match event["__typename"]:
                case "GenerationFailed":
                    raise UnexpectedResponse(f"The generation failed: {event['message']}")
                case "GenerationCancelled":
                    raise UnexpectedResponse("The generation was cancelled.")
                case "GenerationCompleted":
                    return event
                case _:
                    self._apply(event, progress)
        raise UnexpectedResponse("The subscription ended before the generation completed.")

    def _apply(self, event: Object, progress: GenerationProgress) -> None:
        """Update the progress from an event."""
        match event["__typename"]:
            case "OutlineWritten":
                progress.title = event["title"]
                self._screen.print_note(f"title: {event['title']}")
            case "TextDelta" if event["writing"]:
                progress.append_text(event["writing"]["number"], event["text"])
            case "PageWritten":
                progress.finish_page(event["written"]["number"], event["written"]["text"])
            case "IllustrationReady":
                progress.finish_picture(event["illustration"]["altText"])
            case "StepFailed":
                outcome = "will be retried" if event["retrying"] else "was skipped"
                self._screen.print_note(f"a step failed and {outcome}: {event['message']}")

    async def _edit_page(self) -> None:
        with self._screen.step("Edit a page") as step:
            page = await self._find_first_page("TEXT")
            changes = {
                "pageId": page["id"],
                "expectedVersion": page["version"],
                "text": _replace_last_sentence(page["text"]),
            }
            result = await self._graph.execute(documents.EDIT_PAGE, {"input": changes})
            edited = expect(result["editPage"], "Page")
            step.detail = f"page {edited['number']}, now version {edited['version']}"
        self._screen.print_note(edited["text"])

    async def _regenerate_picture(self) -> None:
        with self._screen.step("Regenerate a picture") as step:
            before = await self._find_first_page("FULL_BLEED")
            variables = {"pageId": before["id"], "instruction": "at night, under many stars"}
            result = await self._graph.execute(documents.REGENERATE_PICTURE, variables)
            generation = expect(result["regeneratePage"], "Generation")
            await self._watch(generation["id"], GenerationProgress(pages=0, pictures=1))
            after = await self._find_first_page("FULL_BLEED")
            if after["illustration"]["sha256"] == before["illustration"]["sha256"]:
                raise UnexpectedResponse("The page's picture did not change.")
            step.detail = f"page {after['number']}, now version {after['version']}"

    async def _find_first_page(self, layout: str) -> Object:
        book = (await self._graph.execute(documents.READ_BOOK, {"id": self._book_id}))["book"]
        page: Object = next(page for page in book["pages"] if page["layout"] == layout)
        return page

    async def _approve(self) -> None:
        with self._screen.step("Approve the book") as step:
            book = (await self._graph.execute(documents.READ_BOOK, {"id": self._book_id}))["book"]
            variables = {"bookId": self._book_id, "expectedVersion": book["version"]}
            result = await self._graph.execute(documents.APPROVE_BOOK, variables)
            self._snapshot = expect(result["approveBook"], "Snapshot")
            step.detail = f"content hash {self._snapshot['contentHash'][:16]}…"
        with self._screen.step("Typeset the interior and the cover") as step:
            files = await self._wait_for_print_files()
            step.detail = ", ".join(f"{name} {_format_size(file)}" for name, file in files.items())

    async def _wait_for_print_files(self) -> Object:
        deadline = time.monotonic() + PRINT_FILES_TIMEOUT
        while True:
            variables = {"snapshotId": self._snapshot["id"]}
            files: Object = (await self._graph.execute(documents.PRINT_FILES, variables))["snapshot"]
            if files["interior"] and files["cover"]:
                return files
            if time.monotonic() > deadline:
                raise InfraError("The print files were not typeset in time. See: memorable logs worker")
            await asyncio.sleep(0.25)

    async def _request_quote(self) -> Object:
        with self._screen.step("Request a quote") as step:
            variables = {"snapshotId": self._snapshot["id"]}
            snapshot = (await self._graph.execute(documents.PRINT_PRODUCTS, variables))["snapshot"]
            product = snapshot["format"]["printProducts"][0]
            quote_input = {
                "bookId": self._book_id,
                "productId": product["id"],
                "quantity": 1,
                "shippingAddress": documents.ADDRESS,
                "shippingLevel": "MAIL",
            }
            result = await self._graph.execute(documents.CREATE_QUOTE, {"input": quote_input})
            quote = expect(result["createQuote"], "Quote")
            step.detail = (
                f"{product['name']}: {_format_money(quote['total'])}, "
                f"including {_format_money(quote['shipping'])} shipping"
            )
        return quote

    async def _pay(self, quote: Object) -> Object:
        with self._screen.step("Pay") as step:
            variables = {"quoteId": quote["id"], "attemptKey": secrets.token_hex(8)}
            result = await self._graph.execute(documents.CHECKOUT, variables)
            order = expect(result["checkout"], "Order")
            payment = order["paymentAttempts"][-1]
            step.detail = (
                f"order {order['number']}, payment {payment['status'].lower()} ({payment['provider']})"
            )
        return order

    async def _wait_for_shipping(self, order: Object) -> None:
        with self._screen.step("Wait until the book is shipped") as step:
            events = self._graph.follow(documents.WATCH_ORDER, "order", {"id": order["id"]})
            async for event in events:
                self._show_order(event, step)
                if event["status"] in FAILED_ORDER_STATUSES:
                    raise UnexpectedResponse(f"The order ended with status {event['status']}.")
                if event["status"] in {"SHIPPED", "DELIVERED"}:
                    return
            raise UnexpectedResponse("The subscription ended before the order was shipped.")

    def _show_order(self, event: Object, step: Step) -> None:
        job = event["order"]["printJob"]
        report = job and job["preflight"]
        step.detail = _format_status(event["status"])
        if report and report["issues"]:
            raise UnexpectedResponse("; ".join(issue["message"] for issue in report["issues"]))
        printing = f", print job {_format_status(job['status'])}" if job else ""
        self._screen.print_note(f"order {_format_status(event['status'])}{printing}")

    async def _query_everything(self) -> None:
        with self._screen.step("Query all five subgraphs at once") as step:
            me = (await self._graph.execute(documents.EVERYTHING))["me"]
            book = me["books"]["nodes"][0]
            order = book["orders"][0]
            shipment = order["printJob"]["shipment"]
            step.detail = (
                f"{me['displayName']}: “{book['title']}”, {book['generation']['status'].lower()}, "
                f"{order['number']} {order['status'].lower()}, {shipment['carrier']} {shipment['trackingId']}"
            )

    async def _save_files(self, folder: Path) -> PrintFiles:
        with self._screen.step("Download the print files"):
            files = await self._wait_for_print_files()
            book_folder = folder / self._book_id
            book_folder.mkdir(parents=True, exist_ok=True)
            paths = {name: book_folder / f"{name}.pdf" for name in ("interior", "cover")}
            for name, path in paths.items():
                content = await self._graph.download(files[name]["url"])
                if hashlib.sha256(content).hexdigest() != files[name]["sha256"]:
                    raise UnexpectedResponse(f"The downloaded {name} does not match its SHA-256 hash.")
                path.write_bytes(content)
        return PrintFiles(**paths)


def _replace_last_sentence(text: str) -> str:
    """Replace the text's last sentence, so that its length hardly changes."""
    sentences = re.split(r"(?<=[.!?”])\s+", text.strip())
    return " ".join([*sentences[:-1], "And that was only the start."])


def _format_status(status: str) -> str:
    return status.lower().replace("_", " ")


def _format_money(money: Object) -> str:
    return f"{Money(money['amount'], money['currency']).to_decimal()} {money['currency']}"


def _format_size(file: Object) -> str:
    return f"{file['pageCount']} p. {file['widthPoints'] / 72:g} by {file['heightPoints'] / 72:g} in"
