"""The backdrops: background and foreground of each view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from subgraphs.ai.providers.offline.painter.nature import (
    LIGHTS,
    Light,
    draw_cloud,
    draw_flowers,
    draw_grass,
    draw_hills,
    draw_house,
    draw_mushrooms,
    draw_night,
    draw_sky,
    draw_stars,
    draw_tree,
    pick_leaf,
)
from subgraphs.ai.providers.offline.painter.shapes import (
    circle,
    ellipse,
    glow,
    gradient,
    group,
    line,
    path,
    polygon,
    rect,
    shade,
)


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What is drawn behind the figures, and in front of them."""

    background: str
    foreground: str


def paint_backdrop(view: str, time: str, random: Random) -> Backdrop:
    """Paint a view at a time of day."""
    return _VIEWS[view](LIGHTS[time], random)


def build_definitions(time: str) -> str:
    """Build the gradient definitions used by all views."""
    light = LIGHTS[time]
    nightfall = (
        '<linearGradient id="nightfall" x1="0" y1="0" x2="0" y2="1"><stop offset="0.3" stop-color="#15194a" '
        'stop-opacity="0"/><stop offset="0.66" stop-color="#15194a"/></linearGradient>'
    )
    return (
        gradient("sky", light.top, light.bottom)
        + glow("halo", light.disc)
        + glow("warm", "#ffe6a3")
        + nightfall
    )


def _draw_forest(light: Light, random: Random) -> Backdrop:
    background = draw_sky(light, random, clouds=2) + draw_hills(random, 560, 60, "#a7cfae")
    for index in range(9):
        background += draw_tree(
            index * 125 + random.uniform(-30, 30),
            680,
            random.uniform(0.9, 1.3),
            "#8fc19b",
            "#8d9c80",
            random.randrange(3),
        )
    background += draw_hills(random, 660, 30, "#83b985")
    for x in (40, 190, 815, 960):
        background += draw_tree(
            x + random.uniform(-20, 20),
            800,
            random.uniform(1.5, 1.95),
            pick_leaf(random),
            "#7b5a45",
            random.randrange(3),
        )
    background += draw_hills(random, 770, 24, "#6aa86f") + path(
        "M420 1010 Q470 880 455 800 L545 800 Q560 890 640 1010 Z", "#dcc79a"
    )
    background += draw_mushrooms(random) + draw_night(light)
    return Backdrop(background, draw_grass(random, "#4f9360"))


def _draw_meadow(light: Light, random: Random) -> Backdrop:
    background = (
        draw_sky(light, random)
        + draw_hills(random, 590, 90, "#b5d7a2")
        + draw_hills(random, 660, 60, "#9bc987")
    )
    background += draw_tree(130, 720, 1.05, "#6fae62", "#84624a", 0) + draw_tree(
        890, 700, 0.8, "#7fb869", "#84624a", 2
    )
    background += (
        draw_hills(random, 750, 34, "#7fb96f") + draw_flowers(random, 46, 770, 985) + draw_night(light)
    )
    return Backdrop(background, draw_grass(random, "#5f9f57"))


def _draw_town(light: Light, random: Random) -> Backdrop:
    background = draw_sky(light, random) + draw_hills(random, 600, 60, "#a9cfa3")
    colours = ("#e9a27c", "#e6c27a", "#9cc0b8", "#d98f8f", "#b7a6cf")
    for index in range(6):
        x, height = 30 + index * 165 + random.uniform(-14, 14), random.uniform(190, 290)
        background += draw_house(x, 745, 140, height, colours[index % 5], light, random)
    background += draw_hills(random, 765, 12, "#8cbd7d") + path(
        "M-10 860 Q500 810 1010 860 L1010 1010 L-10 1010 Z", "#e3d2b0"
    )
    return Backdrop(background + draw_night(light), "")


def _draw_home(light: Light, random: Random) -> Backdrop:
    background = (
        draw_sky(light, random)
        + draw_hills(random, 600, 80, "#b2d6a5")
        + draw_hills(random, 680, 40, "#97c688")
    )
    background += draw_tree(900, 770, 1.3, "#69aa63", "#84624a", 0)
    house = (
        rect(236, -322, 44, 96, "#b5654f")
        + rect(0, -230, 330, 230, "#f6dfb6")
        + polygon([(-34, -220), (364, -220), (165, -372)], "#c8604a")
        + circle(165, -272, 30, "#d7ecf2", stroke="#ffffff", stroke_width=8)
        + rect(40, -170, 76, 76, "#d7ecf2", rx=8, stroke="#ffffff", stroke_width=8)
        + line("M78 -170 L78 -94 M40 -132 L116 -132", "#ffffff", 5)
        + rect(196, -126, 92, 126, "#3f7fc1", rx=46)
        + circle(268, -58, 7, "#f6c544")
        + ellipse(78, -84, 52, 12, "#d9698a")
    )
    background += group(house, x=70, y=770, scale=1.12)
    background += draw_hills(random, 765, 14, "#82bb72") + path(
        "M300 1010 Q330 880 318 780 L420 780 Q480 880 560 1010 Z", "#e6d3ab"
    )
    background += draw_flowers(random, 26, 800, 985) + draw_night(light)
    return Backdrop(background, draw_grass(random, "#66a65c", 18))


def _draw_sea(light: Light, random: Random) -> Backdrop:
    water = "#3f9fc0" if light.night < 0.2 else "#2d6a9a"
    background = draw_sky(light, random) + rect(0, 560, 1000, 450, water)
    background += path(
        "M620 565 Q690 470 780 520 Q850 440 960 565 Z", shade("#7fb58a", 1 - light.night)
    ) + path("M60 565 Q120 510 200 565 Z", shade("#8dbd93", 1 - light.night))
    for row in range(8):
        y = 590 + row * 42
        for _ in range(5):
            x = random.uniform(-20, 980)
            background += line(
                f"M{x:.0f} {y:.0f} q18 -12 36 0 q18 12 36 0", shade(water, 1.3), 4, opacity=0.6
            )
    x, _ = light.disc_at
    background += "".join(
        ellipse(x, 585 + step * 34, 70 - step * 9, 6, light.disc, opacity=0.55) for step in range(5)
    )
    wave = path(
        "M-10 905 q60 -44 125 0 t125 0 t125 0 t125 0 t125 0 t125 0 t125 0 t125 0 L1010 1010 L-10 1010 Z",
        shade(water, 0.84),
    )
    crest = line(
        "M-10 905 q60 -44 125 0 t125 0 t125 0 t125 0 t125 0 t125 0 t125 0 t125 0", shade(water, 1.5), 7
    )
    return Backdrop(background, wave + crest)


def _draw_mountain(light: Light, random: Random) -> Backdrop:
    background = draw_sky(light, random)
    for x, height, colour in ((180, 380, "#9fb0cc"), (780, 440, "#8fa2c2"), (480, 330, "#b1bed5")):
        background += polygon([(x - 320, 700), (x + 320, 700), (x, 700 - height)], colour)
        top = 700 - height
        background += polygon(
            [
                (x, top),
                (x - 80, top + 110),
                (x - 34, top + 92),
                (x, top + 122),
                (x + 36, top + 90),
                (x + 80, top + 110),
            ],
            "#f6f8fb",
        )
    background += draw_hills(random, 670, 50, "#93b88d")
    for x in (60, 170, 870, 960):
        background += draw_tree(x, 770, random.uniform(0.8, 1.15), "#4f8f6e", "#6d5341", 1)
    background += draw_hills(random, 770, 30, "#7aa974") + "".join(
        ellipse(
            random.uniform(0, 1000),
            random.uniform(830, 960),
            random.uniform(16, 44),
            random.uniform(10, 22),
            "#a5a9ad",
        )
        for _ in range(7)
    )
    return Backdrop(background + draw_night(light), draw_grass(random, "#5d8f5a", 16))


def _draw_desert(light: Light, random: Random) -> Backdrop:
    background = (
        draw_sky(light, random, clouds=1)
        + draw_hills(random, 620, 60, "#d9c08a")
        + draw_hills(random, 720, 40, "#cfae75")
    )
    background += path("M-10 780 Q500 740 1010 780 L1010 1010 L-10 1010 Z", "#c39c63")
    for _ in range(16):
        x, y = random.uniform(0, 1000), random.uniform(800, 985)
        background += line(
            f"M{x:.0f} {y:.0f} l26 12 l18 -16 l30 10 m-48 6 l-6 24", "#94703f", 5, opacity=0.75
        )
    return Backdrop(background + draw_night(light), "")


def _draw_night_hills(light: Light, random: Random) -> Backdrop:
    dark = LIGHTS["night"]
    background = draw_sky(dark, random, clouds=2) if light.night < 0.3 else draw_sky(light, random, clouds=2)
    for y, colour in ((600, "#6d78b8"), (690, "#7f8ac6"), (780, "#95a0d6")):
        background += draw_hills(random, y, 70, colour)
    for index in range(7):
        background += draw_cloud(
            index * 165 + random.uniform(-30, 30), 930 + random.uniform(-30, 20), 1.25, "#dfe3f6", 0.95
        )
    return Backdrop(
        background, "".join(draw_cloud(index * 260, 1000, 1.4, "#f1f2fb", 0.95) for index in range(5))
    )


def _draw_night_wood(light: Light, random: Random) -> Backdrop:
    del light
    wood = _draw_forest(LIGHTS["night"], random)
    lights = "".join(
        circle(x := random.uniform(40, 960), y := random.uniform(300, 860), 17, "url(#warm)")
        + circle(x, y, 4.5, "#fff2b8")
        for _ in range(26)
    )
    return Backdrop(wood.background + lights, draw_grass(random, "#27476b"))


def _draw_space(light: Light, random: Random) -> Backdrop:
    del light
    background = rect(0, 0, 1000, 1000, "#171b45") + ellipse(
        420, 380, 560, 190, "#3b3a84", opacity=0.55, transform="rotate(-24 420 380)"
    )
    background += ellipse(
        470, 360, 430, 90, "#6a57a8", opacity=0.4, transform="rotate(-24 470 360)"
    ) + draw_stars(random, 150, 990)
    background += circle(190, 210, 92, "#e8926b") + ellipse(
        190, 210, 158, 30, "none", stroke="#f6d49b", stroke_width=14, transform="rotate(-16 190 210)"
    )
    background += path("M98 206 A92 92 0 0 1 282 206 Z", "#e8926b", transform="rotate(-16 190 210)")
    background += (
        circle(800, 160, 58, "#6fc0c4")
        + ellipse(788, 150, 30, 14, "#8fd6d3")
        + circle(820, 180, 9, "#58a8ae")
    )
    background += (
        circle(880, 470, 30, "#d98fb4")
        + line("M560 130 L700 60", "#fff2c4", 6, opacity=0.7)
        + circle(556, 133, 9, "#fff2c4")
    )
    background += ellipse(500, 1090, 820, 300, "#8f7fc4") + ellipse(500, 1100, 790, 280, "#9f90d2")
    background += "".join(
        ellipse(x, y, rx, rx * 0.36, "#8474ba")
        for x, y, rx in ((150, 920, 60), (820, 900, 74), (610, 960, 50), (360, 975, 34))
    )
    return Backdrop(background, "")


def _draw_moon(light: Light, random: Random) -> Backdrop:
    del light
    background = rect(0, 0, 1000, 1000, "#141a40") + draw_stars(random, 160, 800)
    background += circle(210, 230, 120, "#4f9fd0") + path(
        "M130 180 q50 -50 90 -14 q20 40 -30 50 q-50 20 -60 -36 Z "
        "M220 270 q60 -30 84 10 q-20 60 -70 50 q-30 -20 -14 -60 Z",
        "#7fbf7f",
    )
    background += draw_hills(random, 690, 60, "#b9bccb") + path(
        "M-10 780 Q500 720 1010 780 L1010 1010 L-10 1010 Z", "#d4d6e0"
    )
    background += "".join(
        ellipse(x, y, rx, rx * 0.34, "#b4b7c8") + ellipse(x, y + 4, rx * 0.86, rx * 0.26, "#c3c6d4")
        for x, y, rx in ((120, 850, 80), (840, 830, 96), (660, 930, 66), (300, 940, 48))
    )
    return Backdrop(background, "")


def _draw_bedroom(light: Light, random: Random) -> Backdrop:
    background = rect(0, 0, 1000, 1000, "#5d6aa6") + "".join(
        circle(60 + (index % 8) * 125 + (index // 8 % 2) * 60, 60 + index // 8 * 110, 7, "#7783ba")
        for index in range(56)
    )
    background += (
        rect(580, 150, 300, 330, "#182350", rx=16)
        + f'<svg x="580" y="150" width="300" height="330" viewBox="0 0 300 330">{draw_stars(random, 40, 320)}'
        + "</svg>"
    )
    background += circle(790, 240, 50, "#fdf3cf") + circle(770, 228, 44, "#182350")
    background += rect(580, 150, 300, 330, "none", rx=16, stroke="#f3e3c3", stroke_width=18) + line(
        "M730 150 L730 480 M580 315 L880 315", "#f3e3c3", 10
    )
    background += (
        rect(556, 478, 348, 30, "#f3e3c3", rx=10)
        + rect(0, 800, 1000, 210, "#a9785a")
        + ellipse(500, 930, 470, 60, "#c9657a")
    )
    background += path(
        "M560 150 Q520 320 556 500 L500 500 Q490 300 510 140 Z "
        "M900 150 Q940 320 904 500 L962 500 Q972 300 950 140 Z",
        "#d98f8f",
    )
    return Backdrop(background, "")


_VIEWS: dict[str, Callable[[Light, Random], Backdrop]] = {
    "home": _draw_home,
    "bedroom": _draw_bedroom,
    "forest": _draw_forest,
    "nightwood": _draw_night_wood,
    "meadow": _draw_meadow,
    "town": _draw_town,
    "sea": _draw_sea,
    "mountain": _draw_mountain,
    "desert": _draw_desert,
    "night": _draw_night_hills,
    "space": _draw_space,
    "moon": _draw_moon,
}
