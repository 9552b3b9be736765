"""The search for paths: its choices, its refusals and its budget."""

from __future__ import annotations

from itertools import count

import pytest
from graphql import OperationDefinitionNode, parse

from router.operation import build_operation
from router.operation.deadline import NEVER, Deadline
from router.operation.selections import FieldSelection
from router.planner import Planner, UnplannableError, plan
from router.planner.choice import MAX_OPTIONS, choose_paths, measure_cost
from router.planner.moves import FieldEdge, FieldMove, Node
from router.planner.paths import GraphPath, Leaf
from router.supergraph import Supergraph
from tests.support.federated import Federated
from tests.support.planning import (
    build_operation_on,
    dedent_plan,
    load_operation,
    load_supergraph,
    start_planning,
)

UNREACHABLE = """
schema @link(url: "https://specs.apollo.dev/join/v0.3") { query: Query mutation: Mutation }
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__type(graph: join__Graph!, key: String, resolvable: Boolean! = true) repeatable on OBJECT
directive @join__field(graph: join__Graph, external: Boolean) repeatable on FIELD_DEFINITION
enum join__Graph { A @join__graph(name: "a", url: "http://a") B @join__graph(name: "b", url: "http://b") }
type Query @join__type(graph: A) @join__type(graph: B) { thing: Thing @join__field(graph: A) }
type Mutation @join__type(graph: A) { thing: Thing @join__field(graph: A) }
type Thing @join__type(graph: A, key: "id") @join__type(graph: B, key: "id", resolvable: false) {
  id: ID!
  far: Int @join__field(graph: B)
}
"""


def test_every_stage_can_be_printed():
    stages = start_planning("shop", "{ products { inStock } }")

    assert str(stages.paths[0][0]) == "products.inStock\n  .products =={id}==> Product/STOCK.inStock"
    assert str(stages.chosen[0][0]) == ".products =={id}==> Product/STOCK.inStock"
    assert str(stages.fetches[0]) == dedent_plan("""
        [0] CATALOGUE {
          products {
            id
          }
        }
        [1] STOCK at products.@ after 0 ... on Product {
          __typename
          id
        } =>
        {
          ... on Product {
            inStock
          }
        }
    """)
    assert "Product/PRICES --price--> leaf" in str(stages.graph).splitlines()
    assert "Product =={sku}==> Product/STOCK" in str(stages.graph).splitlines()


def test_a_path_shows_the_types_that_it_narrows_to():
    [found] = start_planning("media", "{ item { ... on Book { pages } } }").paths[0]

    assert str(found) == "item.pages\n  .item|[Book].pages"


@pytest.mark.parametrize("text", ["{ thing { id far } }", "mutation { thing { id far } }"])
def test_a_field_that_no_subgraph_can_reach_fails_the_operation(text: str):
    supergraph = Supergraph.parse(UNREACHABLE)
    document = parse(text)
    [node] = document.definitions
    assert isinstance(node, OperationDefinitionNode)

    with pytest.raises(UnplannableError, match=r"'thing\.far' on type 'Thing'"):
        plan(supergraph, build_operation(supergraph.public_schema, document, node))


def build_leaf(name: str, *graphs: str) -> Leaf:
    """Builds a root field that each of these subgraphs resolves."""
    return Leaf((name,), tuple(build_path(name, graph) for graph in graphs))


def build_path(name: str, graph: str) -> GraphPath:
    move = FieldEdge(name, Node("Query", graph), None)
    return GraphPath(None, (FieldMove(move, FieldSelection(name, name)),))


def test_a_greedy_first_choice_is_corrected():
    leaves = [build_leaf("one", "A", "B"), build_leaf("two", "B", "C"), build_leaf("three", "C", "B")]

    assert measure_cost(choose_paths(leaves, NEVER), NEVER)[1] == 1


def test_hundreds_of_candidates_are_searched_within_the_budget():
    graphs = [f"G{number}" for number in range(12)]
    leaves = [
        build_leaf(f"f{number}", *graphs[number % 12 :], *graphs[: number % 12]) for number in range(300)
    ]

    chosen = choose_paths(leaves, NEVER)

    assert len(chosen) == 300
    assert measure_cost(chosen, NEVER)[1] == 1
    assert MAX_OPTIONS < 12**300


def test_a_query_over_every_field_is_planned_once_for_each_leaf():
    fields = " ".join(f"p{number}: product(id: {number}) {{ name inStock price }}" for number in range(60))
    stages = start_planning("shop", f"{{ {fields} }}")

    assert len(stages.paths[0]) == 180
    assert str(stages.plan).count('BatchFetch(service: "stock")') == 1
    assert str(stages.plan).count('BatchFetch(service: "prices")') == 1


def test_an_endless_search_stops_at_the_budget():
    leaves = [build_leaf(f"f{number}", f"G{number}", f"G{number + 1}") for number in range(80)]

    assert 40 <= measure_cost(choose_paths(leaves, NEVER), NEVER)[1] <= 80


def test_a_field_of_an_interface_must_be_resolved_for_all_its_types_by_one_subgraph():
    with pytest.raises(UnplannableError, match=r"'node\.id'"):
        _ = start_planning("partial", '{ node(id: "1") { id } }').plan


def test_a_field_of_one_type_of_an_interface_may_come_from_another_subgraph():
    text = '{ node(id: "1") { ... on User { name } ... on Chat { text } } }'

    assert str(start_planning("partial", text).plan).count("Fetch(service:") == 2


def test_the_memory_of_the_query_graph_grows_with_the_supergraph_and_not_with_operations():
    planner = Planner(load_supergraph("shop"))

    def measure_memory(text: str) -> tuple[int, ...]:
        assert planner.start(load_operation("shop", text)).plan
        routes, graph = planner.routes, planner.graph
        return len(routes._routes), len(routes._entity_moves), len(graph._edges), len(graph._field_sets)

    first = measure_memory('{ product(id: "1") { name price(currency: "EUR") } }')
    again = '{ a: product(id: "2") { b: name price } c: product(id: "3") { d: price(currency: "USD") } }'
    assert measure_memory(again) == first


@pytest.mark.parametrize("shared", ["one", "every"])
def test_a_thousand_fields_that_two_subgraphs_share_are_planned(shared: str):
    both = "@join__field(graph: A) @join__field(graph: B)"
    only = "@join__field(graph: B)" if shared == "one" else both
    fields = " ".join(f"f{number}: Int {only}" for number in range(1080))
    wide = UNREACHABLE.replace("far: Int @join__field(graph: B)", f"{fields} g: Int {both}")
    wide = wide.replace(", resolvable: false", "")
    supergraph = Supergraph.parse(wide)
    text = f"{{ thing {{ g {' '.join(f'f{number}' for number in range(1080))} }} }}"

    found = str(plan(supergraph, build_operation_on(supergraph, text)))

    assert found.count("Fetch(service:") == (2 if shared == "one" else 1)


def test_the_search_continues_while_the_rest_may_still_be_cheaper():
    leaves = [
        build_leaf("one", "A", "B"),
        build_leaf("two", "B", "C"),
        build_leaf("three", "C", "A"),
        build_leaf("four", "D", "A", "C"),
    ]

    assert measure_cost(choose_paths(leaves, NEVER), NEVER)[1] == 2


def test_an_operation_that_cannot_be_planned_is_refused_in_few_steps_however_deep_it_is():
    types = "".join(
        f"""type T{number} implements Thing @join__implements(graph: A, interface: "Thing")
          @join__type(graph: A) {{ next: Thing box: Box }}
        """
        for number in range(5)
    )
    nested = Federated(
        f"""{types}
        type Box @join__type(graph: A) @join__type(graph: B) {{ w: Int h: Int @join__field(graph: B) }}
        interface Thing @join__type(graph: A) {{ next: Thing box: Box }}
        type Query @join__type(graph: A) @join__type(graph: B) {{ shelf: Thing @join__field(graph: A) }}
        """,
        {},
    ).supergraph
    text = f"{{ shelf {{ {'next { ' * 18} box {{ h }} {'} ' * 18} }} }}"
    deadline = Deadline(2000, count().__next__)

    with pytest.raises(UnplannableError, match=r"'shelf\.next\..*\.h' on type 'Box'"):
        _ = Planner(nested).start(build_operation_on(nested, text), None, deadline).plan
