"""The print subgraph over HTTP: visibility of jobs and the number of SQL statements."""

from collections.abc import AsyncIterator, Mapping

import pytest

from subgraphs.common.ids import new_id
from subgraphs.common.runtime import Runtime
from subgraphs.print import service
from subgraphs.print.models import PrintJob
from tests.subgraphs.print.conftest import SteppingClock
from tests.subgraphs.print.jobs import SHIPPING, create_checked_job, create_job
from tests.support.subgraph import SubgraphClient, run_subgraph
from tests.support.tokens import sign_token

COST = """
query Cost($pages: Int!, $quantity: Int! = 1, $country: String!, $level: ShippingLevel!) {
  printProduct(id: "casewrap-8.5-square") {
    cost(pageCount: $pages, quantity: $quantity, countryCode: $country, shippingLevel: $level) {
      items { amount currency } shipping { amount } fulfilment { amount } tax { amount } total { amount }
    }
  }
}
"""
JOB = """... on Order {
  printJob {
    id status providerReference
    order { id } product { id name }
    preflight { passed effectivePpi issues { code page message } }
    shipment { carrier trackingId trackingUrl shippedAt }
    history { sequence status message }
  }
}"""


@pytest.fixture
async def graph(servers: Mapping[str, str]) -> AsyncIterator[SubgraphClient]:
    async with run_subgraph("print", servers) as client:
        yield client


def build_order_reference(job: PrintJob) -> dict[str, str]:
    return {"__typename": "Order", "id": job.order_id}


async def test_the_catalogue_is_public(graph: SubgraphClient) -> None:
    answer = await graph.execute(
        """{ printProducts {
          id name podPackageId format { id } trimWidth trimHeight binding minimumPages maximumPages
        } }"""
    )
    assert answer.ok["printProducts"] == [
        {
            "id": "casewrap-8.5-square",
            "name": "Square hardcover picture book",
            "podPackageId": "0850X0850.FC.PRE.CW.080CW444.MXX",
            "format": {"id": "square-8.5"},
            "trimWidth": 8.5,
            "trimHeight": 8.5,
            "binding": "CASEWRAP",
            "minimumPages": 24,
            "maximumPages": 800,
        },
        {
            "id": "casewrap-7.5-square",
            "name": "Small square hardcover picture book",
            "podPackageId": "0750X0750.FC.PRE.CW.080CW444.MXX",
            "format": {"id": "square-7.5"},
            "trimWidth": 7.5,
            "trimHeight": 7.5,
            "binding": "CASEWRAP",
            "minimumPages": 24,
            "maximumPages": 800,
        },
    ]


async def test_a_format_lists_the_products_that_are_made_for_it(graph: SubgraphClient) -> None:
    references = [
        {"__typename": "BookFormat", "id": format_id} for format_id in ("square-7.5", "square-8.5", "scroll")
    ]
    assert await graph.resolve_entities("... on BookFormat { printProducts { id } }", references) == [
        {"printProducts": [{"id": "casewrap-7.5-square"}]},
        {"printProducts": [{"id": "casewrap-8.5-square"}]},
        {"printProducts": []},
    ]


async def test_a_cost_is_exact(graph: SubgraphClient) -> None:
    answer = await graph.execute(COST, {"pages": 32, "quantity": 2, "country": "US", "level": "MAIL"})
    assert answer.ok["printProduct"]["cost"] == {
        "items": {"amount": 3432, "currency": "USD"},
        "shipping": {"amount": 669},
        "fulfilment": {"amount": 175},
        "tax": {"amount": 0},
        "total": {"amount": 4276},
    }


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"pages": 23}, "pageCount"),
        ({"pages": 33}, "pageCount"),
        ({"quantity": 0}, "quantity"),
        ({"country": "Atlantis"}, "countryCode"),
    ],
)
async def test_an_impossible_cost_names_the_argument(
    graph: SubgraphClient, changed: dict[str, object], field: str
) -> None:
    variables = {"pages": 32, "quantity": 1, "country": "US", "level": "MAIL"}
    answer = await graph.execute(COST, variables | changed)
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", field)


async def test_an_unknown_product_is_not_found(graph: SubgraphClient) -> None:
    answer = await graph.execute('{ printProduct(id: "scroll") { name } }')
    assert answer.code == "NOT_FOUND"


async def test_a_product_reference_is_resolved(graph: SubgraphClient) -> None:
    [found] = await graph.resolve_entities(
        "... on PrintProduct { name }", [{"__typename": "PrintProduct", "id": "casewrap-8.5-square"}]
    )
    assert found == {"name": "Square hardcover picture book"}


async def test_an_order_shows_its_owner_the_whole_job(
    graph: SubgraphClient, runtime: Runtime, clock: SteppingClock
) -> None:
    job = await create_checked_job(runtime)
    await service.submit_print_job(runtime, job.id, 1, SHIPPING)
    clock.advance(seconds=40)
    await service.reconcile_print_job(runtime, job.id, 1)
    [found] = await graph.resolve_entities(JOB, [build_order_reference(job)], sign_token("usr_ada"))
    shown = found["printJob"]
    assert (shown["id"], shown["status"]) == (job.id, "SHIPPED")
    assert shown["order"] == {"id": job.order_id}
    assert shown["product"]["id"] == "casewrap-8.5-square"
    assert shown["providerReference"].startswith("shop_")
    assert shown["preflight"] == {"passed": True, "effectivePpi": None, "issues": []}
    assert shown["shipment"]["carrier"] == "Offline Parcel"
    assert [(step["sequence"], step["status"]) for step in shown["history"]] == [
        (1, "CREATED"),
        (2, "PREFLIGHT"),
        (3, "SUBMITTING"),
        (4, "SUBMITTED"),
        (5, "SHIPPED"),
    ]


async def test_a_rejected_job_shows_why(graph: SubgraphClient, runtime: Runtime) -> None:
    job = await create_checked_job(runtime, interior=b"not a pdf")
    [found] = await graph.resolve_entities(JOB, [build_order_reference(job)], sign_token("usr_ada"))
    assert found["printJob"]["status"] == "REJECTED"
    [issue] = found["printJob"]["preflight"]["issues"]
    assert (issue["code"], issue["page"]) == ("UNREADABLE", None)


async def test_nobody_else_sees_a_job(graph: SubgraphClient, runtime: Runtime) -> None:
    job = await create_job(runtime)
    for token in (sign_token("usr_bob"), sign_token("usr_staff", ["staff"]), None):
        assert await graph.resolve_entities(JOB, [build_order_reference(job)], token) == [{"printJob": None}]
        by_id = {"__typename": "PrintJob", "id": job.id}
        assert await graph.resolve_entities("... on PrintJob { status }", [by_id], token) == [None]


async def test_a_job_reference_is_resolved_for_its_owner(graph: SubgraphClient, runtime: Runtime) -> None:
    job = await create_job(runtime)
    by_id = [{"__typename": "PrintJob", "id": job.id}, {"__typename": "PrintJob", "id": "prj_unknown"}]
    found = await graph.resolve_entities("... on PrintJob { status }", by_id, sign_token("usr_ada"))
    assert found == [{"status": "CREATED"}, None]


async def test_the_statements_do_not_grow_with_the_orders(graph: SubgraphClient, runtime: Runtime) -> None:
    jobs = [await create_job(runtime) for _ in range(20)]

    async def count_statements_for(count: int) -> int:
        before = await graph.count_statements()
        await graph.resolve_entities(
            JOB, [build_order_reference(job) for job in jobs[:count]], sign_token("usr_ada")
        )
        return await graph.count_statements() - before

    assert await count_statements_for(1) == await count_statements_for(20) == 2


async def test_staff_list_everybodys_jobs_newest_first(graph: SubgraphClient, runtime: Runtime) -> None:
    jobs = [await create_job(runtime, owner_id=new_id("usr")) for _ in range(3)]
    query = """query ($after: String) { printJobs(first: 2, after: $after) {
      nodes { id } pageInfo { hasNextPage endCursor }
    } }"""
    token = sign_token("usr_staff", ["staff"])
    first = (await graph.execute(query, token=token)).ok["printJobs"]
    assert [node["id"] for node in first["nodes"]] == [jobs[2].id, jobs[1].id]
    assert first["pageInfo"] == {"hasNextPage": True, "endCursor": jobs[1].id}
    second = (await graph.execute(query, {"after": jobs[1].id}, token)).ok["printJobs"]
    assert second["nodes"][0]["id"] == jobs[0].id


async def test_only_staff_list_jobs(graph: SubgraphClient) -> None:
    tokens = (sign_token("usr_ada"), None, "forged")
    codes = [(await graph.execute("{ printJobs { nodes { id } } }", token=token)).code for token in tokens]
    assert codes == ["FORBIDDEN", "UNAUTHENTICATED", "UNAUTHENTICATED"]


async def test_a_list_has_a_size_within_bounds(graph: SubgraphClient) -> None:
    answer = await graph.execute(
        "{ printJobs(first: 101) { nodes { id } } }", token=sign_token("usr_staff", ["staff"])
    )
    assert (answer.code, answer.field) == ("BAD_USER_INPUT", "first")
