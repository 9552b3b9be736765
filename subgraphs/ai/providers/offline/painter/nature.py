"""Elements of backdrops: light, sky, hills, trees and houses, on a canvas of 1000 by 1000 units."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from subgraphs.ai.providers.offline.painter.shapes import (
    circle,
    ellipse,
    group,
    line,
    path,
    polygon,
    rect,
    shade,
)


@dataclass(frozen=True, slots=True)
class Light:
    """A time of day: the sky's colours, its sun or moon, and the opacity of the night over the land."""

    top: str
    bottom: str
    disc: str
    disc_at: tuple[float, float]
    disc_size: float
    night: float


LIGHTS = {
    "morning": Light("#9fd8ee", "#fdeccf", "#fff0b8", (770, 230), 66, 0),
    "day": Light("#74c3e8", "#e4f5f3", "#fff3bf", (800, 170), 70, 0),
    "golden": Light("#f7b074", "#fdeebc", "#fff0b0", (730, 330), 88, 0.06),
    "dusk": Light("#6c629f", "#f2a488", "#ffd6a0", (240, 430), 74, 0.24),
    "night": Light("#182350", "#46558f", "#fdf3cf", (760, 190), 62, 0.42),
    "dawn": Light("#f3a6a0", "#fdebca", "#fff1c4", (280, 340), 78, 0.05),
}


def draw_sky(light: Light, random: Random, *, clouds: int = 3) -> str:
    """Draw the sky with its sun or moon, and clouds."""
    x, y = light.disc_at
    parts = [rect(0, 0, 1000, 1000, "url(#sky)")]
    if light.night > 0.3:
        parts.append(draw_stars(random, 70, 560))
    parts.append(circle(x, y, light.disc_size * 3.1, "url(#halo)", opacity=0.75))
    parts.append(
        _draw_crescent(x, y, light) if light.night > 0.3 else circle(x, y, light.disc_size, light.disc)
    )
    tone = "#ffffff" if light.night < 0.2 else shade(light.bottom, 1.15)
    for index in range(clouds):
        across = 120 + index * 300 + random.uniform(-70, 70)
        parts.append(draw_cloud(across, random.uniform(90, 300), random.uniform(0.7, 1.15), tone, 0.8))
    return "".join(parts)


def _draw_crescent(x: float, y: float, light: Light) -> str:
    r = light.disc_size
    return group(
        path(f"M0 {-r} A{r} {r} 0 1 0 {r} 0 A{r * 0.8:.0f} {r * 0.8:.0f} 0 0 1 0 {-r} Z", light.disc),
        x=x,
        y=y,
        turn=20,
    )


def draw_cloud(x: float, y: float, scale: float, colour: str, opacity: float = 1) -> str:
    """Draw a cloud."""
    puffs = (
        ellipse(0, 0, 90, 34, colour)
        + circle(-44, -16, 34, colour)
        + circle(4, -34, 46, colour)
        + circle(52, -14, 32, colour)
    )
    return f'<g opacity="{opacity}">{group(puffs, x=x, y=y, scale=scale)}</g>'


def draw_stars(random: Random, count: int, depth: float) -> str:
    """Draw stars between the upper edge and `depth`."""
    return "".join(
        circle(
            random.uniform(10, 990),
            random.uniform(10, depth),
            random.uniform(1.2, 4.2),
            "#fff7dc",
            opacity=round(random.uniform(0.5, 1), 2),
        )
        for _ in range(count)
    )


def draw_hills(random: Random, y: float, height: float, colour: str) -> str:
    """Draw a rolling line of hills down to the bottom edge."""
    first, second = random.uniform(-height, 0), random.uniform(-height, height * 0.3)
    return path(
        f"M-10 {y:.0f} C150 {y + first * 1.4:.0f} 300 {y + first:.0f} 470 {y:.0f} "
        f"S800 {y + second * 1.5:.0f} 1010 {y + second * 0.4:.0f} L1010 1010 L-10 1010 Z",
        colour,
    )


def draw_tree(x: float, y: float, scale: float, leaf: str, trunk: str, kind: int) -> str:
    """Draw a tree of one of three kinds: round, fir or poplar."""
    stem = path("M-13 0 Q-7 -80 -9 -150 L9 -150 Q7 -80 15 0 Z", trunk)
    if kind == 0:
        crown = (
            circle(0, -210, 86, leaf)
            + circle(-58, -168, 58, shade(leaf, 0.93))
            + circle(60, -170, 60, shade(leaf, 0.93))
            + circle(-22, -236, 40, shade(leaf, 1.12))
        )
    elif kind == 1:
        crown = "".join(
            polygon(
                [(-width, -70 - step * 72), (width, -70 - step * 72), (0, -210 - step * 66)],
                shade(leaf, 0.9 + step * 0.08),
            )
            for step, width in enumerate((96, 78, 58))
        )
    else:
        crown = ellipse(0, -210, 70, 116, leaf) + ellipse(-18, -230, 34, 62, shade(leaf, 1.1))
    return group(stem + crown, x=x, y=y, scale=scale)


def draw_flowers(random: Random, count: int, top: float, bottom: float) -> str:
    """Draw flowers, smaller where they are further away."""
    colours = ("#f7d35e", "#ee8fae", "#ffffff", "#d9483b", "#b79ad6")
    parts = []
    for _ in range(count):
        x, y = random.uniform(0, 1000), random.uniform(top, bottom)
        size = 4 + (y - top) / max(1, bottom - top) * 7
        colour = colours[random.randrange(len(colours))]
        parts.append(line(f"M{x:.0f} {y:.0f} l0 {size * 3:.0f}", "#3f8152", 3))
        parts.extend(
            circle(x + dx * size, y + dy * size, size * 0.72, colour)
            for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1))
        )
        parts.append(circle(x, y, size * 0.6, "#f0a63a"))
    return "".join(parts)


def draw_grass(random: Random, colour: str, count: int = 26) -> str:
    """Draw blades of grass along the lower edge."""
    parts = []
    for index in range(count):
        x = index * (1000 / count) + random.uniform(-14, 14)
        height = random.uniform(40, 96)
        parts.append(
            path(
                f"M{x - 9:.0f} 1010 Q{x - 4:.0f} {1000 - height * 0.6:.0f} "
                f"{x + random.uniform(-24, 24):.0f} {1000 - height:.0f} "
                f"Q{x + 7:.0f} {1000 - height * 0.5:.0f} {x + 11:.0f} 1010 Z",
                shade(colour, random.uniform(0.82, 1.06)),
            )
        )
    return "".join(parts)


def draw_night(light: Light) -> str:
    """Draw an overlay that darkens the land but not the sky."""
    return rect(0, 0, 1000, 1000, "url(#nightfall)", opacity=light.night) if light.night else ""


def pick_leaf(random: Random) -> str:
    """Choose a leaf colour."""
    return ("#5fa56a", "#4c9a72", "#79b35f", "#3f8f6b")[random.randrange(4)]


def draw_mushrooms(random: Random) -> str:
    """Draw red mushrooms at the foot of the trees."""
    parts = []
    for x in (90, 150, 860, 925):
        y, size = random.uniform(835, 900), random.uniform(0.7, 1.15)
        cap = (
            path("M-34 0 Q-30 -42 0 -42 Q30 -42 34 0 Z", "#d9563f")
            + circle(-12, -18, 6, "#fff3df")
            + circle(12, -24, 5, "#fff3df")
        )
        parts.append(group(rect(-9, -4, 18, 34, "#f6e7cf", rx=7) + cap, x=x, y=y, scale=size))
    return "".join(parts)


def draw_house(
    x: float, y: float, width: float, height: float, colour: str, light: Light, random: Random
) -> str:
    """Draw a town house."""
    lit = "#ffe39a" if light.night > 0.15 else "#d7ecf2"
    roof = polygon(
        [
            (x - 14, y - height),
            (x + width + 14, y - height),
            (x + width / 2, y - height - random.uniform(70, 110)),
        ],
        shade(colour, 0.66),
    )
    wall = rect(x, y - height, width, height, colour)
    windows = "".join(
        rect(
            x + 20 + column * 60,
            y - height + 26 + row * 74,
            36,
            44,
            lit,
            rx=6,
            stroke="#ffffff",
            stroke_width=4,
        )
        for row in range(max(1, int(height // 105)))
        for column in range(2)
    )
    return roof + wall + windows + rect(x + width / 2 - 18, y - 62, 36, 62, shade(colour, 0.5), rx=14)
