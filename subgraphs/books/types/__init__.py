"""The books domain's part of the graph."""

from subgraphs.books.types.books import Book, Page, PageVersion, Snapshot, User
from subgraphs.books.types.children import Child
from subgraphs.books.types.files import Illustration
from subgraphs.books.types.formats import BookFormat
from subgraphs.books.types.info import Info

__all__ = [
    "Book",
    "BookFormat",
    "Child",
    "Illustration",
    "Info",
    "Page",
    "PageVersion",
    "Snapshot",
    "User",
]
