"""The studio's writer: outline and scenes from the plan and the grammar."""

from __future__ import annotations

from subgraphs.ai.providers.offline import phrases
from subgraphs.ai.providers.offline.plan import make_plan, pick, seeded
from subgraphs.ai.providers.protocol import Outline, Scene, StoryBrief


def write_outline(brief: StoryBrief) -> Outline:
    """The outline that this brief always gives."""
    plan = make_plan(brief)
    random = seeded("outline", brief.digest())
    return Outline(
        title=plan.words["title"],
        subtitle=plan.fill(pick(random, phrases.SUBTITLES)),
        blurb=plan.fill(pick(random, phrases.BLURBS)),
        dedication=brief.dedication or plan.fill(pick(random, phrases.DEDICATIONS)),
        closing=plan.fill(pick(random, phrases.CLOSINGS)),
        scenes=tuple(
            Scene(number, plan.fill(summary), plan.fill(picture))
            for number, (summary, picture) in enumerate(
                zip(phrases.SUMMARIES, phrases.PICTURES, strict=True), start=1
            )
        ),
    )


def write_scene(brief: StoryBrief, number: int, take: int, longest: int) -> str:
    """The text of a scene; each take chooses its sentences anew, and follows the same plan.

    Where not all of its sentences have room, the last ones are left out.
    """
    plan = make_plan(brief)
    first = _choices(brief, number)
    # A take moves every slot on by one, so that it differs from the one before wherever there is a choice.
    chosen = (slot[(index + take) % len(slot)] for slot, index in zip(_slots(number), first, strict=True))
    text = ""
    for sentence in map(plan.fill, chosen):
        longer = f"{text} {sentence}".lstrip()
        if len(longer) <= longest:
            text = longer
    return text


def _slots(number: int) -> tuple[phrases.Slot, ...]:
    return phrases.SCENES[number - 1]


def _choices(brief: StoryBrief, number: int) -> list[int]:
    random = seeded("scene", brief.digest(), number)
    return [random.randrange(len(slot)) for slot in _slots(number)]


def describe(brief: StoryBrief, number: int | None) -> str:
    """What is to be seen on the picture of a scene, or on the cover."""
    template = phrases.COVER_PICTURE if number is None else phrases.PICTURES[number - 1]
    return make_plan(brief).fill(template)
