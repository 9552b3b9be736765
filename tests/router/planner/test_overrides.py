"""`@override`: a field moves to another subgraph, at once or progressively."""

from tests.support.planning import dedent_plan, render_plan


def test_an_overridden_field_is_no_longer_fetched_from_its_old_subgraph():
    plan = render_plan("staffing", "{ people { name office } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "old") {
              {
                people {
                  id
                  office
                }
              }
            },
            Flatten(path: "people.@") {
              Fetch(service: "new") {
                {
                  ... on Person {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Person {
                    name
                  }
                }
              }
            },
          }
        }
    """)


def test_a_progressive_override_that_is_not_active_leaves_the_field_where_it_was():
    plan = render_plan("staffing", "{ people { phone } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "old") {
            {
              people {
                phone
              }
            }
          }
        }
    """)


def test_an_active_label_moves_the_field():
    plan = render_plan("staffing", "{ people { phone } }", frozenset({"percent(20)"}))

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "old") {
              {
                people {
                  id
                }
              }
            },
            Flatten(path: "people.@") {
              Fetch(service: "new") {
                {
                  ... on Person {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Person {
                    phone
                  }
                }
              }
            },
          }
        }
    """)


def test_an_inactive_label_leads_back_to_the_old_subgraph():
    plan = render_plan("staffing", "{ newest { phone } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "new") {
              {
                newest {
                  id
                }
              }
            },
            Flatten(path: "newest") {
              Fetch(service: "old") {
                {
                  ... on Person {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Person {
                    phone
                  }
                }
              }
            },
          }
        }
    """)


def test_a_field_that_is_provided_stays_so_while_its_label_is_inactive():
    plan = render_plan("staffing", "{ oldest { phone } }")

    assert plan == dedent_plan("""
        QueryPlan {
          Fetch(service: "old") {
            {
              oldest {
                phone
              }
            }
          }
        }
    """)


def test_an_active_label_moves_a_field_that_is_provided_as_well():
    plan = render_plan("staffing", "{ oldest { phone } }", frozenset({"percent(20)"}))

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "old") {
              {
                oldest {
                  id
                }
              }
            },
            Flatten(path: "oldest") {
              Fetch(service: "new") {
                {
                  ... on Person {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Person {
                    phone
                  }
                }
              }
            },
          }
        }
    """)
