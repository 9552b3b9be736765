"""The staging of each beat: setting, light, figures, poses and props."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from subgraphs.ai.providers.offline.beats import choose_beats
from subgraphs.ai.providers.offline.painter.animals import draw_helper
from subgraphs.ai.providers.offline.painter.backdrops import build_definitions, paint_backdrop
from subgraphs.ai.providers.offline.painter.child import draw_child, draw_head
from subgraphs.ai.providers.offline.painter.look import Look, derive_look
from subgraphs.ai.providers.offline.painter.nature import LIGHTS, draw_cloud
from subgraphs.ai.providers.offline.painter.props import (
    draw_obstacle,
    draw_overcome_obstacle,
    draw_prop,
    draw_star,
)
from subgraphs.ai.providers.offline.painter.shapes import circle, ellipse, group, line, path, rect, shade
from subgraphs.ai.providers.offline.plan import create_random, make_plan
from subgraphs.ai.providers.offline.tales import Tale
from subgraphs.ai.providers.story import StoryBrief

_FLOATING = frozenset({"sea"})
_IN_WATER = frozenset({"whale", "turtle"})


@dataclass(frozen=True, slots=True)
class Stage:
    """The staging of one beat; `view` is home, road, land, peril, goal or bed."""

    view: str
    light: str
    pose: str
    face: str
    child_x: float = 400
    helper_x: float | None = None
    mood: str = "calm"
    prop: str | None = None
    prop_at: tuple[float, float] = (650, 780)
    has_obstacle: bool = False
    has_confetti: bool = False
    zoom: float = 1.0
    focus: tuple[float, float] = (500, 1000)


_STAGES = (
    Stage("home", "morning", "wave", "happy", 640),
    Stage("home", "day", "think", "wonder", 640, prop="wish", zoom=1.22, focus=(700, 620)),
    Stage(
        "home",
        "morning",
        "reach",
        "wonder",
        560,
        prop="sign",
        prop_at=(800, 770),
        zoom=1.4,
        focus=(700, 900),
    ),
    Stage("road", "day", "walk", "happy", 420, prop="sign", prop_at=(740, 420)),
    Stage("land", "day", "stand", "wonder", 470, zoom=0.82),
    Stage("land", "golden", "wave", "happy", 350, 680, zoom=1.24, focus=(510, 960)),
    Stage("peril", "dusk", "stand", "worried", 190, 420, "worried", has_obstacle=True),
    Stage(
        "peril", "dusk", "push", "brave", 430, 190, "worried", has_obstacle=True, zoom=1.12, focus=(420, 960)
    ),
    Stage("peril", "dusk", "sit", "sad", 400, has_obstacle=True, zoom=1.45, focus=(400, 960)),
    Stage("land", "night", "sit", "happy", 370, 610, zoom=1.32, focus=(500, 930)),
    Stage("peril", "dawn", "reach", "brave", 420, 180, has_obstacle=True),
    Stage("peril", "day", "jump", "joy", 360, 680, "joy", has_confetti=True, zoom=1.08, focus=(500, 1000)),
    Stage(
        "goal",
        "golden",
        "hold",
        "joy",
        380,
        690,
        "joy",
        prop="gift",
        has_confetti=True,
        zoom=1.2,
        focus=(500, 980),
    ),
    Stage("bed", "night", "stand", "asleep", prop="gift", prop_at=(640, 430)),
)
_COVER = Stage(
    "land", "golden", "wave", "joy", 370, 690, "joy", has_confetti=True, zoom=1.12, focus=(510, 960)
)


def compose(brief: StoryBrief, number: int | None, take: int) -> str:
    """Compose a scene, or the cover, as SVG; further takes change the light and are mirrored in turn."""
    tale, look = make_plan(brief).tale, derive_look(brief.hero)
    stage = _COVER if number is None else _STAGES[choose_beats(brief.scenes)[number - 1] - 1]
    light = _choose_light(stage, tale, take)
    random = create_random("place", brief.hero.compute_digest(), _choose_view(stage, tale), take)
    backdrop = paint_backdrop(_choose_view(stage, tale), light, random)
    content = (
        backdrop.background
        + _draw_middle(stage, tale, look, random)
        + backdrop.foreground
        + _draw_night_overlay(light)
    )
    content = _zoom(content, stage)
    if take % 2:
        content = f'<g transform="translate(1000 0) scale(-1 1)">{content}</g>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1000">'
        f"<defs>{build_definitions(light)}</defs>{content}</svg>"
    )


def _zoom(content: str, stage: Stage) -> str:
    """Zoom in on the stage's focus, which stays in place."""
    if stage.zoom <= 1:
        return content
    x, y = (value * (1 - stage.zoom) for value in stage.focus)
    return f'<g transform="translate({x:.1f} {y:.1f}) scale({stage.zoom})">{content}</g>'


def _choose_view(stage: Stage, tale: Tale) -> str:
    return {
        "home": "home",
        "bed": "bedroom",
        "road": "meadow" if tale.land_view not in {"space", "moon", "sea"} else tale.land_view,
        "land": tale.land_view,
        "peril": tale.peril_view,
        "goal": tale.land_view if tale.peril_view != "mountain" else "meadow",
    }[stage.view]


def _choose_light(stage: Stage, tale: Tale, take: int) -> str:
    if stage.view in {"land", "peril", "goal"} and tale.land_view in {"night", "nightwood"}:
        return "night"
    if take and stage.light in {"morning", "day", "golden"}:
        times = ("morning", "day", "golden")
        return times[(times.index(stage.light) + take) % 3]
    return stage.light


def _draw_middle(stage: Stage, tale: Tale, look: Look, random: Random) -> str:
    """Draw the figures and props between background and foreground."""
    if stage.view == "bed":
        return _draw_bed(look) + _draw_prop(stage, tale)
    is_afloat = _choose_view(stage, tale) in _FLOATING
    parts = []
    if stage.has_obstacle:
        parts.append(draw_obstacle(tale.obstacle_prop))
    elif stage.view == "peril":
        parts.append(draw_overcome_obstacle(tale.obstacle_prop))
    if stage.has_confetti:
        parts.append(_draw_confetti(random))
    parts.append(_draw_prop(stage, tale))
    parts.append(_draw_figures(stage, tale, look, is_afloat=is_afloat))
    return "".join(parts)


def _draw_figures(stage: Stage, tale: Tale, look: Look, *, is_afloat: bool) -> str:
    ground = 862 if is_afloat else 900
    child = draw_child(look, stage.pose, stage.face)
    scale = 1.28 * look.scale * min(stage.zoom, 1)
    facing_left = stage.helper_x is not None and stage.helper_x < stage.child_x and stage.pose == "sit"
    parts = []
    if not is_afloat:
        lift = 58 if stage.pose == "jump" else 0
        parts.append(ellipse(stage.child_x, ground + 4, 92 - lift * 0.4, 15, "#2b2f44", opacity=0.2))
    if stage.helper_x is not None:
        parts.append(_draw_helper(stage, tale, ground, is_afloat=is_afloat))
    parts.append(group(child, x=stage.child_x, y=ground - 6, scale=scale, flip=facing_left))
    if stage.pose == "hold" and stage.prop == "gift":
        parts.append(draw_prop(tale.gift_prop, stage.child_x, ground - 6 - 468 * look.scale, 1.1))
    if is_afloat:
        parts.append(_draw_boat(stage))
    return "".join(parts)


def _draw_helper(stage: Stage, tale: Tale, ground: float, *, is_afloat: bool) -> str:
    assert stage.helper_x is not None
    swims = is_afloat and tale.helper_kind in _IN_WATER
    x = 790 if swims and not stage.has_obstacle else 120 if swims else stage.helper_x
    y = ground + 46 if swims else ground
    jump = 44 if stage.mood == "joy" and not is_afloat else 0
    shadow = "" if is_afloat else ellipse(x, ground + 4, 84, 14, "#2b2f44", opacity=0.2)
    figure = group(
        draw_helper(tale.helper_kind, stage.mood), x=x, y=y - jump, scale=1.28, flip=x > stage.child_x
    )
    return shadow + figure


def _draw_boat(stage: Stage) -> str:
    others = [stage.helper_x] if stage.helper_x is not None else []
    middle = (stage.child_x + sum(others)) / (1 + len(others))
    half = 190 + (abs(stage.child_x - others[0]) / 2 if others else 20)
    left, right = middle - half, middle + half
    hull = path(
        f"M{left:.0f} 820 Q{middle:.0f} 850 {right:.0f} 820 "
        f"Q{right - 30:.0f} 950 {right - 90:.0f} 960 L{left + 90:.0f} 960"
        f" Q{left + 30:.0f} 950 {left:.0f} 820 Z",
        "#d9563f",
    )
    return (
        hull
        + line(f"M{left + 2:.0f} 824 Q{middle:.0f} 854 {right - 2:.0f} 824", "#f6dfb6", 13)
        + line(f"M{left + 42:.0f} 895 Q{middle:.0f} 915 {right - 42:.0f} 895", shade("#d9563f", 0.82), 6)
    )


def _draw_prop(stage: Stage, tale: Tale) -> str:
    x, y = stage.prop_at
    match stage.prop:
        case "sign":
            return circle(x, y, 110, "url(#warm)") + draw_prop(tale.sign_prop, x, y, 1.1, turn=-8)
        case "gift" if stage.pose != "hold":
            return draw_prop(tale.gift_prop, x, y, 0.9)
        case "wish":
            dream = (
                draw_cloud(690, 290, 2.0, "#ffffff", 0.95)
                + circle(665, 430, 19, "#ffffff")
                + circle(652, 474, 11, "#ffffff")
            )
            return (
                dream
                + draw_star(600, 262, 32)
                + draw_star(776, 250, 24)
                + draw_prop(tale.gift_prop, 690, 258, 0.95)
            )
        case _:
            return ""


def _draw_confetti(random: Random) -> str:
    colours = ("#f6c544", "#ee8fae", "#7fd0c4", "#ffffff", "#f08a3c", "#b79ad6")
    parts = []
    for index in range(44):
        x, y = random.uniform(30, 970), random.uniform(40, 620)
        colour = colours[index % len(colours)]
        parts.append(
            draw_star(x, y, random.uniform(6, 12), colour)
            if index % 3 == 0
            else ellipse(
                x, y, 9, 4.5, colour, transform=f"rotate({random.uniform(0, 180):.0f} {x:.0f} {y:.0f})"
            )
        )
    return "".join(parts)


def _draw_bed(look: Look) -> str:
    frame = (
        rect(60, 520, 40, 380, "#8a5f43", rx=16)
        + rect(86, 640, 800, 200, "#b98a63", rx=20)
        + rect(870, 610, 40, 290, "#8a5f43", rx=16)
    )
    pillow = path(
        "M110 600 Q120 560 240 568 Q370 556 380 606 Q392 680 370 690 L120 690 Q100 650 110 600 Z", "#fbf6ea"
    )
    head = group(draw_head(replace(look, hat=None), "asleep"), x=250, y=590, scale=1.25 * look.scale, turn=-8)
    blanket = path(
        "M190 672 Q330 640 480 668 Q660 630 890 668 L890 846 L170 846 Q160 740 190 672 Z", look.clothes
    ) + "".join(
        draw_star(x, y, 17, shade(look.clothes, 1.5))
        for x, y in ((290, 760), (420, 720), (540, 790), (660, 725), (780, 785))
    )
    hem = line("M190 678 Q330 646 480 674 Q660 636 888 674", "#fbf6ea", 22)
    hand = circle(372, 672, 19, look.skin)
    return ellipse(490, 892, 440, 26, "#2b2f44", opacity=0.2) + frame + pillow + head + blanket + hem + hand


def _draw_night_overlay(light: str) -> str:
    """Darken the whole picture at dusk and night."""
    night = LIGHTS[light].night
    return rect(0, 0, 1000, 1000, "#1b2360", opacity=round(night * 0.3, 3)) if night > 0.2 else ""
