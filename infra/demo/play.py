"""The main job from sign-up to the shipped book, step by step, as one parent's client does it."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from infra.demo import documents
from infra.demo.client import GraphClient, GraphRefusal, Object, expect
from infra.demo.screen import Making, Screen, Step
from infra.errors import InfraError

SCENES = 14
FILES_WITHIN = 60.0
ORDER_ENDS_BADLY = {"PAYMENT_FAILED", "CANCELLED", "PRINT_REJECTED"}


@dataclass(frozen=True, slots=True)
class PrintFiles:
    """Where the two PDFs of the book lie."""

    interior: Path
    cover: Path


class Play:
    """One run of the main job; each step uses what the earlier ones left."""

    def __init__(self, graph: GraphClient, screen: Screen, child: str, wish: str) -> None:
        self._graph = graph
        self._screen = screen
        self._child = child
        self._wish = wish
        self._book_id = ""
        self._snapshot: Object = {}

    async def run(self, folder: Path) -> PrintFiles:
        """Play every step; the PDFs are saved below `folder`.

        Raises:
            InfraError: A step did not go as it should; the message says how it went.
        """
        await self._sign_up()
        await self._describe_child()
        await self._make_book()
        await self._edit_page()
        await self._regenerate_picture()
        await self._approve()
        quote = await self._quote()
        order = await self._pay(quote)
        await self._wait_for_shipping(order)
        await self._read_everything()
        return await self._save_files(folder)

    async def _sign_up(self) -> None:
        with self._screen.step("Sign up") as step:
            email = f"robin.{secrets.token_hex(6)}@example.com"
            account = {"email": email, "password": secrets.token_urlsafe(16), "displayName": "Robin Parent"}
            result = await self._graph.execute(documents.SIGN_UP, {"input": account})
            self._graph.token = expect(result["signUp"], "SignedIn")["tokens"]["accessToken"]
            step.fact = email
        with self._screen.step("Record the parent's consent") as step:
            consents = await self._graph.execute(documents.RECORD_CONSENTS, {"version": "2026-11"})
            step.fact = ", ".join(consent["purpose"] for consent in consents.values())

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
            step.fact = child["name"]
        with self._screen.step("Create a book from the brief") as step:
            brief = {
                "childId": child["id"],
                "wish": self._wish,
                "dedication": f"For {self._child}, with love.",
            }
            book = (await self._graph.execute(documents.CREATE_BOOK, {"input": brief}))["createBook"]
            self._book_id = book["id"]
            step.fact = f"“{book['brief']['wish']}”, {book['pageCount']} pages"

    async def _make_book(self) -> None:
        with self._screen.step("Write and illustrate it") as step:
            result = await self._graph.execute(documents.GENERATE_BOOK, {"bookId": self._book_id})
            generation = expect(result["generateBook"], "Generation")
            making = Making(pages=SCENES, pictures=SCENES + 1)
            self._screen.show_making(making)
            finished = await self._watch(generation["id"], making)
            step.fact = f"“{finished['book']['title']}”, {making.written} pages, {making.drawn} pictures"

    async def _watch(self, generation_id: str, making: Making) -> Object:
        """Follow a generation to its end; returns its last event."""
        events = self._graph.follow(documents.WATCH_GENERATION, "generation", {"id": generation_id})
        async for event in events:
            match event["__typename"]:
                case "GenerationFailed":
                    raise GraphRefusal(f"The generation failed: {event['message']}")
                case "GenerationCancelled":
                    raise GraphRefusal("The generation was cancelled.")
                case "GenerationCompleted":
                    return event
                case _:
                    self._take_in(event, making)
        raise GraphRefusal("The events of the generation ended before it did.")

    def _take_in(self, event: Object, making: Making) -> None:
        """Show what an event tells of the book being made."""
        match event["__typename"]:
            case "OutlineWritten":
                making.title = event["title"]
                self._screen.tell(f"The story has a title: {event['title']}")
            case "TextDelta" if event["writing"]:
                making.write(event["writing"]["number"], event["text"])
            case "PageWritten":
                making.finish_page(event["written"]["number"], event["written"]["text"])
            case "IllustrationReady":
                making.finish_picture(event["illustration"]["altText"])
            case "StepFailed":
                outcome = "is tried again" if event["retrying"] else "is left out"
                self._screen.tell(f"A step failed and {outcome}: {event['message']}")

    async def _edit_page(self) -> None:
        with self._screen.step("Edit a page") as step:
            page = await self._first_page_of("TEXT")
            changes = {
                "pageId": page["id"],
                "expectedVersion": page["version"],
                "text": _with_another_ending(page["text"]),
            }
            result = await self._graph.execute(documents.EDIT_PAGE, {"input": changes})
            edited = expect(result["editPage"], "Page")
            step.fact = f"page {edited['number']}, now version {edited['version']}"
        self._screen.tell(edited["text"])

    async def _regenerate_picture(self) -> None:
        with self._screen.step("Draw one picture anew") as step:
            before = await self._first_page_of("FULL_BLEED")
            variables = {"pageId": before["id"], "instruction": "at night, under many stars"}
            result = await self._graph.execute(documents.REGENERATE_PICTURE, variables)
            generation = expect(result["regeneratePage"], "Generation")
            await self._watch(generation["id"], Making(pages=0, pictures=1))
            after = await self._first_page_of("FULL_BLEED")
            if after["illustration"]["sha256"] == before["illustration"]["sha256"]:
                raise GraphRefusal("The page still shows its old picture.")
            step.fact = f"page {after['number']}, now version {after['version']}"

    async def _first_page_of(self, layout: str) -> Object:
        book = (await self._graph.execute(documents.READ_BOOK, {"id": self._book_id}))["book"]
        page: Object = next(page for page in book["pages"] if page["layout"] == layout)
        return page

    async def _approve(self) -> None:
        with self._screen.step("Approve exactly this book") as step:
            book = (await self._graph.execute(documents.READ_BOOK, {"id": self._book_id}))["book"]
            variables = {"bookId": self._book_id, "expectedVersion": book["version"]}
            result = await self._graph.execute(documents.APPROVE_BOOK, variables)
            self._snapshot = expect(result["approveBook"], "Snapshot")
            step.fact = f"content {self._snapshot['contentHash'][:16]}…"
        with self._screen.step("Typeset the interior and the cover") as step:
            files = await self._print_files()
            step.fact = ", ".join(f"{name} {_size(file)}" for name, file in files.items())

    async def _print_files(self) -> Object:
        deadline = time.monotonic() + FILES_WITHIN
        while True:
            variables = {"snapshotId": self._snapshot["id"]}
            files: Object = (await self._graph.execute(documents.PRINT_FILES, variables))["snapshot"]
            if files["interior"] and files["cover"]:
                return files
            if time.monotonic() > deadline:
                raise InfraError("The print files were not typeset in time; see: memorable logs worker")
            await asyncio.sleep(0.25)

    async def _quote(self) -> Object:
        with self._screen.step("Ask what a printed copy costs") as step:
            product = (await self._graph.execute(documents.PRINT_PRODUCTS))["printProducts"][0]
            wanted = {
                "bookId": self._book_id,
                "productId": product["id"],
                "quantity": 1,
                "shippingAddress": documents.ADDRESS,
                "shippingLevel": "MAIL",
            }
            result = await self._graph.execute(documents.CREATE_QUOTE, {"input": wanted})
            quote = expect(result["createQuote"], "Quote")
            step.fact = (
                f"{product['name']}: {_money(quote['total'])}, of which {_money(quote['shipping'])} shipping"
            )
        return quote

    async def _pay(self, quote: Object) -> Object:
        with self._screen.step("Pay") as step:
            result = await self._graph.execute(documents.CHECKOUT, {"quoteId": quote["id"]})
            order = expect(result["checkout"], "Order")
            payment = order["payment"]
            step.fact = (
                f"order {order['number']}, payment {payment['status'].lower()} ({payment['provider']})"
            )
        return order

    async def _wait_for_shipping(self, order: Object) -> None:
        with self._screen.step("Wait for the print shop") as step:
            events = self._graph.follow(documents.WATCH_ORDER, "order", {"id": order["id"]})
            async for event in events:
                self._tell_order(event, step)
                if event["status"] in ORDER_ENDS_BADLY:
                    raise GraphRefusal(f"The order ended as {event['status']}.")
                if event["status"] in {"SHIPPED", "DELIVERED"}:
                    return
            raise GraphRefusal("The events of the order ended before it was shipped.")

    def _tell_order(self, event: Object, step: Step) -> None:
        job = event["order"]["printJob"]
        report = job and job["preflight"]
        step.fact = _words(event["status"])
        if report and report["issues"]:
            raise GraphRefusal("; ".join(issue["message"] for issue in report["issues"]))
        printing = f", print job {_words(job['status'])}" if job else ""
        self._screen.tell(f"order {_words(event['status'])}{printing}")

    async def _read_everything(self) -> None:
        with self._screen.step("Read it all in one query") as step:
            me = (await self._graph.execute(documents.EVERYTHING))["me"]
            book = me["books"]["nodes"][0]
            order = book["orders"][0]
            shipment = order["printJob"]["shipment"]
            step.fact = (
                f"{me['displayName']}: “{book['title']}”, {book['generation']['status'].lower()}, "
                f"{order['number']} {order['status'].lower()}, {shipment['carrier']} {shipment['trackingId']}"
            )

    async def _save_files(self, folder: Path) -> PrintFiles:
        with self._screen.step("Download the print files"):
            files = await self._print_files()
            place = folder / self._book_id
            place.mkdir(parents=True, exist_ok=True)
            paths = {name: place / f"{name}.pdf" for name in ("interior", "cover")}
            for name, path in paths.items():
                content = await self._graph.download(files[name]["url"])
                if hashlib.sha256(content).hexdigest() != files[name]["sha256"]:
                    raise GraphRefusal(f"The {name} is not the file that was approved.")
                path.write_bytes(content)
        return PrintFiles(**paths)


def _with_another_ending(text: str) -> str:
    """The text with its last sentence replaced, so that it fits wherever it fitted before."""
    sentences = re.split(r"(?<=[.!?”])\s+", text.strip())
    return " ".join([*sentences[:-1], "And that was only the start."])


def _words(status: str) -> str:
    return status.lower().replace("_", " ")


def _money(money: Object) -> str:
    return f"{money['amount'] / 100:.2f} {money['currency']}"


def _size(file: Object) -> str:
    return f"{file['pageCount']} p. {file['widthPoints'] / 72:g} by {file['heightPoints'] / 72:g} in"
