"""The demo: its scenario through the router, its client and its screen."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pypdf import PdfReader
from rich.console import Console

from infra.demo import documents
from infra.demo.client import GraphClient, UnexpectedResponse, expect
from infra.demo.scenario import Scenario, _replace_last_sentence
from infra.demo.screen import GenerationProgress, Screen
from infra.errors import InfraError
from infra.local import Stack
from tests.support.serving import refuse_connections

STEPS = [
    "Sign up",
    "Record the parent's consent",
    "Describe the child",
    "Create a book",
    "Write and illustrate the book",
    "Edit a page",
    "Regenerate a picture",
    "Approve the book",
    "Typeset the interior and the cover",
    "Request a quote",
    "Pay",
    "Wait until the book is shipped",
    "Query all five subgraphs at once",
    "Download the print files",
]


@pytest.fixture
async def graph(stack: Stack) -> AsyncIterator[GraphClient]:
    client = GraphClient(stack.graphql_url)
    yield client
    await client.close()


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def screen(output: io.StringIO) -> Screen:
    return Screen(Console(file=output, width=100))


def list_finished_steps(output: io.StringIO) -> list[str]:
    """The steps that the screen shows as finished."""
    lines = [line.removeprefix("✓ ") for line in output.getvalue().splitlines() if line.startswith("✓ ")]
    return [next(step for step in STEPS if line.startswith(step)) for line in lines]


def read_page_size(pdf: Path) -> tuple[float, float]:
    box = PdfReader(pdf).pages[0].mediabox
    return float(box.width), float(box.height)


async def test_a_book_goes_from_sign_up_to_the_printed_files(graph, screen, output, tmp_path):
    files = await Scenario(graph, screen, "Zoë 🦊 <b>O'Neill</b>", "a boat made of paper & stars").run(
        tmp_path
    )
    assert list_finished_steps(output) == STEPS
    assert len(PdfReader(files.interior).pages) == 32
    assert read_page_size(files.interior) == (630.0, 630.0)
    assert len(PdfReader(files.cover).pages) == 1
    assert read_page_size(files.cover) == (1368.0, 738.0)
    everything = (await graph.execute(documents.EVERYTHING))["me"]["books"]["nodes"][0]
    assert everything["orders"][0]["printJob"]["status"] == "SHIPPED"


async def test_a_failed_step_stops_the_scenario_and_says_why(graph, screen, output, tmp_path):
    with pytest.raises(UnexpectedResponse, match="name"):
        await Scenario(graph, screen, "", "to ride a whale").run(tmp_path)
    assert list_finished_steps(output) == STEPS[:2]
    assert "✗ Describe the child" in output.getvalue()


async def test_an_endpoint_that_does_not_respond_is_named():
    async with refuse_connections() as origin:
        client = GraphClient(f"{origin}/graphql")
        with pytest.raises(InfraError, match=f"{origin}/graphql does not respond"):
            await client.execute("{ __typename }")
        await client.close()


def test_an_unexpected_union_member_is_reported_with_its_message():
    with pytest.raises(UnexpectedResponse, match=r"^EmailTaken: There is an account\.$"):
        expect({"__typename": "EmailTaken", "message": "There is an account."}, "SignedIn")


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("Up they went. The moon was near.", "Up they went. And that was only the start."),
        ("“Look!” The moon smiled!", "“Look!” And that was only the start."),
        ("One sentence only", "And that was only the start."),
    ],
)
def test_only_the_last_sentence_of_a_page_is_replaced(text, edited):
    assert _replace_last_sentence(text) == edited


def test_the_screen_shows_the_current_page_and_progress_bars():
    terminal = io.StringIO()
    console = Console(file=terminal, width=80, height=24, force_terminal=True, color_system=None)
    screen, progress = Screen(console), GenerationProgress(pages=14, pictures=15, title="The Paper Boat")
    progress.append_text(4, "Mila found ")
    progress.append_text(4, "a [boat].")
    progress.finish_picture("A boat")
    with screen.step("Write"):
        screen.show_progress(progress)
    shown = terminal.getvalue()
    assert "The Paper Boat · 4" in shown
    assert "Mila found a [boat]." in shown
    assert "1/15" in shown
