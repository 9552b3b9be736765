"""Shared helpers of the books tests: create a child and a book, and generate its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from subgraphs.books import service
from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from tests.support.pictures import build_png
from tests.support.subgraph import Answer, SubgraphClient
from tests.support.tokens import sign_token

PAGE = "id number scene layout text version illustration { id }"
CREATE_CHILD = """
mutation ($input: CreateChildInput!) {
  createChild(input: $input) {
    __typename
    ... on Child { id name birthMonth pronouns appearance interests }
    ... on ConsentRequired { purpose message }
  }
}"""
CREATE_BOOK = f"""
mutation ($input: CreateBookInput!) {{
  createBook(input: $input) {{
    id title status version pageCount format {{ id trimWidth }}
    brief {{ wish theme language dedication }} pages {{ {PAGE} }}
  }}
}}"""
EDITED = f"""
    __typename
    ... on Page {{ {PAGE} book {{ version status title subtitle }} }}
    ... on EditConflict {{ message current {{ {PAGE} }} }}
    ... on TextDoesNotFit {{ message maximumCharacters }}
"""
EDIT_PAGE = f"mutation ($input: EditPageInput!) {{ editPage(input: $input) {{ {EDITED} }} }}"
REVERT_PAGE = f"mutation ($input: RevertPageInput!) {{ revertPage(input: $input) {{ {EDITED} }} }}"
APPROVE_BOOK = """
mutation ($input: ApproveBookInput!) {
  approveBook(input: $input) {
    __typename
    ... on Snapshot {
      id contentHash pageCount format { id } interior { sha256 } cover { sha256 } book { id status }
    }
    ... on BookConflict { message current { id version } }
    ... on BookIncomplete { message pages }
  }
}"""
BOOK = f"""
query ($id: ID!) {{
  book(id: $id) {{
    id title subtitle blurb status version
    coverIllustration {{ id sha256 }} snapshot {{ id contentHash }} pages {{ {PAGE} }}
  }}
}}"""
CHILD = {
    "name": "Mia",
    "birthMonth": "2020-05",
    "pronouns": "SHE",
    "appearance": "Brown curls and a red scarf",
    "interests": ["foxes", "lanterns"],
}
OUTLINE = service.BookOutline(
    title="Mia and the Lantern Fox",
    subtitle="A story for a brave heart",
    blurb="When the lantern goes out, Mia follows the fox.",
    dedication="For Mia",
    closing="And they slept until morning.",
)


@dataclass(slots=True)
class Parent:
    """A parent who calls the books subgraph."""

    client: SubgraphClient
    id: str = field(default_factory=lambda: new_id("usr"))

    @property
    def token(self) -> str:
        return sign_token(self.id)

    async def execute(self, query: str, **variables: Any) -> Answer:
        return await self.client.execute(query, variables, self.token)

    async def create_child(self, **details: Any) -> str:
        answer = await self.execute(CREATE_CHILD, input=CHILD | details)
        return str(answer.ok["createChild"]["id"])

    async def create_book(self, child_id: str | None = None, **brief: Any) -> dict[str, Any]:
        brief = {"childId": child_id or await self.create_child(), "wish": "A fox with a lantern"} | brief
        create_book: dict[str, Any] = (await self.execute(CREATE_BOOK, input=brief)).ok["createBook"]
        return create_book

    async def create_finished_book(self, child_id: str | None = None, **brief: Any) -> dict[str, Any]:
        """Create a book and generate its content."""
        create_book = await self.create_book(child_id, **brief)
        await generate(self.client.runtime, create_book["id"])
        return await self.read(create_book["id"])

    async def read(self, book_id: str) -> dict[str, Any]:
        create_book: dict[str, Any] = (await self.execute(BOOK, id=book_id)).ok["book"]
        return create_book

    async def edit(self, page: dict[str, Any], **edit: Any) -> dict[str, Any]:
        edit = {"pageId": page["id"], "expectedVersion": page["version"], "text": page["text"]} | edit
        answer: dict[str, Any] = (await self.execute(EDIT_PAGE, input=edit)).ok["editPage"]
        return answer

    async def approve(self, create_book: dict[str, Any]) -> dict[str, Any]:
        """Approve a book at the version it has now."""
        version = (await self.read(create_book["id"]))["version"]
        answer = await self.execute(
            APPROVE_BOOK, input={"bookId": create_book["id"], "expectedVersion": version}
        )
        snapshot: dict[str, Any] = answer.ok["approveBook"]
        return snapshot


async def store_picture(runtime: Runtime, shade: int) -> service.Picture:
    """Put a picture into the store, as the worker of a generation does."""
    content = build_png(shade)
    key = f"illustrations/{new_id('ill')}.png"
    await runtime.storage.put(key, content)
    return service.Picture(key, hashlib.sha256(content).hexdigest(), 8, 8, f"Picture {shade}")


async def generate(runtime: Runtime, book_id: str) -> None:
    """Generate a complete book through the use cases that workers call."""
    story = await service.get_story(runtime, book_id)
    await service.apply_outline(runtime, book_id, OUTLINE, "outline")
    for page in story.pages[3:-1]:
        if page.layout == "TEXT":
            await service.apply_page_text(runtime, page.id, f"Scene of page {page.number}.", page.id)
        else:
            picture = await store_picture(runtime, page.number)
            target = service.IllustrationTarget(book_id, page.id)
            await service.apply_illustration(runtime, target, page.id, picture)
    target = service.IllustrationTarget(book_id, None)
    await service.apply_illustration(runtime, target, f"{book_id}-cover", await store_picture(runtime, 99))
    await service.finish_generation(runtime, book_id, f"{book_id}-finish")
