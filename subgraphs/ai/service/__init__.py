"""The use cases of the ai domain."""

from subgraphs.ai.service.cancel import cancel_generation
from subgraphs.ai.service.forget import forget_child
from subgraphs.ai.service.generate import BookTruth, ask_for_book, start_book
from subgraphs.ai.service.regenerate import PagePart, PageTruth, ask_for_page, start_page

__all__ = [
    "BookTruth",
    "PagePart",
    "PageTruth",
    "ask_for_book",
    "ask_for_page",
    "cancel_generation",
    "forget_child",
    "start_book",
    "start_page",
]
