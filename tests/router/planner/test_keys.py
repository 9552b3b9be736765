"""`@key`: entities are resolved by the keys that are known."""

from tests.support.planning import dedent_plan, render_plan


def test_an_entity_is_fetched_from_another_subgraph_by_its_key():
    plan = render_plan("shop", "{ products { name inStock } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                products {
                  name
                  id
                }
              }
            },
            Flatten(path: "products.@") {
              Fetch(service: "stock") {
                {
                  ... on Product {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Product {
                    inStock
                  }
                }
              }
            },
          }
        }
    """)


def test_a_key_that_only_a_third_subgraph_knows_is_fetched_on_the_way():
    plan = render_plan("shop", '{ product(id: "1") { name price } }')

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                product(id: "1") {
                  name
                  id
                }
              }
            },
            Flatten(path: "product") {
              Fetch(service: "stock") {
                {
                  ... on Product {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Product {
                    sku
                  }
                }
              }
            },
            Flatten(path: "product") {
              Fetch(service: "prices") {
                {
                  ... on Product {
                    __typename
                    sku
                  }
                } =>
                {
                  ... on Product {
                    price
                  }
                }
              }
            },
          }
        }
    """)


def test_a_hop_backwards_uses_the_other_key():
    plan = render_plan("shop", "{ cheapest { name } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "prices") {
              {
                cheapest {
                  sku
                }
              }
            },
            Flatten(path: "cheapest") {
              Fetch(service: "stock") {
                {
                  ... on Product {
                    __typename
                    sku
                  }
                } =>
                {
                  ... on Product {
                    id
                  }
                }
              }
            },
            Flatten(path: "cheapest") {
              Fetch(service: "catalogue") {
                {
                  ... on Product {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Product {
                    name
                  }
                }
              }
            },
          }
        }
    """)


def test_a_nested_composite_key_is_read_from_the_object():
    plan = render_plan("shop", "{ products { maker { title } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                products {
                  maker {
                    id
                    country {
                      code
                    }
                  }
                }
              }
            },
            Flatten(path: "products.@.maker") {
              Fetch(service: "makers") {
                {
                  ... on Maker {
                    __typename
                    id
                    country {
                      code
                    }
                  }
                } =>
                {
                  ... on Maker {
                    title
                  }
                }
              }
            },
          }
        }
    """)


def test_an_unresolvable_key_leads_out_of_a_subgraph_but_not_in():
    plan = render_plan("shop", "{ products { warehouse { id city } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                products {
                  id
                }
              }
            },
            Flatten(path: "products.@") {
              Fetch(service: "stock") {
                {
                  ... on Product {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Product {
                    warehouse {
                      id
                    }
                  }
                }
              }
            },
            Flatten(path: "products.@.warehouse") {
              Fetch(service: "makers") {
                {
                  ... on Warehouse {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Warehouse {
                    city
                  }
                }
              }
            },
          }
        }
    """)


def test_a_field_of_the_key_itself_needs_no_hop():
    plan = render_plan("shop", "{ products { id } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "catalogue") {
            {
              products {
                id
              }
            }
          }
        }
    """)


def test_each_subgraph_is_entered_by_the_key_that_costs_least():
    plan = render_plan("shop", "{ soldOut { name price } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "stock") {
              {
                soldOut {
                  id
                  sku
                }
              }
            },
            Parallel {
              Flatten(path: "soldOut.@") {
                Fetch(service: "catalogue") {
                  {
                    ... on Product {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Product {
                      name
                    }
                  }
                }
              },
              Flatten(path: "soldOut.@") {
                Fetch(service: "prices") {
                  {
                    ... on Product {
                      __typename
                      sku
                    }
                  } =>
                  {
                    ... on Product {
                      price
                    }
                  }
                }
              },
            },
          }
        }
    """)
