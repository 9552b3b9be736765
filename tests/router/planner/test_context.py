"""`@context` and `@fromContext`: an argument takes its value from an enclosing object."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse, print_type

from router.operation import build_operation
from router.planner import Planner, UnplannableError
from router.planner.contexts import Contexts
from router.supergraph import Supergraph
from tests.support.planning import (
    SUPERGRAPHS,
    dedent_plan,
    load_supergraph,
    render_plan,
    start_deferred_planning,
    start_planning,
)


def test_a_contextual_argument_is_first_read_from_the_enclosing_object():
    plan = render_plan("market", "{ shops { goods { id price } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "shop") {
              {
                shops {
                  id
                  currency
                }
              }
            },
            Flatten(path: "shops.@") {
              Fetch(service: "money") {
                {
                  ... on Shop {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Shop {
                    goods {
                      id
                    }
                  }
                }
              }
            },
            Flatten(path: "shops.@.goods.@") {
              Fetch(service: "money") {
                "shops.@" {
                  currency
                } => $contextualArgument_0: String
                {
                  ... on Good {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Good {
                    price(unit: $contextualArgument_0)
                  }
                }
              }
            },
          }
        }
    """)


def test_a_subgraph_that_sets_the_context_itself_is_entered_again():
    plan = render_plan("market", "{ seller { ware { blurb } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "money") {
              {
                seller {
                  __typename
                  ware {
                    id
                  }
                  language
                }
              }
            },
            Flatten(path: "seller.ware") {
              Fetch(service: "money") {
                "seller" {
                  language
                } => $contextualArgument_0: String
                {
                  ... on Ware {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Ware {
                    blurb(language: $contextualArgument_0)
                  }
                }
              }
            },
          }
        }
    """)


def test_a_value_of_a_union_is_read_by_its_type_condition():
    plan = render_plan("market", "{ places { ... on Kiosk { lot { spot } } ... on Cart { lot { post } } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "money") {
              {
                places {
                  __typename
                  ... on Kiosk {
                    lot {
                      id
                    }
                    row
                  }
                  ... on Cart {
                    lot {
                      id
                    }
                    address {
                      street
                    }
                  }
                }
              }
            },
            BatchFetch(service: "money") {
              Flatten(path: "places.@|[Kiosk].lot") {
                Fetch(service: "money") {
                  "places.@|[Kiosk]" {
                    row
                  } => $contextualArgument_0: Int
                  {
                    ... on Lot {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Lot {
                      spot(at: $contextualArgument_0)
                    }
                  }
                }
              },
              Flatten(path: "places.@|[Cart].lot") {
                Fetch(service: "money") {
                  "places.@|[Cart]" {
                    address {
                      street
                    }
                  } => $contextualArgument_1: String
                  {
                    ... on Lot {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Lot {
                      post(street: $contextualArgument_1)
                    }
                  }
                }
              },
            },
          }
        }
    """)


def test_an_interface_sets_the_context_that_all_its_types_set():
    plan = render_plan("market", "{ outlets { goods { makers } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "money") {
              {
                outlets {
                  __typename
                  goods {
                    id
                  }
                  ... on Booth {
                    owners {
                      name
                    }
                  }
                  ... on Shop {
                    id
                  }
                }
              }
            },
            Flatten(path: "outlets.@") {
              Fetch(service: "shop") {
                {
                  ... on Shop {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Shop {
                    owners {
                      name
                    }
                  }
                }
              }
            },
            Flatten(path: "outlets.@.goods.@") {
              Fetch(service: "money") {
                "outlets.@" {
                  ... on Booth {
                    owners {
                      name
                    }
                  }
                  ... on Shop {
                    owners {
                      name
                    }
                  }
                } => $contextualArgument_0: [String]
                {
                  ... on Good {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Good {
                    makers(names: $contextualArgument_0)
                  }
                }
              }
            },
          }
        }
    """)


def test_a_field_may_read_several_contexts():
    plan = render_plan("market", '{ market(code: "m") { stalls { crates { tax } } } }')

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "shop") {
              {
                market(code: "m") {
                  code
                  region
                }
              }
            },
            Flatten(path: "market") {
              Fetch(service: "money") {
                {
                  ... on Market {
                    __typename
                    code
                  }
                } =>
                {
                  ... on Market {
                    stalls {
                      crates {
                        id
                      }
                      currency
                    }
                  }
                }
              }
            },
            Flatten(path: "market.stalls.@.crates.@") {
              Fetch(service: "money") {
                "market" {
                  region
                } => $contextualArgument_0: String
                "market.stalls.@" {
                  currency
                } => $contextualArgument_1: String
                {
                  ... on Crate {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Crate {
                    tax(region: $contextualArgument_0, unit: $contextualArgument_1)
                  }
                }
              }
            },
          }
        }
    """)


def test_a_root_type_may_set_a_context_without_delaying_root_fields():
    plan = render_plan("market", "{ places { ... on Kiosk { lot { queue } } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Parallel {
              Fetch(service: "money") {
                {
                  places {
                    __typename
                    ... on Kiosk {
                      lot {
                        id
                      }
                    }
                  }
                }
              },
              Fetch(service: "shop") {
                {
                  visitor {
                    tier
                  }
                }
              },
            },
            Flatten(path: "places.@|[Kiosk].lot") {
              Fetch(service: "money") {
                "" {
                  visitor {
                    tier
                  }
                } => $contextualArgument_0: String
                {
                  ... on Lot {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Lot {
                    queue(tier: $contextualArgument_0)
                  }
                }
              }
            },
          }
        }
    """)


def test_the_nearest_enclosing_object_sets_the_context():
    plan = render_plan("market", "{ shops { showcase { price } branches { showcase { price } } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "shop") {
              {
                shops {
                  showcase {
                    id
                  }
                  currency
                  branches {
                    showcase {
                      id
                    }
                    currency
                  }
                }
              }
            },
            BatchFetch(service: "money") {
              Flatten(path: "shops.@.showcase") {
                Fetch(service: "money") {
                  "shops.@" {
                    currency
                  } => $contextualArgument_0: String
                  {
                    ... on Good {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Good {
                      price(unit: $contextualArgument_0)
                    }
                  }
                }
              },
              Flatten(path: "shops.@.branches.@.showcase") {
                Fetch(service: "money") {
                  "shops.@.branches.@" {
                    currency
                  } => $contextualArgument_1: String
                  {
                    ... on Good {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Good {
                      price(unit: $contextualArgument_1)
                    }
                  }
                }
              },
            },
          }
        }
    """)


def test_fields_that_read_the_same_value_share_a_fetch():
    plan = render_plan("market", "{ aisles { window { ... on Good { a: price(rounded: true) b: price } } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "shop") {
              {
                aisles {
                  id
                  currency
                }
              }
            },
            Flatten(path: "aisles.@.@") {
              Fetch(service: "money") {
                {
                  ... on Shop {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Shop {
                    window {
                      __typename
                      ... on Good {
                        id
                      }
                    }
                  }
                }
              }
            },
            Flatten(path: "aisles.@.@.window.@") {
              Fetch(service: "money") {
                "aisles.@.@" {
                  currency
                } => $contextualArgument_0: String
                {
                  ... on Good {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Good {
                    a: price(rounded: true, unit: $contextualArgument_0)
                    b: price(unit: $contextualArgument_0)
                  }
                }
              }
            },
          }
        }
    """)


def test_fields_that_read_different_values_share_a_request():
    plan = render_plan("market", "{ shops { showcase { price hits } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "shop") {
              {
                shops {
                  showcase {
                    id
                  }
                  currency
                  tags
                }
              }
            },
            BatchFetch(service: "money") {
              Flatten(path: "shops.@.showcase") {
                Fetch(service: "money") {
                  "shops.@" {
                    currency
                  } => $contextualArgument_0: String
                  {
                    ... on Good {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Good {
                      price(unit: $contextualArgument_0)
                    }
                  }
                }
              },
              Flatten(path: "shops.@.showcase") {
                Fetch(service: "money") {
                  "shops.@" {
                    tags
                  } => $contextualArgument_1: [String]
                  {
                    ... on Good {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Good {
                      hits(tags: $contextualArgument_1)
                    }
                  }
                }
              },
            },
          }
        }
    """)


def test_a_contextual_field_may_require_others_as_well():
    plan = render_plan("market", "{ shops { showcase { shipping } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "shop") {
              {
                shops {
                  showcase {
                    id
                    weight
                  }
                  currency
                }
              }
            },
            Flatten(path: "shops.@.showcase") {
              Fetch(service: "money") {
                "shops.@" {
                  currency
                } => $contextualArgument_0: String
                {
                  ... on Good {
                    __typename
                    id
                    weight
                  }
                } =>
                {
                  ... on Good {
                    shipping(unit: $contextualArgument_0)
                  }
                }
              }
            },
          }
        }
    """)


def test_a_field_that_a_context_reads_may_require_others():
    plan = render_plan("market", "{ shops { showcase { profit } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "shop") {
              {
                shops {
                  showcase {
                    id
                  }
                  id
                  currency
                }
              }
            },
            Flatten(path: "shops.@") {
              Fetch(service: "ledger") {
                {
                  ... on Shop {
                    __typename
                    id
                    currency
                  }
                } =>
                {
                  ... on Shop {
                    margin
                  }
                }
              }
            },
            Flatten(path: "shops.@.showcase") {
              Fetch(service: "money") {
                "shops.@" {
                  margin
                } => $contextualArgument_0: Int
                {
                  ... on Good {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Good {
                    profit(margin: $contextualArgument_0)
                  }
                }
              }
            },
          }
        }
    """)


def test_a_contextual_field_may_be_required_below_the_object_that_sets_its_context():
    plan = render_plan("market", "{ shops { total } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "shop") {
              {
                shops {
                  id
                  currency
                }
              }
            },
            Flatten(path: "shops.@") {
              Fetch(service: "money") {
                {
                  ... on Shop {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Shop {
                    goods {
                      id
                    }
                  }
                }
              }
            },
            Flatten(path: "shops.@.goods.@") {
              Fetch(service: "money") {
                "shops.@" {
                  currency
                } => $contextualArgument_0: String
                {
                  ... on Good {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Good {
                    price(rounded: true, unit: $contextualArgument_0)
                  }
                }
              }
            },
            Flatten(path: "shops.@") {
              Fetch(service: "ledger") {
                {
                  ... on Shop {
                    __typename
                    id
                    goods {
                      price
                    }
                  }
                } =>
                {
                  ... on Shop {
                    total
                  }
                }
              }
            },
          }
        }
    """)


def test_nothing_is_fetched_for_an_excluded_contextual_field():
    text = """
        query($some: Boolean!, $priced: Boolean!) {
          shops { name showcase @skip(if: $some) { name price @include(if: $priced) } }
        }
    """
    plan = render_plan("market", text)

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "shop") {
              {
                shops {
                  name
                  showcase @skip(if: $some) {
                    name
                    id @include(if: $priced)
                  }
                  currency @include(if: $priced) @skip(if: $some)
                }
              }
            },
            Include(if: $priced) {
              Flatten(path: "shops.@.showcase") {
                Fetch(service: "money") {
                  "shops.@" {
                    currency
                  } => $contextualArgument_0: String
                  {
                    ... on Good {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Good {
                      price(unit: $contextualArgument_0)
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_contexts_are_set_below_a_mutation():
    plan = render_plan("market", 'mutation { open(name: "New") { showcase { price } } }')

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "shop") {
              {
                open(name: "New") {
                  showcase {
                    id
                  }
                  currency
                }
              }
            },
            Flatten(path: "open.showcase") {
              Fetch(service: "money") {
                "open" {
                  currency
                } => $contextualArgument_0: String
                {
                  ... on Good {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Good {
                    price(unit: $contextualArgument_0)
                  }
                }
              }
            },
          }
        }
    """)


def test_contexts_are_set_below_a_subscription():
    plan = render_plan("market", "subscription { opened { goods { price } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Subscription {
            Primary: {
              Fetch(service: "shop") {
                {
                  opened {
                    id
                    currency
                  }
                }
              }
            },
            Rest: {
              Sequence {
                Flatten(path: "opened") {
                  Fetch(service: "money") {
                    {
                      ... on Shop {
                        __typename
                        id
                      }
                    } =>
                    {
                      ... on Shop {
                        goods {
                          id
                        }
                      }
                    }
                  }
                },
                Flatten(path: "opened.goods.@") {
                  Fetch(service: "money") {
                    "opened" {
                      currency
                    } => $contextualArgument_0: String
                    {
                      ... on Good {
                        __typename
                        id
                      }
                    } =>
                    {
                      ... on Good {
                        price(unit: $contextualArgument_0)
                      }
                    }
                  }
                },
              }
            }
          }
        }
    """)


def test_a_context_of_a_deferred_field_comes_with_its_object_or_is_fetched_later():
    plan = start_deferred_planning(
        "market", "{ shops { name showcase { name ... @defer { price profit } } } }"
    ).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Fetch(service: "shop") {
                {
                  shops {
                    name
                    showcase {
                      name
                      id
                    }
                    currency
                    id
                  }
                }
              }
            },
            Deferred(path: "shops.showcase") {
              Sequence {
                Parallel {
                  Flatten(path: "shops.@.showcase") {
                    Fetch(service: "money") {
                      "shops.@" {
                        currency
                      } => $contextualArgument_0: String
                      {
                        ... on Good {
                          __typename
                          id
                        }
                      } =>
                      {
                        ... on Good {
                          price(unit: $contextualArgument_0)
                        }
                      }
                    }
                  },
                  Flatten(path: "shops.@") {
                    Fetch(service: "ledger") {
                      {
                        ... on Shop {
                          __typename
                          id
                          currency
                        }
                      } =>
                      {
                        ... on Shop {
                          margin
                        }
                      }
                    }
                  },
                },
                Flatten(path: "shops.@.showcase") {
                  Fetch(service: "money") {
                    "shops.@" {
                      margin
                    } => $contextualArgument_1: Int
                    {
                      ... on Good {
                        __typename
                        id
                      }
                    } =>
                    {
                      ... on Good {
                        profit(margin: $contextualArgument_1)
                      }
                    }
                  }
                },
              }
            },
          }
        }
    """)


def test_a_context_that_a_deferred_field_reads_from_the_root_is_fetched_later():
    plan = start_deferred_planning(
        "market", "{ places { ... on Kiosk { lot { id ... @defer { queue } } } } }"
    ).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Fetch(service: "money") {
                {
                  places {
                    __typename
                    ... on Kiosk {
                      lot {
                        id
                      }
                    }
                  }
                }
              }
            },
            Deferred(path: "places.lot") {
              Sequence {
                Fetch(service: "shop") {
                  {
                    visitor {
                      tier
                    }
                  }
                },
                Flatten(path: "places.@|[Kiosk].lot") {
                  Fetch(service: "money") {
                    "" {
                      visitor {
                        tier
                      }
                    } => $contextualArgument_0: String
                    {
                      ... on Lot {
                        __typename
                        id
                      }
                    } =>
                    {
                      ... on Lot {
                        queue(tier: $contextualArgument_0)
                      }
                    }
                  }
                },
              }
            },
          }
        }
    """)


def test_contextual_names_avoid_the_variables_and_aliases_of_the_client():
    text = """
        query($contextualArgument_0: Boolean) {
          shops { currency: name showcase { price(rounded: $contextualArgument_0) } }
        }
    """
    plan = render_plan("market", text)

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "shop") {
              {
                shops {
                  currency: name
                  showcase {
                    id
                  }
                  _currency_1: currency
                }
              }
            },
            Flatten(path: "shops.@.showcase") {
              Fetch(service: "money") {
                "shops.@" {
                  currency: _currency_1
                } => $_contextualArgument_0: String
                {
                  ... on Good {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Good {
                    price(rounded: $contextualArgument_0, unit: $_contextualArgument_0)
                  }
                }
              }
            },
          }
        }
    """)


def change_market(old: str, new: str) -> Supergraph:
    """Parses the market's supergraph with one replacement in its text."""
    text = (SUPERGRAPHS / "market.graphql").read_text()
    assert text.count(old) == 1
    return Supergraph.parse(text.replace(old, new))


def render_plan_on(supergraph: Supergraph, text: str) -> str:
    document = parse(text)
    [node] = document.definitions
    assert isinstance(node, OperationDefinitionNode)
    return str(Planner(supergraph).start(build_operation(supergraph.public_schema, document, node)).plan)


def test_every_stage_shows_contextual_arguments():
    stages = start_planning("market", "{ shops { showcase { price } } }")

    path = ".shops.showcase =={id} given unit: money__shop {currency}==> Good/MONEY.price"
    assert str(stages.chosen[0][0]) == path
    assert str(stages.fetches[0]) == dedent_plan("""
        [0] SHOP {
          shops {
            showcase {
              id
            }
            currency
          }
        }
        [1] MONEY at shops.@.showcase after 0 "shops.@" {
          currency
        } => $contextualArgument_0: String
        ... on Good {
          __typename
          id
        } =>
        {
          ... on Good {
            price(unit: $contextualArgument_0)
          }
        }
    """)


def test_contextual_arguments_are_not_public():
    crate = load_supergraph("market").public_schema.type_map["Crate"]

    assert "  tax: Int\n" in print_type(crate)


def test_a_field_whose_context_no_enclosing_object_sets_fails_the_operation():
    without = change_market(' @context(name: "money__stall")', "")

    message = r"'market\.stalls\.crates\.duty' on type 'Crate' .* sets the context 'money__stall'\.$"
    with pytest.raises(UnplannableError, match=message):
        render_plan_on(without, '{ market(code: "m") { stalls { id crates { id duty } } } }')


def test_a_context_whose_value_no_subgraph_resolves_fails_the_operation():
    without = change_market("  row: Int\n", "  row: Int @join__field(graph: MONEY, external: true)\n")

    with pytest.raises(UnplannableError, match=r"'places\.lot\.spot' on type 'Lot' from there\.$"):
        render_plan_on(without, "{ places { ... on Kiosk { lot { spot } } } }")


def test_a_contextual_field_of_an_object_without_a_known_key_fails_the_operation():
    keyless = change_market(
        'type Lot @join__type(graph: MONEY, key: "id") {',
        'type Lot @join__type(graph: MONEY, key: "no") { no: ID @join__field(graph: MONEY, external: true)',
    )

    with pytest.raises(UnplannableError, match=r"'places\.lot\.spot' on type 'Lot'"):
        render_plan_on(keyless, "{ places { ... on Kiosk { lot { spot } } } }")


def test_an_interface_sets_only_the_contexts_that_all_its_types_set():
    booth = 'type Booth implements Outlet @join__type(graph: MONEY, key: "id") '
    booth += '@join__implements(graph: MONEY, interface: "Outlet")'
    without = change_market(f'{booth} @context(name: "money__shop")', booth)

    with pytest.raises(UnplannableError, match=r"'outlets\.goods\.price' on type 'Good'"):
        render_plan_on(without, "{ outlets { goods { price } } }")
    assert "contextualArgument" in render_plan_on(without, "{ outlets { ... on Shop { goods { price } } } }")


def test_the_context_directive_may_have_another_name():
    text = (SUPERGRAPHS / "market.graphql").read_text()
    text = text.replace("@context(", "@around(").replace('context/v0.1", ', 'context/v0.1", as: "around", ')

    query = "{ seller { ware { blurb } } }"
    assert render_plan_on(Supergraph.parse(text), query) == render_plan("market", query)


def test_the_mutation_type_sets_no_context():
    acting = change_market("type Mutation ", 'type Mutation @context(name: "money__shop") ')
    contexts = Contexts(acting)

    assert contexts.get_contexts_set_by(["Mutation"]) == frozenset()
    assert contexts.get_contexts_set_by(["Query"]) == {"money__visit"}


def test_no_type_sets_no_context():
    assert Contexts(load_supergraph("market")).get_contexts_set_by(()) == frozenset()
