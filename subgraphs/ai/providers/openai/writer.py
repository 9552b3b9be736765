"""OpenAI's writer, on its Responses API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from openai import AsyncOpenAI, Omit, omit
from openai.types.responses import ResponseTextConfigParam
from pydantic import BaseModel, ConfigDict, Field, create_model

from subgraphs.ai.providers import prompts
from subgraphs.ai.providers.openai.client import hash_author, open_client, translate_errors
from subgraphs.ai.providers.openai.reply import Reply
from subgraphs.ai.providers.ports import ProviderFailed, Writer, WrittenOutline, WrittenScene
from subgraphs.ai.providers.story import Outline, Scene, SceneRequest, StoryBrief
from subgraphs.ai.settings import Settings

_OUTLINE_TOKENS = 6000
_SCENE_TOKENS = 1500


class Form(BaseModel):
    """A required JSON form; structured output allows no further fields."""

    model_config = ConfigDict(extra="forbid")


class SceneForm(Form):
    """The required form of a scene."""

    summary: str
    picture: str


class OutlineForm(Form):
    """The required form of an outline."""

    title: str
    subtitle: str
    blurb: str
    dedication: str
    closing: str
    scenes: list[SceneForm]


@cache
def create_outline_form(scenes: int) -> type[OutlineForm]:
    """Create the required form of an outline with so many scenes."""
    exactly = Field(min_length=scenes, max_length=scenes)
    return create_model("OutlineForm", __base__=OutlineForm, scenes=(list[SceneForm], exactly))


@asynccontextmanager
async def open_writer(settings: Settings) -> AsyncIterator[Writer]:
    """Open a writer, and close its client on exit."""
    async with open_client(settings) as client:
        yield OpenAIWriter(client, settings.openai_text_model)


class OpenAIWriter:
    """Writes with the configured model; OpenAI is asked not to store responses."""

    def __init__(self, client: AsyncOpenAI, model: str) -> None:
        self._client = client
        self._model = model

    def supports_language(self, language: str) -> bool:
        """Whether a language is given: the models write any."""
        return bool(language)

    async def write_outline(self, brief: StoryBrief, *, author: str) -> WrittenOutline:
        """Plan the book as structured output."""
        outline_form = create_outline_form(brief.scenes)
        data = prompts.build_outline_data(brief)
        async with self._open_reply(
            prompts.OUTLINE_INSTRUCTIONS, data, author, _OUTLINE_TOKENS, _build_format(outline_form)
        ) as reply:
            text = "".join([piece async for piece in reply])
            form = outline_form.model_validate_json(text)
        return WrittenOutline(_build_outline(form, brief), reply.usage)

    async def write_scene(
        self, request: SceneRequest, *, author: str
    ) -> AsyncGenerator[str | WrittenScene, None]:
        """Write one scene."""
        text = ""
        data = prompts.build_scene_data(request)
        async with self._open_reply(prompts.SCENE_INSTRUCTIONS, data, author, _SCENE_TOKENS) as reply:
            async for piece in reply:
                text += piece
                yield piece
        yield WrittenScene(text, reply.usage)

    @asynccontextmanager
    async def _open_reply(
        self,
        instructions: str,
        data: str,
        author: str,
        max_tokens: int,
        text: ResponseTextConfigParam | Omit = omit,
    ) -> AsyncIterator[Reply]:
        """Request a response; whatever then fails has its usage."""
        with translate_errors():
            stream = await self._client.responses.create(
                model=self._model,
                instructions=instructions,
                input=data,
                text=text,
                max_output_tokens=max_tokens,
                store=False,
                stream=True,
                safety_identifier=hash_author(author),
            )
        async with stream:
            reply = Reply(stream, self._model)
            try:
                with translate_errors():
                    yield reply
            except ProviderFailed as failure:
                failure.usage = reply.usage
                raise


def _build_format(form: type[Form]) -> ResponseTextConfigParam:
    return {
        "format": {
            "type": "json_schema",
            "name": "outline",
            "schema": form.model_json_schema(),
            "strict": True,
        }
    }


def _build_outline(form: OutlineForm, brief: StoryBrief) -> Outline:
    scenes = tuple(
        Scene(number, scene.summary, scene.picture) for number, scene in enumerate(form.scenes, start=1)
    )
    return Outline(
        title=form.title,
        subtitle=form.subtitle,
        blurb=form.blurb,
        dedication=brief.dedication or form.dedication,
        closing=form.closing,
        scenes=scenes,
    )
