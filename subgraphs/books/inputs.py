"""The inputs of the books domain's mutations."""

from __future__ import annotations

import strawberry

from subgraphs.books.formats import DEFAULT_FORMAT
from subgraphs.books.layouts import Layout
from subgraphs.books.models import Theme
from subgraphs.books.service import BriefDetails, ChildDetails, PageEdit
from subgraphs.common import idempotency
from subgraphs.common.pronouns import Pronouns


@strawberry.input
class CreateChildInput:
    """The input of createChild."""

    name: str = strawberry.field(description="From 1 to 60 characters; printed as given.")
    birth_month: str = strawberry.field(description="Year and month, such as 2020-05.")
    pronouns: Pronouns
    appearance: str = strawberry.field(
        default="", description="The child's appearance, in at most 500 characters."
    )
    interests: list[str] = strawberry.field(default_factory=list, description="At most 10.")
    idempotency_key: str | None = strawberry.field(default=None, description=idempotency.DESCRIPTION)

    def to_details(self) -> ChildDetails:
        """Convert to the argument of the use case."""
        return ChildDetails(self.name, self.birth_month, self.pronouns, self.appearance, self.interests)


@strawberry.input
class UpdateChildInput:
    """The input of updateChild; omitted fields stay as they are."""

    id: strawberry.ID
    name: str | None = None
    birth_month: str | None = None
    pronouns: Pronouns | None = None
    appearance: str | None = None
    interests: list[str] | None = None

    def to_details(self) -> ChildDetails:
        """Convert to the argument of the use case."""
        return ChildDetails(self.name, self.birth_month, self.pronouns, self.appearance, self.interests)


@strawberry.input
class CreateBookInput:
    """The input of createBook."""

    child_id: strawberry.ID
    wish: str = strawberry.field(description="What the story should be about, in at most 1000 characters.")
    theme: Theme = Theme.ADVENTURE
    language: str = strawberry.field(default="en", description="A language tag, such as en or en-GB.")
    dedication: str | None = strawberry.field(default=None, description="The text of the dedication page.")
    format_id: strawberry.ID = strawberry.field(
        default=strawberry.ID(DEFAULT_FORMAT), description="The format, one of `bookFormats`."
    )
    page_count: int | None = strawberry.field(
        default=None, description="One of the format's page counts; if omitted, the first of them."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=idempotency.DESCRIPTION)

    def to_brief(self) -> BriefDetails:
        """Convert to the argument of the use case."""
        return BriefDetails(
            self.wish, self.theme, self.language, self.dedication, self.format_id, self.page_count
        )


@strawberry.input
class EditPageInput:
    """The input of editPage."""

    page_id: strawberry.ID
    expected_version: int
    text: str = strawberry.field(description="The whole text. The first line of a title page is the title.")
    layout: Layout | None = strawberry.field(
        default=None, description="The new layout; if omitted, the page keeps its layout."
    )

    def to_edit(self) -> PageEdit:
        """Convert to the argument of the use case."""
        return PageEdit(self.page_id, self.expected_version, self.text, self.layout)


@strawberry.input
class RevertPageInput:
    """The input of revertPage."""

    page_id: strawberry.ID
    version_id: strawberry.ID
    expected_version: int


@strawberry.input
class ApproveBookInput:
    """The input of approveBook."""

    book_id: strawberry.ID
    expected_version: int
