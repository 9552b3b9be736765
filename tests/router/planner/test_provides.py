"""`@provides`: fields that a subgraph resolves on one path only."""

from tests.support.planning import dedent_plan, render_plan


def test_a_provided_field_needs_no_hop():
    plan = render_plan("reviews", "{ reviews { author { name } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "reviews") {
            {
              reviews {
                author {
                  name
                }
              }
            }
          }
        }
    """)


def test_the_same_field_reached_another_way_needs_a_hop():
    plan = render_plan("reviews", "{ reviews { editor { name } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "reviews") {
              {
                reviews {
                  editor {
                    id
                  }
                }
              }
            },
            Flatten(path: "reviews.@.editor") {
              Fetch(service: "people") {
                {
                  ... on Author {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Author {
                    name
                  }
                }
              }
            },
          }
        }
    """)


def test_a_field_provided_on_one_union_member_is_not_provided_on_another():
    plan = render_plan("reviews", "{ latest { subject { ... on Film { title } ... on Album { title } } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "reviews") {
              {
                latest {
                  subject {
                    __typename
                    ... on Film {
                      title
                    }
                    ... on Album {
                      id
                    }
                  }
                }
              }
            },
            Flatten(path: "latest.subject") {
              Fetch(service: "works") {
                {
                  ... on Album {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Album {
                    title
                  }
                }
              }
            },
          }
        }
    """)


def test_a_provided_field_does_not_spare_a_hop_for_another_field():
    plan = render_plan("reviews", "{ latest { author { name born } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "reviews") {
              {
                latest {
                  author {
                    name
                    id
                  }
                }
              }
            },
            Flatten(path: "latest.author") {
              Fetch(service: "people") {
                {
                  ... on Author {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Author {
                    born
                  }
                }
              }
            },
          }
        }
    """)


def test_a_federation_1_subgraph_may_provide_a_field_it_does_not_declare():
    plan = render_plan("people", "{ newest { author { name } } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "posts") {
            {
              newest {
                author {
                  name
                }
              }
            }
          }
        }
    """)
