"""Unions: fields are selected member by member."""

from tests.support.planning import dedent_plan, render_plan


def test_members_are_selected_by_type():
    plan = render_plan("media", "{ item { ... on Book { pages } ... on Film { minutes } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "library") {
            {
              item {
                __typename
                ... on Book {
                  pages
                }
                ... on Film {
                  minutes
                }
              }
            }
          }
        }
    """)


def test_a_union_without_fields_selects_typename():
    plan = render_plan("media", "{ item { __typename } }")

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


def test_members_hop_to_their_own_subgraphs():
    plan = render_plan("media", "{ item { ... on Film { title } ... on Book { author { email } } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "library") {
              {
                item {
                  __typename
                  ... on Film {
                    id
                  }
                  ... on Book {
                    id
                  }
                }
              }
            },
            Parallel {
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
                      title
                    }
                  }
                }
              },
              Flatten(path: "item") {
                Fetch(service: "books") {
                  {
                    ... on Book {
                      __typename
                      id
                    }
                  } =>
                  {
                    ... on Book {
                      author {
                        email
                      }
                    }
                  }
                }
              },
            },
          }
        }
    """)


def test_a_member_that_not_every_subgraph_returns_is_dropped():
    plan = render_plan(
        "partial", "{ crate { wrap { parts { ... on Nut { size } ... on Bolt { length } } } } }"
    )

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "a") {
            {
              crate {
                wrap {
                  parts {
                    __typename
                    ... on Nut {
                      size
                    }
                  }
                }
              }
            }
          }
        }
    """)


def test_after_a_necessary_hop_the_members_of_that_subgraph_count():
    plan = render_plan(
        "partial", "{ crate { own { parts { ... on Bolt { length } ... on Gear { teeth } } } } }"
    )

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "a") {
              {
                crate {
                  id
                }
              }
            },
            Flatten(path: "crate") {
              Fetch(service: "b") {
                {
                  ... on Crate {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Crate {
                    own {
                      parts {
                        __typename
                        ... on Gear {
                          teeth
                        }
                      }
                    }
                  }
                }
              }
            },
          }
        }
    """)
