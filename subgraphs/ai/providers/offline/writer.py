"""The studio's writer: outlines and scenes generated from a plan and the grammar."""

from __future__ import annotations

from subgraphs.ai.providers.offline import phrases
from subgraphs.ai.providers.offline.beats import choose_beats
from subgraphs.ai.providers.offline.plan import create_random, make_plan, pick
from subgraphs.ai.providers.story import Outline, Scene, StoryBrief


def write_outline(brief: StoryBrief) -> Outline:
    """Write the outline; the same brief always gives the same one."""
    plan = make_plan(brief)
    random = create_random("outline", brief.compute_digest())
    return Outline(
        title=plan.words["title"],
        subtitle=plan.fill(pick(random, phrases.SUBTITLES)),
        blurb=plan.fill(pick(random, phrases.BLURBS)),
        dedication=brief.dedication or plan.fill(pick(random, phrases.DEDICATIONS)),
        closing=plan.fill(pick(random, phrases.CLOSINGS)),
        scenes=tuple(
            Scene(number, plan.fill(phrases.SUMMARIES[beat - 1]), plan.fill(phrases.PICTURES[beat - 1]))
            for number, beat in enumerate(choose_beats(brief.scenes), start=1)
        ),
    )


def write_scene(brief: StoryBrief, number: int, take: int, max_length: int) -> str:
    """Write a scene; every take chooses other sentences for the same plan.

    Sentences that would exceed `max_length` characters are left out.
    """
    plan = make_plan(brief)
    first_choices = _choose_first(brief, number)
    # Each take advances every slot by one, so it differs from the previous take wherever there is a choice.
    chosen = (
        slot[(index + take) % len(slot)]
        for slot, index in zip(_get_slots(brief, number), first_choices, strict=True)
    )
    text = ""
    for sentence in map(plan.fill, chosen):
        longer = f"{text} {sentence}".lstrip()
        if len(longer) <= max_length:
            text = longer
    return text


def _get_slots(brief: StoryBrief, number: int) -> tuple[phrases.Slot, ...]:
    return phrases.BEATS[choose_beats(brief.scenes)[number - 1] - 1]


def _choose_first(brief: StoryBrief, number: int) -> list[int]:
    random = create_random("scene", brief.compute_digest(), number)
    return [random.randrange(len(slot)) for slot in _get_slots(brief, number)]


def describe(brief: StoryBrief, number: int | None) -> str:
    """Describe the picture of a scene, or of the cover."""
    if number is None:
        return make_plan(brief).fill(phrases.COVER_PICTURE)
    return make_plan(brief).fill(phrases.PICTURES[choose_beats(brief.scenes)[number - 1] - 1])
