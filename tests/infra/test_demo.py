"""The whole main job, from sign-up to the shipped book, through the router and nothing else."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pypdf import PdfReader
from rich.console import Console

from infra.demo import documents
from infra.demo.client import GraphClient, GraphRefusal, expect
from infra.demo.play import Play, _with_another_ending
from infra.demo.screen import Making, Screen
from infra.errors import InfraError
from infra.local import Stack
from tests.support.serving import refusing

STEPS = [
    "Sign up",
    "Record the parent's consent",
    "Describe the child",
    "Create a book from the brief",
    "Write and illustrate it",
    "Edit a page",
    "Draw one picture anew",
    "Approve exactly this book",
    "Typeset the interior and the cover",
    "Ask what a printed copy costs",
    "Pay",
    "Wait for the print shop",
    "Read it all in one query",
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


def done(output: io.StringIO) -> list[str]:
    """The steps that the screen told to be done."""
    lines = [line.removeprefix("✓ ") for line in output.getvalue().splitlines() if line.startswith("✓ ")]
    return [next(step for step in STEPS if line.startswith(step)) for line in lines]


def page_size(pdf: Path) -> tuple[float, float]:
    box = PdfReader(pdf).pages[0].mediabox
    return float(box.width), float(box.height)


async def test_a_book_goes_from_sign_up_to_the_printed_files(graph, screen, output, tmp_path):
    files = await Play(graph, screen, "Zoë 🦊 <b>O'Neill</b>", "a boat made of paper & stars").run(tmp_path)
    assert done(output) == STEPS
    assert len(PdfReader(files.interior).pages) == 32
    assert page_size(files.interior) == (630.0, 630.0)
    assert len(PdfReader(files.cover).pages) == 1
    assert page_size(files.cover) == (1368.0, 738.0)
    everything = (await graph.execute(documents.EVERYTHING))["me"]["books"]["nodes"][0]
    assert everything["orders"][0]["printJob"]["status"] == "SHIPPED"


async def test_a_step_that_is_refused_stops_the_play_and_says_why(graph, screen, output, tmp_path):
    with pytest.raises(GraphRefusal, match="name"):
        await Play(graph, screen, "", "to ride a whale").run(tmp_path)
    assert done(output) == STEPS[:2]
    assert "✗ Describe the child" in output.getvalue()


async def test_an_endpoint_that_does_not_answer_is_named():
    async with refusing() as origin:
        client = GraphClient(f"{origin}/graphql")
        with pytest.raises(InfraError, match=f"{origin}/graphql does not answer"):
            await client.execute("{ __typename }")
        await client.close()


def test_another_member_of_a_union_is_told_with_its_message():
    with pytest.raises(GraphRefusal, match=r"^EmailTaken: There is an account\.$"):
        expect({"__typename": "EmailTaken", "message": "There is an account."}, "SignedIn")


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("Up they went. The moon was near.", "Up they went. And that was only the start."),
        ("“Look!” The moon smiled!", "“Look!” And that was only the start."),
        ("One sentence only", "And that was only the start."),
    ],
)
def test_an_edited_page_keeps_its_length(text, edited):
    assert _with_another_ending(text) == edited


def test_the_screen_shows_the_page_being_written_and_the_bars():
    terminal = io.StringIO()
    console = Console(file=terminal, width=80, height=24, force_terminal=True, color_system=None)
    screen, making = Screen(console), Making(pages=14, pictures=15, title="The Paper Boat")
    making.write(4, "Mila found ")
    making.write(4, "a [boat].")
    making.finish_picture("A boat")
    with screen.step("Write"):
        screen.show_making(making)
    shown = terminal.getvalue()
    assert "The Paper Boat · 4" in shown
    assert "Mila found a [boat]." in shown
    assert "1/15" in shown
