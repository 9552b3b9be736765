"""Mutations: root fields run serially, each once."""

from tests.support.planning import dedent_plan, render_plan


def test_mutations_run_in_the_order_of_the_document():
    plan = render_plan("profiles", "mutation { addA addB again: addA }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "a") {
              {
                addA
              }
            },
            Fetch(service: "b") {
              {
                addB
              }
            },
            Fetch(service: "a") {
              {
                again: addA
              }
            },
          }
        }
    """)


def test_the_result_of_a_mutation_is_completed_before_the_next_runs():
    plan = render_plan("profiles", "mutation { note { text likes } addB }")

    assert plan == dedent_plan("""
        QueryPlan {
          Sequence {
            Fetch(service: "a") {
              {
                note {
                  text
                  id
                }
              }
            },
            Flatten(path: "note") {
              Fetch(service: "b") {
                {
                  ... on Note {
                    __typename
                    id
                  }
                } =>
                {
                  ... on Note {
                    likes
                  }
                }
              }
            },
            Fetch(service: "b") {
              {
                addB
              }
            },
          }
        }
    """)


def test_a_mutation_field_that_is_selected_repeatedly_runs_once():
    text = """
        mutation ($a: Boolean!, $b: Boolean!) {
          note @include(if: $a) { text likes }
          note @include(if: $b) { text }
        }
    """

    assert render_plan("profiles", text).count('Fetch(service: "a")') == 1
