"""What mutations of the ai domain answer, where a frontend has to tell cases apart."""

from __future__ import annotations

from typing import Annotated

import strawberry

from subgraphs.ai import types


@strawberry.federation.type(shareable=True, description="A consent has to be recorded first.")
class ConsentRequired:
    """The consent that is missing."""

    purpose: str
    message: str


@strawberry.type(description="The book is being worked on already.")
class GenerationRunning:
    """The generation that is at work."""

    message: str
    generation: types.Generation


@strawberry.type(
    description="As many of the caller's books as can be are being worked on; nothing was begun."
)
class GenerationLimitReached:
    """How many can be."""

    message: str
    limit: int = strawberry.field(description="How many generations may wait or run at a time.")


@strawberry.type(description="What was written is not accepted for a children's book; nothing was begun.")
class ModerationRejected:
    """What was rejected, and why."""

    stage: str = strawberry.field(description="INPUT: what the parent wrote.")
    field: str = strawberry.field(description="The field with the text, such as `wish` or `child.name`.")
    category: str = strawberry.field(description="The kind of content, in the provider's words.")
    retryable: bool = strawberry.field(description="Whether other words may be accepted.")
    message: str


GenerateResult = Annotated[
    types.Generation | ConsentRequired | GenerationRunning | GenerationLimitReached | ModerationRejected,
    strawberry.union("GenerateResult"),
]
