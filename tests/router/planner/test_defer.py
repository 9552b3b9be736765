"""`@defer`: the fetches of the initial answer and those of each group of deferred fields."""

from tests.support.planning import dedent_plan, start_deferred_planning, start_planning


def test_a_field_of_another_subgraph_comes_later_by_the_fetch_it_needs_anyway():
    text = '{ product(id: "1") { name ... @defer(label: "stock") { inStock } } }'
    plan = start_deferred_planning("shop", text).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Fetch(service: "catalogue") {
                {
                  product(id: "1") {
                    name
                    id
                  }
                }
              }
            },
            Deferred(path: "product", label: "stock") {
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
                      inStock
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_a_field_of_the_same_subgraph_comes_later_by_entering_it_again():
    text = '{ product(id: "1") { sku ... @defer { warehouse { id } } } }'
    plan = start_deferred_planning("shop", text).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Sequence {
                Fetch(service: "catalogue") {
                  {
                    product(id: "1") {
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
              }
            },
            Deferred(path: "product") {
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
                      warehouse {
                        id
                      }
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_a_field_that_is_a_key_comes_with_the_first_fetch():
    text = '{ product(id: "1") { name ... @defer { id } } }'
    plan = start_deferred_planning("shop", text).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Fetch(service: "catalogue") {
                {
                  product(id: "1") {
                    name
                    id
                  }
                }
              }
            },
            Deferred(path: "product") {},
          }
        }
    """)


def test_a_deferred_object_without_a_key_is_fetched_first_and_delivered_later():
    text = '{ product(id: "1") { maker { country { ... @defer { code } } } } }'
    plan = start_deferred_planning("shop", text).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Fetch(service: "catalogue") {
                {
                  product(id: "1") {
                    maker {
                      country {
                        code
                      }
                    }
                  }
                }
              }
            },
            Deferred(path: "product.maker.country") {},
          }
        }
    """)


def test_fragments_that_select_the_same_field_share_a_group():
    text = '{ product(id: "1") { ... @defer(label: "a") { name inStock } ... @defer(label: "b") { name } } }'
    plan = start_deferred_planning("shop", text).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Fetch(service: "catalogue") {
                {
                  product(id: "1") {
                    id
                  }
                }
              }
            },
            Deferred(path: "product", label: "a" | path: "product", label: "b") {
              Flatten(path: "product") {
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
              }
            },
            Deferred(path: "product", label: "a") {
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
                      inStock
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_fields_that_are_also_selected_immediately_are_not_deferred():
    text = '{ product(id: "1") { name ... @defer { name inStock } } }'
    plan = start_deferred_planning("shop", text).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Fetch(service: "catalogue") {
                {
                  product(id: "1") {
                    name
                    id
                  }
                }
              }
            },
            Deferred(path: "product") {
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
                      inStock
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_a_fragment_in_a_fragment_waits_for_it():
    inner = '... @defer(label: "inner") { inStock name }'
    text = f'{{ product(id: "1") {{ ... @defer(label: "outer") {{ name {inner} }} }} }}'
    plan = start_deferred_planning("shop", text).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Fetch(service: "catalogue") {
                {
                  product(id: "1") {
                    id
                  }
                }
              }
            },
            Deferred(path: "product", label: "outer") {
              Flatten(path: "product") {
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
              }
            },
            Deferred(path: "product", label: "inner") {
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
                      inStock
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_deferred_root_fields_have_a_fetch_of_their_own():
    text = "{ cheapest { sku } ... @defer { products { name } cheapest { price } } }"
    plan = start_deferred_planning("shop", text).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Fetch(service: "prices") {
                {
                  cheapest {
                    sku
                  }
                }
              }
            },
            Deferred(path: "") {
              Parallel {
                Fetch(service: "catalogue") {
                  {
                    products {
                      name
                    }
                  }
                },
                Flatten(path: "cheapest") {
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
            },
          }
        }
    """)


def test_each_type_of_an_abstract_one_is_entered_again():
    text = "{ media { id ... @defer { ... on Film { minutes } ... on Book { pages } } } }"
    plan = start_deferred_planning("media", text).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Fetch(service: "library") {
                {
                  media {
                    __typename
                    id
                  }
                }
              }
            },
            Deferred(path: "media") {
              Flatten(path: "media.@") {
                Fetch(service: "library") {
                  {
                    ... on Film {
                      __typename
                      id
                    }
                    ... on Book {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Film {
                      minutes
                    }
                    ... on Book {
                      pages
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_a_deferred_fragment_may_select_below_delivered_objects():
    text = "{ item { ... on Film { director { name } } ... @defer { ... on Film { director { email } } } } }"
    plan = start_deferred_planning("media", text).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Sequence {
                Fetch(service: "library") {
                  {
                    item {
                      __typename
                      ... on Film {
                        id
                      }
                    }
                  }
                },
                Flatten(path: "item") {
                  Fetch(service: "films") {
                    {
                      ... on Film {
                        __typename
                        id
                      }
                    } =>
                    {
                      ... on Film {
                        director {
                          name
                          id
                        }
                      }
                    }
                  }
                },
              }
            },
            Deferred(path: "item") {
              Flatten(path: "item|[Film].director") {
                Fetch(service: "books") {
                  {
                    ... on Person {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Person {
                      email
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_a_variable_decides_whether_a_fragment_is_deferred():
    text = 'query($later: Boolean!) { product(id: "1") { name ... @defer(if: $later) { inStock } } }'
    plan = start_deferred_planning("shop", text, "later").plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Fetch(service: "catalogue") {
                {
                  product(id: "1") {
                    name
                    id
                  }
                }
              }
            },
            Deferred(path: "product") {
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
                      inStock
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_a_variable_that_is_false_leaves_the_fragment_in_the_first_answer():
    text = 'query($later: Boolean!) { product(id: "1") { name ... @defer(if: $later) { inStock } } }'

    assert str(start_deferred_planning("shop", text).plan) == str(start_planning("shop", text).plan)


def test_a_fragment_that_is_never_deferred_is_in_the_first_answer():
    never = '{ product(id: "1") { name ... @defer(if: false) { inStock } } }'
    always = '{ product(id: "1") { name ... @defer(if: true) { inStock } } }'

    assert str(start_deferred_planning("shop", never).plan) == str(start_planning("shop", never).plan)
    assert "Deferred" in str(start_deferred_planning("shop", always).plan)


def test_introspection_is_not_deferred_and_root_typenames_are_not_fetched():
    planned = start_deferred_planning("shop", "{ ... @defer { __typename __schema { queryType { name } } } }")

    assert planned.normalized.order == ("__schema",)
    assert str(planned.plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {},
            Deferred(path: "") {},
          }
        }
    """)


def test_the_fetch_graph_shows_deferred_fetches():
    fetches = start_deferred_planning(
        "shop", '{ product(id: "1") { name ... @defer(label: "stock") { inStock } } }'
    ).fetches

    assert str(fetches[0]) == dedent_plan("""
        [0] CATALOGUE {
          product(id: "1") {
            name
            id
          }
        }
        [1] STOCK at product after 0 @defer(label: "stock") ... on Product {
          __typename
          id
        } =>
        {
          ... on Product {
            inStock
          }
        }
    """)


def test_paths_show_where_deferred_fields_begin():
    [leaves] = start_deferred_planning("shop", '{ product(id: "1") { ... @defer { name } } }').paths

    assert str(leaves[0]) == dedent_plan("""
        product.name
          .product @defer  =={id}==> Product/CATALOGUE.name
    """)


def test_a_fetched_context_serves_deferred_fields():
    text = "{ shops { name goods { id ... @defer { price } } } }"
    plan = start_deferred_planning("market", text).plan

    assert str(plan) == dedent_plan("""
        QueryPlan {
          Defer {
            Primary {
              Sequence {
                Fetch(service: "shop") {
                  {
                    shops {
                      name
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
              }
            },
            Deferred(path: "shops.goods") {
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
              }
            },
          }
        }
    """)
