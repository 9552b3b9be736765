"""Plans checked by their answers: the subgraphs execute the fetches, and the answer must match the schema."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.federated import Federated

BOXES = """
type Box @join__type(graph: A) @join__type(graph: B) { w: Int h: Int @join__field(graph: B) }
interface Thing @join__type(graph: A) { id: ID! box: Box }
type Lamp implements Thing @join__implements(graph: A, interface: "Thing")
  @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") { id: ID! box: Box }
type Vase implements Thing @join__implements(graph: A, interface: "Thing")
  @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") { id: ID! box: Box }
type Query @join__type(graph: A) @join__type(graph: B) { shelf: [Thing!]! @join__field(graph: A) }
"""
SHELF = [
    {"__typename": "Lamp", "id": "1", "box": {"w": 3, "h": 4}},
    {"__typename": "Vase", "id": "2", "box": {"w": 6, "h": 7}},
]


async def test_fields_below_a_field_of_an_interface_may_be_reached_through_its_types():
    result = await Federated(BOXES, {"shelf": SHELF}).run("{ shelf { box { w h } } }")

    assert (result.data, result.errors) == (
        {"shelf": [{"box": {"w": 3, "h": 4}}, {"box": {"w": 6, "h": 7}}]},
        [],
    )


async def test_fields_below_a_field_of_an_interface_are_fetched_at_once_where_possible():
    boxes = Federated(BOXES, {"shelf": SHELF})
    result = await boxes.run("{ shelf { box { w } } }")

    assert result.data == {"shelf": [{"box": {"w": 3}}, {"box": {"w": 6}}]}
    assert [body["query"] for _, body in boxes.requests] == ["query{shelf{__typename box{w}}}"]


NAMED = """
interface Thing @join__type(graph: A, key: "id", isInterfaceObject: true) @join__type(graph: B, key: "id") {
  id: ID!
  price: Int @join__field(graph: A)
}
type Lamp implements Thing @join__implements(graph: B, interface: "Thing") @join__type(graph: B, key: "id") {
  id: ID!
  watt: Int
  price: Int @join__field
}
type Vase implements Thing @join__implements(graph: B, interface: "Thing") @join__type(graph: B, key: "id") {
  id: ID!
  price: Int @join__field
}
type Query @join__type(graph: A) @join__type(graph: B) {
  pick: Thing @join__field(graph: A)
}
"""
PICKED = {"pick": {"__typename": "Lamp", "id": "1", "price": 5, "watt": 60}}
PLAIN = {"pick": {"__typename": "Thing", "id": "1", "price": 5}, "things": [PICKED["pick"]]}


@pytest.mark.parametrize(
    ("selection", "on", "answer"),
    [
        ("__typename ... on Lamp @include(if: $on) { watt }", False, {"__typename": "Lamp"}),
        ("__typename ... on Lamp @include(if: $on) { watt }", True, {"__typename": "Lamp", "watt": 60}),
        ("t: __typename price ... on Lamp { watt @skip(if: $on) }", True, {"t": "Lamp", "price": 5}),
        ("price __typename @include(if: $on)", False, {"price": 5}),
        ("price __typename @include(if: $on)", True, {"price": 5, "__typename": "Lamp"}),
        ("price ... on Lamp @include(if: $on) { watt }", False, {"price": 5}),
    ],
)
async def test_a_typename_is_fetched_whatever_is_selected_beside_it(
    selection: str, on: bool, answer: dict[str, object]
):
    named = Federated(NAMED, PLAIN)
    result = await named.run(f"query($on: Boolean!) {{ pick {{ {selection} }} }}", on=on)

    assert (result.data, result.errors) == ({"pick": answer}, [])
    assert len(named.requests) == 1 + (answer.keys() != {"price"})


@pytest.mark.parametrize("selection", ["__typename", "price __typename", "price ... on Lamp { watt }"])
async def test_without_the_subgraph_that_knows_the_type_the_object_is_null_with_an_error(selection: str):
    named = Federated(NAMED, PLAIN)
    named.unavailable.add("b")
    result = await named.run(f"{{ pick {{ {selection} }} }}")

    assert result.data == {"pick": None}
    assert [error["message"] for error in result.errors] == ["b is down"]


LAMPS = """
interface Thing @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  price: Int @join__field(graph: B)
}
type Lamp implements Thing @join__implements(graph: A, interface: "Thing")
  @join__implements(graph: B, interface: "Thing")
  @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  watt: Int! @join__field(graph: A) @join__field(graph: B, external: true)
  price: Int @join__field(graph: B)
  bill: Int @join__field(graph: B, requires: "watt")
}
type Vase implements Thing @join__implements(graph: A, interface: "Thing")
  @join__implements(graph: B, interface: "Thing")
  @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  price: Int @join__field(graph: B)
}
type Query @join__type(graph: A) @join__type(graph: B) { all: [Thing!]! @join__field(graph: A) }
"""
LAMP = {"__typename": "Lamp", "id": "1", "watt": 60, "price": 5, "bill": lambda watt: watt * 2}
VASE = {"__typename": "Vase", "id": "2", "price": 7}


@pytest.mark.parametrize("selection", ["price ... on Lamp { bill }", "... on Lamp { bill } price"])
async def test_representations_of_an_interface_and_of_a_type_carry_what_either_requires(selection: str):
    lamps = Federated(LAMPS, {"all": [LAMP, VASE]})
    result = await lamps.run(f"{{ all {{ {selection} }} }}")

    assert (result.data, result.errors) == ({"all": [{"price": 5, "bill": 120}, {"price": 7}]}, [])
    assert lamps.list_representations("b") == [
        {"__typename": "Lamp", "id": "1", "watt": 60},
        {"__typename": "Vase", "id": "2"},
    ]


async def test_an_object_of_known_type_is_presented_as_that_type():
    lamps = Federated(LAMPS, {"all": [VASE, LAMP, VASE]})
    result = await lamps.run("{ all { price } }")

    assert result.data == {"all": [{"price": 7}, {"price": 5}, {"price": 7}]}
    assert lamps.list_representations("b") == [
        {"__typename": "Vase", "id": "2"},
        {"__typename": "Lamp", "id": "1"},
    ]


TAXED = """
interface Thing @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", isInterfaceObject: true) {
  id: ID!
  base: Int! @join__field(graph: A) @join__field(graph: B, external: true)
  price: Int @join__field(graph: B)
  tax: Int @join__field(graph: B, requires: "base")
  duty: Int! @join__field(graph: B, requires: "base")
}
type Lamp implements Thing @join__implements(graph: A, interface: "Thing") @join__type(graph: A, key: "id") {
  id: ID!
  base: Int!
  price: Int @join__field
  tax: Int @join__field
  duty: Int! @join__field
}
type Vase implements Thing @join__implements(graph: A, interface: "Thing") @join__type(graph: A, key: "id") {
  id: ID!
  base: Int!
  price: Int @join__field
  tax: Int @join__field
  duty: Int! @join__field
}
type Query @join__type(graph: A) @join__type(graph: B) { all: [Thing!]! @join__field(graph: A) }
"""
THINGS = [
    {
        "__typename": name,
        "id": name,
        "base": base,
        "price": base + 1,
        "tax": lambda base: base * 2,
        "duty": lambda base: base * 3,
    }
    for name, base in (("Lamp", 10), ("Vase", 20))
]


@pytest.mark.parametrize(("name", "value"), [("tax", 20), ("duty", 30)])
async def test_fields_are_fetched_only_for_objects_with_their_requirements(name: str, value: int):
    taxed = Federated(TAXED, {"all": THINGS})
    result = await taxed.run(f"{{ all {{ ... on Lamp {{ {name} }} ... on Vase {{ price }} }} }}")

    assert (result.data, result.errors) == ({"all": [{name: value}, {"price": 21}]}, [])
    assert taxed.list_representations("b") == [
        {"__typename": "Thing", "id": "Lamp", "base": 10},
        {"__typename": "Thing", "id": "Vase"},
    ]


USER = """
type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  cm: Int! @join__field(graph: A) @join__field(graph: B, external: true)
  body: Body! @join__field(graph: A) @join__field(graph: B, external: true)
  nick: String @join__field(graph: B)
  tall: Boolean @join__field(graph: B, requires: "cm")
  heavy: Boolean @join__field(graph: B, requires: "body { kg } cm")
}
type Body @join__type(graph: A) @join__type(graph: B) { kg: Int! }
type Query @join__type(graph: A) @join__type(graph: B) { user: User! @join__field(graph: A) }
type Mutation @join__type(graph: A) @join__type(graph: B) {
  open: Boolean @join__field(graph: A)
  shut: Boolean @join__field(graph: A)
  ring: Boolean @join__field(graph: B)
  grow: User @join__field(graph: A)
}
"""
PERSON = {
    "__typename": "User",
    "id": "1",
    "cm": 180,
    "body": {"kg": 70},
    "nick": "Bo",
    "tall": lambda cm, body=None: cm > 170,
    "heavy": lambda cm, body: body["kg"] > 60,
}
HOUSE = {"user": PERSON, "open": True, "shut": False, "ring": True, "grow": PERSON}


@pytest.mark.parametrize(
    ("on", "answer", "sent"),
    [
        (True, {"nick": "Bo", "tall": True}, {"__typename": "User", "id": "1", "cm": 180}),
        (False, {"nick": "Bo"}, {"__typename": "User", "id": "1"}),
    ],
)
async def test_conditional_requirements_share_the_fetch_of_unconditional_fields(
    on: bool, answer: dict[str, object], sent: dict[str, object]
):
    users = Federated(USER, HOUSE)
    result = await users.run("query($on: Boolean!) { user { nick tall @include(if: $on) } }", on=on)

    assert (result.data, result.errors) == ({"user": answer}, [])
    assert [name for name, _ in users.requests] == ["a", "b"]
    assert users.list_representations("b") == [sent]


@pytest.mark.parametrize(("on", "fat"), [(True, True), (True, False), (False, True), (False, False)])
async def test_requirements_under_nested_conditions_share_a_fetch(on: bool, fat: bool):
    users = Federated(USER, HOUSE)
    text = """query($on: Boolean!, $fat: Boolean!) {
      user { nick ... @include(if: $on) { tall heavy @include(if: $fat) } }
    }"""
    result = await users.run(text, on=on, fat=fat)

    expected = {"nick": "Bo"} | ({"tall": True} if on else {}) | ({"heavy": True} if on and fat else {})
    assert (result.data, result.errors) == ({"user": expected}, [])
    assert [name for name, _ in users.requests] == ["a", "b"]


@pytest.mark.parametrize(("on", "expected"), [(True, {"nick": "Bo"}), (False, {})])
async def test_entities_of_several_places_share_a_fetch_whatever_their_conditions(
    on: bool, expected: dict[str, str]
):
    users = Federated(USER, HOUSE)
    text = "query($on: Boolean!) { x: user { nick } y: user { nick @include(if: $on) } }"
    result = await users.run(text, on=on)

    assert result.data == {"x": {"nick": "Bo"}, "y": expected}
    assert [name for name, _ in users.requests] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "expected_subgraphs"),
    [
        ("mutation { open shut }", ["a"]),
        ("mutation { open ring shut }", ["a", "b", "a"]),
        ("mutation { open grow { cm } shut }", ["a"]),
        ("mutation { open grow { nick } shut }", ["a", "b", "a"]),
    ],
)
async def test_neighbouring_fields_of_a_mutation_run_in_one_fetch_unless_one_needs_more(
    text: str, expected_subgraphs: list[str]
):
    house = Federated(USER, HOUSE)
    result = await house.run(text)

    assert (result.errors, [name for name, _ in house.requests]) == ([], expected_subgraphs)


SPREAD = """
type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") @join__type(graph: C, key: "id") {
  id: ID!
  nick: String @join__field(graph: B) @join__field(graph: C)
  age: Int @join__field(graph: C)
}
type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) {
  user: User @join__field(graph: A)
}
"""


async def test_a_field_in_two_places_comes_from_one_subgraph():
    spread = Federated(SPREAD, {"user": {"__typename": "User", "id": "1", "nick": "Bo", "age": 4}})
    result = await spread.run("{ x: user { nick } y: user { nick age } }")

    assert result.data == {"x": {"nick": "Bo"}, "y": {"nick": "Bo", "age": 4}}
    assert [name for name, _ in spread.requests] == ["a", "c"]


MADE = """
interface Agent @join__type(graph: A) @join__type(graph: B) { id: ID! name: String @join__field(graph: B) }
type Maker implements Agent @join__implements(graph: A, interface: "Agent")
  @join__implements(graph: B, interface: "Agent")
  @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  name: String @join__field(graph: A, external: true) @join__field(graph: B)
}
interface Thing @join__type(graph: A) { maker: Agent }
type Lamp implements Thing @join__implements(graph: A, interface: "Thing") @join__type(graph: A) {
  maker: Maker @join__field(graph: A, type: "Maker")
}
type Query @join__type(graph: A) @join__type(graph: B) {
  pick: Thing @join__field(graph: A, provides: "... on Lamp { maker { name } }")
  other: Thing @join__field(graph: A)
}
"""


@pytest.mark.parametrize(("field", "expected_subgraphs"), [("pick", ["a"]), ("other", ["a", "b"])])
async def test_a_field_provided_on_a_type_serves_the_field_of_its_interface(
    field: str, expected_subgraphs: list[str]
):
    lamp = {"__typename": "Lamp", "maker": {"__typename": "Maker", "id": "1", "name": "Havn"}}
    made = Federated(MADE, {"pick": lamp, "other": lamp})
    result = await made.run(f"{{ {field} {{ maker {{ name }} }} }}")

    assert (result.data, result.errors) == ({field: {"maker": {"name": "Havn"}}}, [])
    assert [name for name, _ in made.requests] == expected_subgraphs


OWNED = """
type Cat @join__type(graph: A, key: "owned { id }") @join__type(graph: B, key: "owned { id }") {
  owned: Ant!
  sku: String @join__field(graph: B)
}
type Ant @join__type(graph: A) @join__type(graph: B) { id: ID! size: Int @join__field(graph: A) tag: Ant }
type Query @join__type(graph: A) @join__type(graph: B) { cat: Cat @join__field(graph: A) }
"""


@pytest.mark.parametrize(
    "text",
    [
        "query($no: Boolean!) { cat { owned @skip(if: $no) { size tag { size } } sku } }",
        "query($no: Boolean!) { cat { sku owned @skip(if: $no) { size tag { size } } } }",
    ],
)
def test_fields_that_a_client_skips_below_a_key_stay_conditional_when_the_key_is_fetched(text: str):
    printed = str(Federated(OWNED, {}).plan(text))
    for selection in ("owned {", "size @skip(if: $no)", "tag @skip(if: $no) {"):
        assert selection in printed


KNOWN_TWICE = f"""
type Ant @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {{
  id: ID!
  tag: Ant
  {" ".join(f"f{number}: Int" for number in range(12))}
  mood: String @join__field(graph: B)
}}
type Query @join__type(graph: A) @join__type(graph: B) {{ ant: Ant }}
"""


async def test_a_single_subgraph_that_has_all_fields_serves_them_however_many_two_share():
    fields = " ".join(f"f{number}" for number in range(12))
    tag = {"__typename": "Ant", "id": "2", "mood": "calm"}
    ant = {f"f{number}": number for number in range(12)} | {"__typename": "Ant", "id": "1", "tag": tag}
    known = Federated(KNOWN_TWICE, {"ant": ant})
    result = await known.run(f"{{ ant {{ {fields} tag {{ mood }} }} }}")

    assert result.data == {"ant": {f"f{number}": number for number in range(12)} | {"tag": {"mood": "calm"}}}
    assert [name for name, _ in known.requests] == ["b"]


MARKED = """
interface Item @join__type(graph: A) @join__type(graph: B)
  @join__type(graph: C, key: "id", isInterfaceObject: true) {
  id: ID! @join__field(graph: C)
  box: Boolean
  mark: String @join__field(graph: C, requires: "box")
}
type Bee implements Item @join__implements(graph: A, interface: "Item")
  @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  box: Boolean @join__field(graph: A, external: true) @join__field(graph: B)
  mark: String @join__field
}
type Query @join__type(graph: A) @join__type(graph: B) @join__type(graph: C) {
  item: Item @join__field(graph: A)
}
"""


async def test_a_field_that_a_subgraph_requires_is_not_fetched_there_even_if_not_marked_external():
    bee = {"__typename": "Bee", "id": "1", "box": True, "mark": lambda box, **_: f"box: {box}"}
    marked = Federated(MARKED, {"item": bee})
    result = await marked.run("{ item { mark } }")

    assert (result.data, result.errors) == ({"item": {"mark": "box: True"}}, [])
    # The key, too, comes from where the type is known, not from where it leads to.
    assert [name for name, _ in marked.requests] == ["a", "b", "c"]


PRICED = """
type Ant @join__type(graph: A, key: "id") @join__type(graph: B, key: "code", resolvable: false) {
  id: ID!
  code: ID! @join__field(graph: A)
  price: Int
  label: String @join__field(graph: A, requires: "price") @join__field(graph: B, external: true)
}
type Query @join__type(graph: A) @join__type(graph: B) { ant: Ant @join__field(graph: A) }
"""


async def test_a_field_that_a_subgraph_requires_is_fetched_there_if_no_other_can_serve_it():
    ant = {
        "__typename": "Ant",
        "id": "1",
        "code": "x",
        "price": 7,
        "label": lambda price, **_: f"for {price}",
    }
    priced = Federated(PRICED, {"ant": ant})
    result = await priced.run("{ ant { label } }")

    assert (result.data, result.errors) == ({"ant": {"label": "for 7"}}, [])
    assert [name for name, _ in priced.requests] == ["a", "a"]


BILLED = """
type Lamp @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
  id: ID!
  watt: Int @join__field(graph: A, external: true) @join__field(graph: B)
  bill: String @join__field(graph: A, requires: "watt")
}
type Shelf @join__type(graph: A) { lamp: Lamp }
type Query @join__type(graph: A) @join__type(graph: B) {
  shelf: Shelf @join__field(graph: A, provides: "lamp { bill }")
}
"""


async def test_requirements_of_a_provided_field_are_still_fetched():
    lamp = {"__typename": "Lamp", "id": "1", "watt": 7, "bill": lambda watt, **_: f"for {watt} W"}
    billed = Federated(BILLED, {"shelf": {"__typename": "Shelf", "lamp": lamp}})
    result = await billed.run("{ shelf { lamp { bill } } }")

    assert (result.data, result.errors) == ({"shelf": {"lamp": {"bill": "for 7 W"}}}, [])
    assert [name for name, _ in billed.requests] == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("on", "fat", "expected"),
    [
        (True, False, {"tall": True}),
        (False, True, {"heavy": True}),
        (True, True, {"tall": True, "heavy": True}),
    ],
)
async def test_requirements_under_different_conditions_are_met_in_one_request(
    on: bool, fat: bool, expected: dict[str, bool]
):
    users = Federated(USER, HOUSE)
    text = "query($on: Boolean!, $fat: Boolean!) { user { tall @include(if: $on) heavy @include(if: $fat) } }"
    result = await users.run(text, on=on, fat=fat)

    assert (result.data, result.errors) == ({"user": expected}, [])
    assert [name for name, _ in users.requests] == ["a", "b"]


def record_call(calls: list[str], name: str, value: object) -> Callable[..., object]:
    """Builds a resolver that records each of its calls."""

    def run(**_: object) -> object:
        calls.append(name)
        return value

    return run


CHAIN = range(1, 9)
LINKS = " ".join(
    f'c{n}: Int @join__field(graph: {own}, requires: "c{n - 1}") @join__field(graph: {other}, external: true)'
    for n, own, other in zip(CHAIN, "BA" * 4, "AB" * 4, strict=True)
)
CHAINED = f"""
type Link @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {{
  id: ID!
  c0: Int @join__field(graph: A) @join__field(graph: B, external: true)
  {LINKS}
}}
type Query @join__type(graph: A) @join__type(graph: B) {{ link: Link @join__field(graph: A) }}
"""


@pytest.mark.parametrize("on", [True, False])
async def test_a_chain_of_requirements_is_fetched_once_whatever_the_conditions(on: bool):
    link = {"__typename": "Link", "id": "1", "c0": 0} | {
        f"c{n}": lambda n=n, **known: known[f"c{n - 1}"] + 1 for n in CHAIN
    }
    chained = Federated(CHAINED, {"link": link})
    result = await chained.run(
        "query($on: Boolean!) { link { c8 again: c8 @include(if: $on) c4 @skip(if: $on) } }", on=on
    )

    assert (result.data, result.errors) == ({"link": {"c8": 8} | ({"again": 8} if on else {"c4": 4})}, [])
    assert [name for name, _ in chained.requests] == ["a", *("ba" * 4)]


@pytest.mark.parametrize(("on", "order"), [(True, ["shut", "open"]), (False, ["open", "shut"])])
async def test_a_mutation_field_runs_at_its_first_position(on: bool, order: list[str]):
    calls: list[str] = []
    house = Federated(USER, HOUSE | {name: record_call(calls, name, True) for name in order})
    text = "mutation($on: Boolean!) { shut @include(if: $on) open shut }"
    result = await house.run(text, on=on)

    assert (result.data, result.errors, calls) == ({"open": True, "shut": True}, [], order)


@pytest.mark.parametrize(("on", "fat"), [(True, True), (True, False), (False, True), (False, False)])
async def test_a_mutation_field_runs_once_however_often_it_is_selected(on: bool, fat: bool):
    calls: list[str] = []
    house = Federated(USER, HOUSE | {"grow": record_call(calls, "grow", PERSON)})
    text = """mutation($on: Boolean!, $fat: Boolean!) {
      grow @include(if: $on) { nick cm } grow @include(if: $fat) { nick }
    }"""
    result = await house.run(text, on=on, fat=fat)

    grown = ({"nick": "Bo"} if on or fat else {}) | ({"cm": 180} if on else {})
    assert (result.data, result.errors) == ({"grow": grown} if grown else {}, [])
    assert len(calls) == (on or fat)
