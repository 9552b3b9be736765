"""The use cases of the books domain."""

from subgraphs.books.formats import list_formats
from subgraphs.books.service.approval import approve_book
from subgraphs.books.service.books import BriefDetails, create_book
from subgraphs.books.service.children import ChildDetails, create_child, delete_child, update_child
from subgraphs.books.service.files import delete_files, read_file
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
    get_story,
)
from subgraphs.books.service.pages import PageEdit, edit_page, revert_page
from subgraphs.books.service.renditions import PrintableBook, make_print_files, make_rendition

__all__ = [
    "BookOutline",
    "BriefDetails",
    "ChildDetails",
    "IllustrationTarget",
    "PageContext",
    "PageEdit",
    "Picture",
    "PrintableBook",
    "StoryContext",
    "apply_illustration",
    "apply_outline",
    "apply_page_text",
    "approve_book",
    "create_book",
    "create_child",
    "delete_child",
    "delete_files",
    "edit_page",
    "finish_generation",
    "get_story",
    "list_formats",
    "make_print_files",
    "make_rendition",
    "read_file",
    "revert_page",
    "update_child",
]
