"""What every writer, illustrator and moderator does, whichever provider it is of."""

import struct
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from subgraphs.ai.providers.ports import (
    Illustrator,
    Moderator,
    Rejection,
    Writer,
    WrittenScene,
)
from subgraphs.ai.providers.registry import ILLUSTRATORS, MODERATORS, WRITERS
from subgraphs.ai.providers.story import Hero, PictureRequest, SceneRequest, StoryBrief
from subgraphs.common.pronouns import Pronouns
from subgraphs.common.runtime import Runtime, open_runtime
from subgraphs.domains import DOMAINS
from tests.support.fakes.openai.server import FakeOpenAI, build_outline
from tests.support.subgraph import build_settings

HERO = Hero("Mia", 5, Pronouns.SHE, "brown curls", ("foxes",))
BRIEF = StoryBrief(HERO, "to find a friend", "ADVENTURE", "en", "For my star", scenes=14)
AUTHOR = "usr_1"
LONGEST = 420


@pytest.fixture
async def openai() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI().serve() as running:
        running.scenario.flagged = {"violence": "stabbed"}
        yield running


@pytest.fixture
async def runtime(openai: FakeOpenAI) -> AsyncIterator[Runtime]:
    """A runtime in which all providers are configured; the real ones have fake servers."""
    environ = {**openai.environ, "OFFLINE_WORDS_PER_SECOND": "2000"}
    async with open_runtime(DOMAINS["ai"], build_settings("ai", environ)) as opened:
        yield opened


@pytest.fixture(params=WRITERS.factories)
def writer_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def writer(runtime: Runtime, writer_name: str) -> AsyncIterator[Writer]:
    async with WRITERS.open(runtime, writer_name) as opened:
        yield opened


@pytest.fixture(params=ILLUSTRATORS.factories)
def illustrator_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def illustrator(runtime: Runtime, illustrator_name: str) -> AsyncIterator[Illustrator]:
    async with ILLUSTRATORS.open(runtime, illustrator_name) as opened:
        yield opened


@pytest.fixture(params=MODERATORS.factories)
def moderator_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def moderator(runtime: Runtime, moderator_name: str) -> AsyncIterator[Moderator]:
    async with MODERATORS.open(runtime, moderator_name) as opened:
        yield opened


async def build_scene_request(writer: Writer) -> SceneRequest:
    outline = (await writer.write_outline(BRIEF, author=AUTHOR)).outline
    return SceneRequest(BRIEF, outline, 2, ("Once there was Mia.",), LONGEST)


async def write_scene(writer: Writer, request: SceneRequest) -> list[str | WrittenScene]:
    return [part async for part in writer.write_scene(request, author=AUTHOR)]


async def test_a_writer_supports_english(writer: Writer) -> None:
    assert [writer.supports_language(language) for language in ("en", "en-GB", "")] == [True, True, False]


@pytest.mark.parametrize("scenes", [10, 14])
async def test_an_outline_has_as_many_scenes_as_its_book_and_the_parents_dedication(
    writer: Writer, writer_name: str, openai: FakeOpenAI, scenes: int
) -> None:
    openai.scenario.outline = build_outline(scenes)
    written = await writer.write_outline(replace(BRIEF, scenes=scenes), author=AUTHOR)
    outline = written.outline
    assert [scene.number for scene in outline.scenes] == list(range(1, scenes + 1))
    assert all(scene.summary and scene.picture for scene in outline.scenes)
    assert all((outline.title, outline.subtitle, outline.blurb, outline.closing))
    assert outline.dedication == "For my star"
    assert (written.usage.provider, written.usage.images) == (writer_name, 0)


async def test_a_scene_arrives_in_pieces_and_last_as_a_whole(writer: Writer, writer_name: str) -> None:
    *pieces, whole = await write_scene(writer, await build_scene_request(writer))
    assert isinstance(whole, WrittenScene)
    texts = [piece for piece in pieces if isinstance(piece, str)]
    assert len(texts) == len(pieces) > 1
    assert "".join(texts) == whole.text
    assert 0 < len(whole.text) <= LONGEST
    assert (whole.usage.provider, whole.usage.images) == (writer_name, 0)


async def test_after_a_scene_that_was_given_up_the_next_is_written_as_a_whole(writer: Writer) -> None:
    request = await build_scene_request(writer)
    async with aclosing(writer.write_scene(request, author=AUTHOR)) as given_up:
        first = await anext(given_up)
    parts = await write_scene(writer, request)
    assert parts[0] == first
    assert isinstance(parts[-1], WrittenScene)


@pytest.mark.parametrize("number", [3, None], ids=["scene", "cover"])
async def test_a_picture_is_a_square_png_with_its_size_and_a_description(
    runtime: Runtime, illustrator: Illustrator, illustrator_name: str, number: int | None
) -> None:
    async with WRITERS.open(runtime, "offline") as writer:
        outline = (await writer.write_outline(BRIEF, author=AUTHOR)).outline
    picture = await illustrator.draw(PictureRequest(BRIEF, outline, number), author=AUTHOR)
    signature, width, height = struct.unpack_from(">8s8xII", picture.png)
    assert signature == b"\x89PNG\r\n\x1a\n"
    assert (picture.width, picture.height) == (width, height)
    assert width == height >= 2048
    assert picture.alt_text
    assert (picture.usage.provider, picture.usage.images) == (illustrator_name, 1)


async def test_a_moderator_rejects_a_text_by_its_field_and_leaves_harmless_ones(
    moderator: Moderator, moderator_name: str
) -> None:
    harmless = await moderator.moderate({"wish": "a walk", "child.name": "Mia"}, author=AUTHOR)
    rejected = await moderator.moderate({"wish": "a walk", "child.name": "they stabbed him"}, author=AUTHOR)
    assert (harmless.rejection, rejected.rejection) == (None, Rejection("child.name", "violence"))
    for review in (harmless, rejected):
        assert (review.usage.provider, review.usage.images) == (moderator_name, 0)
