"""Variables: each fetch declares those that it uses."""

from tests.support.planning import dedent_plan, render_plan


def test_a_fetch_receives_only_the_variables_it_uses():
    plan = render_plan(
        "shop",
        'query($id: ID!, $currency: String = "USD") { product(id: $id) { name price(currency: $currency) } }',
    )

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "catalogue") {
              {
                product(id: $id) {
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
                    price(currency: $currency)
                  }
                }
              }
            },
          }
        }
    """)
