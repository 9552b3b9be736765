"""`@skip` and `@include`: variables are sent to the subgraph, constants are decided by the planner."""

from tests.support.planning import dedent_plan, render_plan


def test_a_condition_on_a_field_is_sent_to_the_subgraph():
    plan = render_plan("shop", "query($a: Boolean!) { products { id name @include(if: $a) } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "catalogue") {
            {
              products {
                id
                name @include(if: $a)
              }
            }
          }
        }
    """)


def test_a_fetch_that_only_a_conditional_field_needs_is_conditional():
    plan = render_plan("shop", "query($a: Boolean!) { products { name inStock @skip(if: $a) } }")

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
            Skip(if: $a) {
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
              }
            },
          }
        }
    """)


def test_fields_that_are_only_required_share_the_condition():
    plan = render_plan("shipping", "query($a: Boolean!) { parcel { id rate @include(if: $a) } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                parcel {
                  id
                  weight(unit: "KG") @include(if: $a)
                  box @include(if: $a) {
                    width
                    height
                  }
                }
              }
            },
            Include(if: $a) {
              Flatten(path: "parcel") {
                Fetch(service: "rates") {
                  {
                    ... on Parcel {
                      __typename
                      id
                      weight
                      box {
                        width
                        height
                      }
                    }
                  } =>
                  {
                    ... on Parcel {
                      rate
                    }
                  }
                }
              }
            },
          }
        }
    """)


def test_a_condition_on_a_fragment_holds_for_its_fields():
    plan = render_plan(
        "shop", "query($a: Boolean!) { products { id ... @include(if: $a) { name inStock } } }"
    )

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                products {
                  id
                  name @include(if: $a)
                }
              }
            },
            Include(if: $a) {
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
              }
            },
          }
        }
    """)


def test_a_constant_condition_is_decided_by_the_planner():
    plan = render_plan("shop", "{ products { id name @skip(if: true) inStock @include(if: true) } }")

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
                    inStock
                  }
                }
              }
            },
          }
        }
    """)


def test_an_unconditional_field_wins_over_a_conditional_one():
    plan = render_plan("shop", "query($a: Boolean!) { products { name name @include(if: $a) } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "catalogue") {
            {
              products {
                name
              }
            }
          }
        }
    """)


def test_a_conditional_root_field_makes_its_fetch_conditional():
    plan = render_plan(
        "shop",
        "query($a: Boolean!, $b: Boolean!) { cheapest @include(if: $a) @skip(if: $b) { sku: __typename } }",
    )

    assert plan == dedent_plan("""
        QueryPlan {
          Include(if: $a) {
            Skip(if: $b) {
              Fetch(service: "prices") {
                {
                  cheapest {
                    __typename
                  }
                }
              }
            }
          }
        }
    """)


def test_a_key_is_fetched_without_the_condition_of_the_client():
    plan = render_plan("shop", "query($a: Boolean!) { products { id @include(if: $a) inStock } }")

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
                    inStock
                  }
                }
              }
            },
          }
        }
    """)


def test_a_composite_key_is_fetched_without_the_condition_of_the_client():
    plan = render_plan(
        "shop", "query($a: Boolean!) { products { maker { country @include(if: $a) { code } title } } }"
    )

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


def test_an_object_whose_fields_are_all_skipped_selects_typename():
    plan = render_plan("shop", "{ products { id @skip(if: true) } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "catalogue") {
            {
              products {
                __typename
              }
            }
          }
        }
    """)
