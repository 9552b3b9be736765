"""A supergraph of Federation 1 runs like any other: owners, extensions, `@requires` and `@provides`."""

from __future__ import annotations

from tests.router.executor.shop import build_data, run_graph


async def test_an_extension_is_entered_by_the_key_of_the_owner():
    people = build_data(people=[{"id": "1", "country": {"code": "DK"}}])
    posts = build_data(_entities=[{"posts": [{"title": "Wind"}]}])
    async with run_graph("people", people=people, posts=posts) as running:
        result = await running.run("{ people { country { code } posts { title } } }")

    assert running.list_representations("posts") == [
        {"representations": [{"__typename": "Person", "id": "1"}]}
    ]
    assert result.data == {"people": [{"country": {"code": "DK"}, "posts": [{"title": "Wind"}]}]}
    assert result.errors == []


async def test_an_extension_is_given_what_it_requires_of_the_owner():
    people = build_data(people=[{"id": "1", "name": "Ida"}])
    posts = build_data(_entities=[{"greeting": "Hello Ida"}])
    async with run_graph("people", people=people, posts=posts) as running:
        result = await running.run("{ people { greeting } }")

    sent = {"__typename": "Person", "id": "1", "name": "Ida"}
    assert running.list_representations("posts") == [{"representations": [sent]}]
    assert result.data == {"people": [{"greeting": "Hello Ida"}]}


async def test_fields_that_the_extension_does_not_provide_are_fetched_from_the_owner():
    posts = build_data(newest={"author": {"id": "1", "name": "Ida"}})
    people = build_data(_entities=[{"country": {"code": "DK"}}])
    async with run_graph("people", people=people, posts=posts) as running:
        provided = await running.run("{ newest { author { name } } }")
        assert [name for name, _ in running.requests] == ["posts"]
        whole = await running.run("{ newest { author { name country { code } } } }")

    assert provided.data == {"newest": {"author": {"name": "Ida"}}}
    assert whole.data == {"newest": {"author": {"name": "Ida", "country": {"code": "DK"}}}}
