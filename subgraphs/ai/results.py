"""The results of the ai domain's mutations."""

from __future__ import annotations

from typing import Annotated

import strawberry

from subgraphs.ai import types
from subgraphs.common.types import ConsentRequired


@strawberry.type(description="Another generation of the book is already running.")
class GenerationRunning:
    """A result of generateBook and regeneratePage."""

    message: str
    generation: types.Generation


@strawberry.type(description="The caller has too many active generations; nothing was started.")
class GenerationLimitReached:
    """A result of generateBook and regeneratePage."""

    message: str
    limit: int = strawberry.field(description="How many generations may be active at a time.")


@strawberry.type(description="Moderation rejected a text for a children's book; nothing was started.")
class ModerationRejected:
    """A result of generateBook and regeneratePage."""

    stage: str = strawberry.field(description="INPUT: what the parent wrote.")
    field: str = strawberry.field(description="The field with the text, such as `wish` or `child.name`.")
    category: str = strawberry.field(description="The provider's category of the content.")
    retryable: bool = strawberry.field(description="Whether a different wording may be accepted.")
    message: str


GenerateResult = Annotated[
    types.Generation | ConsentRequired | GenerationRunning | GenerationLimitReached | ModerationRejected,
    strawberry.union("GenerateResult"),
]
