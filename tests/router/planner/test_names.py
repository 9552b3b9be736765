"""Names that the planner assigns do not collide with those of the client or the schema."""

from __future__ import annotations

import pytest

from tests.support.federated import Federated

HITS = """
union Hit @join__type(graph: A) @join__unionMember(graph: A, member: "Book")
  @join__unionMember(graph: A, member: "Author") = Book | Author
type Book @join__type(graph: A) { cover: Pic }
type Author @join__type(graph: A) { cover: Pic }
type Pic @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  url(size: Int): String @join__field(graph: A)
  alt: String @join__field(graph: A)
  bytes(size: Int): Int @join__field(graph: B)
}
interface Page @join__type(graph: A) { cover: Pic }
type Leaf implements Page @join__type(graph: A) @join__implements(graph: A, interface: "Page") { cover: Pic }
type Query @join__type(graph: A) @join__type(graph: B) {
  s: String @join__field(graph: A)
  hits: [Hit!]! @join__field(graph: A)
  pages: [Page!]! @join__field(graph: A)
}
"""


def build_pic(identity: str) -> dict[str, object]:
    return {
        "__typename": "Pic",
        "id": identity,
        "url": lambda size=0: f"{identity}/{size}",
        "alt": f"alt of {identity}",
        "bytes": lambda size=0: 100 * size,
    }


WORLD = {
    "s": "x",
    "hits": [
        {"__typename": "Book", "cover": build_pic("b")},
        {"__typename": "Author", "cover": build_pic("a")},
    ],
    "pages": [{"__typename": "Leaf", "cover": build_pic("l")}],
}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("{ __a: s }", {"__a": "x"}),
        ("{ __: s _: s __typename }", {"__": "x", "_": "x", "__typename": "Query"}),
        ("{ __typename: s }", {"__typename": "x"}),
        ("{ __schema: s __type: s _entities: s }", {"__schema": "x", "__type": "x", "_entities": "x"}),
        ("{ _s_1: s s }", {"_s_1": "x", "s": "x"}),
    ],
)
async def test_a_client_may_use_any_alias(text: str, answer: dict[str, str]):
    result = await Federated(HITS, WORLD).run(text)

    assert (result.data, result.errors) == (answer, [])


async def test_one_response_name_below_different_types_has_the_arguments_of_each():
    text = "{ hits { ... on Book { cover { url(size: 1) } } ... on Author { cover { url(size: 2) } } } }"
    result = await Federated(HITS, WORLD).run(text)

    assert result.data == {"hits": [{"cover": {"url": "b/1"}}, {"cover": {"url": "a/2"}}]}


async def test_one_alias_below_different_types_selects_the_field_of_each():
    text = "{ hits { ... on Book { cover { id: url } } ... on Author { cover { id: alt } } } }"
    result = await Federated(HITS, WORLD).run(text)

    assert result.data == {"hits": [{"cover": {"id": "b/0"}}, {"cover": {"id": "alt of a"}}]}


async def test_one_response_name_below_different_types_may_come_from_different_subgraphs():
    text = """{ hits {
      ... on Book { cover { id: alt bytes(size: 1) } }
      ... on Author { cover { __typename: id bytes(size: 2) } }
    } }"""
    result = await Federated(HITS, WORLD).run(text)

    assert result.data == {
        "hits": [{"cover": {"id": "alt of b", "bytes": 100}}, {"cover": {"__typename": "a", "bytes": 200}}]
    }


async def test_one_response_name_selects_a_field_of_an_interface_and_of_its_types():
    text = "{ pages { cover { a: url(size: 1) } ... on Leaf { cover { b: url(size: 2) } } } }"
    result = await Federated(HITS, WORLD).run(text)

    assert result.data == {"pages": [{"cover": {"a": "l/1", "b": "l/2"}}]}


SIGNS = """
interface Page @join__type(graph: A) { cover: Pic }
type Leaf implements Page @join__type(graph: A) @join__implements(graph: A, interface: "Page") { cover: Pic }
type Folio implements Page @join__type(graph: A) @join__implements(graph: A, interface: "Page") { cover: Pic }
type Pic @join__type(graph: A) { url(size: Int): String! alt: String! }
type Query @join__type(graph: A) { pages: [Page!]! }
"""


@pytest.mark.parametrize(
    ("leaf", "folio", "values"),
    [
        ("url(size: 1)", "url(size: 2)", ("l/1", "f/2")),
        ("url: alt", "url(size: 2)", ("alt of l", "f/2")),
        ("url(size: 1)", "url: alt", ("l/1", "alt of f")),
    ],
)
async def test_one_response_name_below_types_of_an_interface_loses_no_object_to_a_null(
    leaf: str, folio: str, values: tuple[str, str]
):
    pages = [
        {"__typename": "Leaf", "cover": build_pic("l")},
        {"__typename": "Folio", "cover": build_pic("f")},
    ]
    text = f"{{ pages {{ ... on Leaf {{ cover {{ {leaf} }} }} ... on Folio {{ cover {{ {folio} }} }} }} }}"
    result = await Federated(SIGNS, {"pages": pages}).run(text)

    assert (result.data, result.errors) == ({"pages": [{"cover": {"url": each}} for each in values]}, [])


SHELF = """
type Box @join__type(graph: A) @join__type(graph: B) {
  w: Int @join__field(graph: A)
  h: Int @join__field(graph: A) @join__field(graph: B, external: true)
}
interface Thing @join__type(graph: A) { id: ID! box: Box size: Int }
type Lamp implements Thing @join__implements(graph: A, interface: "Thing")
  @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  box: Box! @join__field(graph: A) @join__field(graph: B, external: true)
  size: Int! @join__field(graph: A) @join__field(graph: B, external: true)
  watt: Int @join__field(graph: B, requires: "box { h }")
  glow: Int @join__field(graph: B, requires: "size")
}
type Vase implements Thing @join__implements(graph: A, interface: "Thing") @join__type(graph: A) {
  id: ID!
  box: Box
  size: Int
}
type Query @join__type(graph: A) @join__type(graph: B) { shelf: [Thing!]! @join__field(graph: A) }
"""
THINGS = [
    {
        "__typename": "Lamp",
        "id": "1",
        "box": {"w": 3, "h": 4},
        "size": 5,
        "watt": lambda box: box["h"] * 10,
        "glow": lambda size: size * 10,
    },
    {"__typename": "Vase", "id": "2", "box": {"w": 6, "h": 7}, "size": None},
]


async def test_a_required_field_is_aliased_where_the_field_of_the_interface_is_nullable():
    result = await Federated(SHELF, {"shelf": THINGS}).run("{ shelf { box { w } ... on Lamp { watt } } }")

    assert result.data == {"shelf": [{"box": {"w": 3}, "watt": 40}, {"box": {"w": 6}}]}


@pytest.mark.parametrize(("skipped", "sizes"), [(True, [{}, {}]), (False, [{"size": 5}, {"size": None}])])
async def test_a_conditional_field_of_an_interface_may_be_required_of_a_type(
    skipped: bool, sizes: list[dict[str, int | None]]
):
    text = "query($s: Boolean!) { shelf { size @skip(if: $s) ... on Lamp { glow } } }"
    result = await Federated(SHELF, {"shelf": THINGS}).run(text, s=skipped)

    assert result.data == {"shelf": [sizes[0] | {"glow": 50}, sizes[1]]}


OWNED = """
interface Party @join__type(graph: A) @join__type(graph: B) {
  kind: Int
  tag: String @join__field(graph: B)
}
type Cat implements Party @join__implements(graph: A, interface: "Party")
  @join__implements(graph: B, interface: "Party") @join__type(graph: A) @join__type(graph: B) {
  kind: Int
  tag: String @join__field(graph: A, type: "String!") @join__field(graph: B, external: true)
}
type Dog implements Party @join__implements(graph: A, interface: "Party")
  @join__implements(graph: B, interface: "Party") @join__type(graph: A) @join__type(graph: B) {
  kind: Int
  tag: String @join__field(graph: A) @join__field(graph: B, external: true)
}
type House @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  owners: [Party!]! @join__field(graph: A) @join__field(graph: B, external: true)
  sign: String @join__field(graph: B, requires: "owners { tag }")
}
type Query @join__type(graph: A) @join__type(graph: B) { house: House @join__field(graph: A) }
"""


async def test_required_fields_of_types_of_different_shape_are_read_under_their_own_keys():
    owners = [{"__typename": "Cat", "tag": "c"}, {"__typename": "Dog", "tag": "d"}]
    house = {
        "__typename": "House",
        "id": "1",
        "owners": owners,
        "sign": lambda owners: "".join(each["tag"] for each in owners),
    }
    houses = Federated(OWNED, {"house": house})
    result = await houses.run("{ house { sign } }")

    assert (result.data, result.errors) == ({"house": {"sign": "cd"}}, [])
    assert "...on Cat{tag} ...on Dog{_tag_1:tag}" in houses.requests[0][1]["query"]
