"""Entities as the router resolves them: only the caller's own, in a constant number of statements."""

from typing import Any

import pytest

from tests.subgraphs.books.library import Parent
from tests.support.subgraph import SubgraphClient

WHOLE_BOOK = """... on Book {
  title
  child { name }
  coverIllustration { url }
  snapshot { contentHash interior { sha256 } book { id } }
  pages {
    text illustration { altText } book { version }
    versions(first: 3) { nodes { illustration { id } } }
  }
}"""
SHELF = """... on User {
  children { id name }
  books(first: 50) { nodes { id title child { name } pages { number } } pageInfo { hasNextPage } }
}"""


def build_references(typename: str, *ids: str) -> list[dict[str, Any]]:
    return [{"__typename": typename, "id": id_} for id_ in ids]


async def count_statements_of(
    client: SubgraphClient, selection: str, token: str, *refs: dict[str, Any]
) -> int:
    before = await client.count_statements()
    await client.resolve_entities(selection, list(refs), token)
    return await client.count_statements() - before


async def test_statements_do_not_grow_with_the_books(books: SubgraphClient, parent: Parent) -> None:
    child_id = await parent.create_child()
    made = [await parent.create_finished_book(child_id) for _ in range(4)]
    for book in made:
        await parent.approve(book)
    refs = build_references("Book", *(book["id"] for book in made))
    one = await count_statements_of(books, WHOLE_BOOK, parent.token, refs[0])
    assert await count_statements_of(books, WHOLE_BOOK, parent.token, *refs) == one == 8


async def test_statements_do_not_grow_with_the_shelf(books: SubgraphClient, parent: Parent) -> None:
    ref = build_references("User", parent.id)
    await parent.create_book()
    one = await count_statements_of(books, SHELF, parent.token, *ref)
    for _ in range(4):
        await parent.create_book()
    assert await count_statements_of(books, SHELF, parent.token, *ref) == one == 4


async def test_a_shelf_lists_the_books_of_a_parent_newest_first(
    books: SubgraphClient, parent: Parent, stranger: Parent
) -> None:
    child_id = await parent.create_child()
    ids = [(await parent.create_book(child_id))["id"] for _ in range(3)]
    await stranger.create_book()
    selection = """... on User {
      children { id }
      books(first: 2) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage endCursor } }
    }"""
    [user] = await books.resolve_entities(selection, build_references("User", parent.id), parent.token)
    assert user["children"] == [{"id": child_id}]
    assert [edge["node"]["id"] for edge in user["books"]["edges"]] == [ids[2], ids[1]]
    assert user["books"]["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "endCursor": user["books"]["edges"][1]["cursor"],
    }
    rest = f'... on User {{ books(after: "{user["books"]["pageInfo"]["endCursor"]}") {{ nodes {{ id }} }} }}'
    [user] = await books.resolve_entities(rest, build_references("User", parent.id), parent.token)
    assert user["books"]["nodes"] == [{"id": ids[0]}]


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_the_page_size_of_a_list_is_limited(books: SubgraphClient, parent: Parent, first: int) -> None:
    answer = await books.execute(
        f"query ($r: [_Any!]!) {{ _entities(representations: $r) "
        f"{{ ... on User {{ books(first: {first}) {{ nodes {{ id }} }} }} }} }}",
        {"r": build_references("User", parent.id)},
        parent.token,
    )
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "first")


async def test_entities_of_others_are_not_found(
    books: SubgraphClient, parent: Parent, stranger: Parent
) -> None:
    child_id = await parent.create_child()
    book = await parent.create_finished_book(child_id)
    snapshot = await parent.approve(book)
    page = book["pages"][4]
    history = await books.resolve_entities(
        "... on Page { versions { nodes { id } } }", build_references("Page", page["id"]), parent.token
    )
    refs = [
        *build_references("Child", child_id),
        *build_references("Book", book["id"]),
        *build_references("Page", page["id"]),
        *build_references("PageVersion", history[0]["versions"]["nodes"][0]["id"]),
        *build_references("Illustration", page["illustration"]["id"]),
        *build_references("Snapshot", snapshot["id"]),
        *build_references("User", parent.id),
    ]
    own = await books.resolve_entities("__typename", refs, parent.token)
    assert [entity["__typename"] for entity in own] == [ref["__typename"] for ref in refs]
    assert await books.resolve_entities("__typename", refs, stranger.token) == [None] * 7
    assert await books.resolve_entities("__typename", refs, None) == [None] * 7


@pytest.mark.parametrize("kind", ["book", "page", "child", "snapshot"])
async def test_an_unknown_id_is_not_found(parent: Parent, kind: str) -> None:
    answer = await parent.execute(f"query ($id: ID!) {{ {kind}(id: $id) {{ id }} }}", id="book_none")
    assert answer.code == "NOT_FOUND"
    assert answer.data is None
