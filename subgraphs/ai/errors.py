"""The errors of the ai domain."""

from __future__ import annotations

from subgraphs.common.errors import Conflict, DomainError


class GenerationRunning(DomainError):
    """Another generation of the book is active."""

    code = "GENERATION_RUNNING"

    def __init__(self, generation_id: str) -> None:
        super().__init__("This book is already being generated.")
        self.generation_id = generation_id


class GenerationLimitReached(DomainError):
    """The parent has as many active generations as are allowed."""

    code = "GENERATION_LIMIT_REACHED"

    def __init__(self, limit: int) -> None:
        super().__init__(f"At most {limit} of your books can be generated at a time; wait for one to finish.")
        self.limit = limit


class ModerationRejected(DomainError):
    """Moderation rejected a text of the parent."""

    code = "MODERATION_REJECTED"

    def __init__(self, field: str, category: str) -> None:
        super().__init__(f"This does not suit a children's book ({category}): please rephrase {field!r}.")
        self.stage = "INPUT"
        self.field = field
        self.category = category
        self.retryable = True


class NotGenerated(Conflict):
    """The book has no story yet, so none of its pages can be regenerated."""

    def __init__(self) -> None:
        super().__init__("Generate the book before one of its pages.")
