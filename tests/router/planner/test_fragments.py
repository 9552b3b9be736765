"""Fragments are inlined in the plan."""

from tests.support.planning import dedent_plan, render_plan


def test_named_fragments_are_merged_into_the_fields_around_them():
    plan = render_plan(
        "shop", "query { products { name ...Stocked } } fragment Stocked on Product { name inStock }"
    )

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


def test_nested_fragments_merge_the_selections_of_one_field():
    plan = render_plan(
        "shop", "{ products { ... { maker { id } } ... on Product { maker { country { code } } } } }"
    )

    assert plan == dedent_plan("""
        QueryPlan {
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
          }
        }
    """)


def test_an_object_without_remaining_fields_selects_typename():
    plan = render_plan("media", "{ item { ... on Book { ... on Media { ... on Film { id } } } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "library") {
            {
              item {
                __typename
              }
            }
          }
        }
    """)
