"""The use cases of the books domain, and what workers may ask of it."""

from subgraphs.books.service.approval import approve_book
from subgraphs.books.service.books import BriefDetails, create_book
from subgraphs.books.service.children import (
    ChildDetails,
    create_child,
    delete_child,
    require_child_consent,
    update_child,
)
from subgraphs.books.service.generation import (
    BookOutline,
    IllustrationTarget,
    PageContext,
    Picture,
    StoryContext,
    apply_illustration,
    apply_outline,
    apply_page_text,
    finish_generation,
    story_context,
)
from subgraphs.books.service.pages import PageEdit, edit_page, revert_page
from subgraphs.books.service.typesetting import PrintFiles, print_files, typeset_snapshot

__all__ = [
    "BookOutline",
    "BriefDetails",
    "ChildDetails",
    "IllustrationTarget",
    "PageContext",
    "PageEdit",
    "Picture",
    "PrintFiles",
    "StoryContext",
    "apply_illustration",
    "apply_outline",
    "apply_page_text",
    "approve_book",
    "create_book",
    "create_child",
    "delete_child",
    "edit_page",
    "finish_generation",
    "print_files",
    "require_child_consent",
    "revert_page",
    "story_context",
    "typeset_snapshot",
    "update_child",
]
