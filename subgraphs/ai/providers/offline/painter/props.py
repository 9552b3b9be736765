"""The props of the tales, drawn around the origin, and the obstacles, drawn in place."""

from __future__ import annotations

import math

from subgraphs.ai.providers.offline.painter.nature import draw_cloud
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


def draw_star(x: float, y: float, size: float, colour: str = "#f9cf57") -> str:
    """Draw a five-pointed star with rounded corners."""
    points = [
        (
            x + math.sin(turn * math.pi / 5) * size * (1 if turn % 2 == 0 else 0.48),
            y - math.cos(turn * math.pi / 5) * size * (1 if turn % 2 == 0 else 0.48),
        )
        for turn in range(10)
    ]
    return polygon(points, colour, stroke=colour, stroke_width=size * 0.22, stroke_linejoin="round")


_PROPS = {
    "boat": polygon([(-52, 4), (52, 4), (34, 32), (-34, 32)], "#fdf6e6")
    + polygon([(-6, 2), (-6, -56), (38, 2)], "#f3e2c0")
    + polygon([(-8, 2), (-8, -50), (-38, 2)], "#e9d3a6"),
    "bottle": rect(-20, -34, 40, 70, "#78b98f", rx=15, opacity=0.9)
    + rect(-9, -58, 18, 28, "#78b98f", rx=5)
    + rect(-10, -68, 20, 15, "#b48150", rx=4)
    + rect(-10, -20, 20, 42, "#fdf3d8", rx=8),
    "kite": polygon([(0, -62), (44, 0), (0, 62), (-44, 0)], "#f6c544")
    + polygon([(0, -62), (44, 0), (0, 0)], "#e0783c")
    + line("M0 62 Q22 92 2 116 Q-18 138 8 160", "#d9698a", 5),
    "letter": rect(-48, -32, 96, 64, "#fdf6e6", rx=6)
    + line("M-46 -28 L0 8 L46 -28", "#d9b98a", 5)
    + circle(0, 8, 10, "#d9483b"),
    "feather": path("M-8 58 Q-40 -10 12 -66 Q42 -4 -2 50 Z", "#8fc7ea")
    + line("M-12 70 Q-4 0 10 -48", "#ffffff", 4.5),
    "lantern": line("M-22 -42 Q0 -76 22 -42", "#7a5a45", 7)
    + rect(-30, -44, 60, 13, "#7a5a45", rx=5)
    + circle(0, 0, 72, "url(#warm)")
    + rect(-25, -32, 50, 62, "#ffe9a8", rx=8)
    + path("M0 20 Q-16 2 0 -22 Q16 2 0 20 Z", "#f0913a")
    + rect(-30, 28, 60, 13, "#7a5a45", rx=5),
    "star": circle(0, 0, 86, "url(#warm)") + draw_star(0, 0, 42),
    "firefly": circle(0, 0, 70, "url(#warm)")
    + ellipse(0, 8, 11, 17, "#f9df7a")
    + circle(0, -12, 10, "#4a3f3a")
    + ellipse(-14, -4, 13, 7, "#e8f3fa", opacity=0.9)
    + ellipse(14, -4, 13, 7, "#e8f3fa", opacity=0.9),
    "seed": circle(0, 0, 62, "url(#warm)")
    + ellipse(0, 4, 25, 30, "#a5744a")
    + ellipse(-8, -6, 8, 12, "#c79a6b")
    + path("M0 -24 Q4 -52 28 -54 Q24 -30 0 -24 Z", "#79b35f"),
    "shell": path("M0 40 Q-60 18 -46 -28 Q-24 -54 0 -54 Q24 -54 46 -28 Q60 18 0 40 Z", "#f3b7a4")
    + line("M0 38 L0 -50 M0 38 L-28 -42 M0 38 L28 -42 M0 38 L-46 -18 M0 38 L46 -18", "#d98a78", 4),
    "rocket": path("M-34 52 Q-44 -40 0 -92 Q44 -40 34 52 Z", "#f4f0e6")
    + path("M0 -92 Q-22 -66 -28 -42 L28 -42 Q22 -66 0 -92 Z", "#d9483b")
    + circle(0, -6, 18, "#7fc4e0", stroke="#5b6470", stroke_width=6)
    + path("M-34 20 L-64 66 L-32 54 Z M34 20 L64 66 L32 54 Z", "#d9483b")
    + path("M-18 56 Q0 118 18 56 Z", "#f7b23f"),
    "ladder": line("M-30 70 L-18 -90 M30 70 L42 -90", "#fdf3cf", 8)
    + line("M-26 40 L34 40 M-23 4 L36 4 M-21 -32 L38 -32 M-18 -66 L40 -66", "#fdf3cf", 7),
    "acorn": circle(0, 0, 72, "url(#warm)")
    + path("M-28 -8 Q-28 40 0 52 Q28 40 28 -8 Z", "#e2a83e")
    + path("M-36 -6 Q-32 -38 0 -38 Q32 -38 36 -6 Z", "#9a6a43")
    + line("M0 -38 L4 -54", "#7a4f30", 7),
    "bell": circle(0, 0, 66, "url(#warm)")
    + path("M-36 26 Q-26 10 -26 -14 Q-24 -42 0 -42 Q24 -42 26 -14 Q26 10 36 26 Z", "#f0bd48")
    + circle(0, 34, 10, "#b98524")
    + circle(0, -46, 8, "#b98524"),
    "pebble": circle(0, 0, 80, "url(#warm)")
    + ellipse(0, 4, 32, 25, "#fdf0c2")
    + ellipse(-8, -4, 12, 7, "#ffffff"),
    "flower": line("M0 70 Q-4 30 0 0", "#4f9360", 8)
    + path("M0 44 Q34 34 40 12 Q8 12 0 44 Z", "#6aaf6c")
    + "".join(ellipse(0, -27, 15, 25, "#ee8fae", transform=f"rotate({turn * 60})") for turn in range(6))
    + circle(0, 0, 17, "#f7d35e"),
}


def draw_prop(key: str, x: float, y: float, scale: float = 1, turn: float = 0) -> str:
    """Draw a prop at a point."""
    return group(_PROPS[key], x=x, y=y, scale=scale, turn=turn)


def draw_obstacle(key: str) -> str:
    """Draw an obstacle, in the right half of the picture."""
    return _OBSTACLES[key]


def draw_overcome_obstacle(key: str) -> str:
    """Draw what remains of an obstacle after it is overcome."""
    return _OVERCOME_OBSTACLES.get(key, "")


def _draw_stream() -> str:
    banks = path(
        "M560 780 Q700 800 640 880 Q600 950 690 1010 L1010 1010 L1010 760 Q800 740 560 780 Z", "#4fa3cf"
    )
    return (
        banks
        + "".join(
            line(f"M{x} {y} q26 -14 52 0 q26 14 52 0", "#bfe4f4", 6)
            for x, y in ((690, 810), (820, 800), (700, 880), (840, 870), (760, 950), (890, 940))
        )
        + "".join(ellipse(x, y, 34, 15, "#9aa3a8") for x, y in ((700, 850), (800, 905), (905, 840)))
    )


def _draw_hedge() -> str:
    leaves = "".join(
        circle(
            640 + (index * 61) % 390,
            330 + (index * 97) % 470,
            62,
            ("#3f7f56", "#4c8f60", "#37714d")[index % 3],
        )
        for index in range(44)
    )
    return leaves + "".join(
        line(f"M{x} {y} l16 -26 l12 28", "#27553a", 6)
        for x, y in ((640, 420), (740, 360), (850, 470), (690, 600), (800, 690), (930, 560), (900, 340))
    )


def _draw_gate() -> str:
    bars = "".join(
        rect(664 + index * 46, 420, 16, 400, "#5b5470", rx=8) + circle(672 + index * 46, 412, 15, "#e9b949")
        for index in range(6)
    )
    return (
        rect(610, 360, 44, 470, "#a08f86", rx=10)
        + rect(930, 360, 44, 470, "#a08f86", rx=10)
        + bars
        + rect(640, 500, 300, 18, "#5b5470")
        + rect(640, 720, 300, 18, "#5b5470")
    )


def _draw_cave() -> str:
    rock = path("M540 850 Q560 520 690 420 Q800 340 930 410 Q1010 440 1010 850 Z", "#7d8390") + path(
        "M620 850 Q640 600 760 540 Q890 540 920 850 Z", "#262a40"
    )
    return rock + "".join(
        circle(x, y, 6, "#fff2b8") for x, y in ((740, 690), (768, 690), (840, 740), (860, 740))
    )


def _draw_growler() -> str:
    face = (
        circle(-30, -10, 11, "#ffffff")
        + circle(30, -10, 11, "#ffffff")
        + circle(-28, -8, 5, "#2b2f44")
        + circle(28, -8, 5, "#2b2f44")
        + line("M-48 -30 L-18 -22 M48 -30 L18 -22 M-20 26 Q0 12 20 26", "#2b2f44", 6)
    )
    rain = "".join(line(f"M{640 + index * 52} 690 l-12 44", "#a7c9e8", 7) for index in range(6))
    return (
        draw_cloud(770, 600, 2.1, "#737b95")
        + group(face, x=776, y=560, scale=1.3)
        + rain
        + polygon(
            [(760, 660), (730, 740), (764, 736), (742, 806), (812, 712), (776, 716), (800, 660)], "#f7d35e"
        )
    )


def _draw_wave() -> str:
    return (
        path("M520 860 Q600 420 860 430 Q970 450 950 560 Q900 500 830 540 Q760 620 860 860 Z", "#3585b0")
        + path("M860 430 Q970 450 950 560 Q900 500 830 540 Q850 480 800 450 Q830 430 860 430 Z", "#e7f5fa")
        + path("M700 870 Q760 600 930 640 Q1010 660 1010 870 Z", "#4a9cc4")
    )


def _draw_gusts() -> str:
    return "".join(
        line(
            f"M{980 - index * 18} {360 + index * 78} "
            "q-140 -46 -250 6 q-70 40 -104 0 q-20 -40 22 -52 q34 0 26 34",
            "#e6ecf9",
            9,
            opacity=0.85,
        )
        for index in range(5)
    ) + "".join(
        ellipse(x, y, 17, 8, "#7fae8f", transform=f"rotate({x} {x} {y})")
        for x, y in ((640, 420), (760, 530), (870, 420), (600, 640), (820, 690))
    )


def _draw_tangle() -> str:
    net = "".join(
        line(f"M{600 + index * 60} 620 Q{640 + index * 54} 720 {590 + index * 64} 850", "#6b5a4a", 6)
        for index in range(7)
    ) + "".join(
        line(f"M580 {650 + index * 50} Q780 {690 + index * 46} 1000 {640 + index * 52}", "#6b5a4a", 6)
        for index in range(5)
    )
    return (
        net
        + rect(690, 650, 44, 66, "#9fc7a3", rx=10)
        + circle(860, 740, 34, "none", stroke="#d9483b", stroke_width=16)
        + rect(790, 790, 60, 34, "#b7bcc4", rx=6)
        + polygon([(920, 660), (968, 650), (960, 708)], "#f0b04f")
    )


def _draw_rocks() -> str:
    spots = (
        (650, 330, 62),
        (800, 250, 84),
        (930, 400, 70),
        (700, 520, 78),
        (870, 590, 88),
        (590, 690, 52),
        (960, 740, 64),
    )
    return "".join(
        circle(x, y, r, "#8a7f93")
        + circle(x - r * 0.3, y - r * 0.25, r * 0.24, "#756a80")
        + circle(x + r * 0.3, y + r * 0.3, r * 0.17, "#756a80")
        for x, y, r in spots
    )


def _draw_crater() -> str:
    return (
        ellipse(760, 850, 230, 74, "#9a9db2")
        + ellipse(760, 862, 200, 58, "#4a4d6b")
        + ellipse(760, 880, 150, 34, "#2b2e4d")
        + draw_star(760, 872, 20)
    )


_OBSTACLES = {
    "river": _draw_stream(),
    "hedge": _draw_hedge(),
    "gate": _draw_gate(),
    "cave": _draw_cave(),
    "cloud": _draw_growler(),
    "wave": _draw_wave(),
    "wind": _draw_gusts(),
    "cracks": "".join(
        line(f"M{x} {y} l40 16 l24 -22 l46 14 m-70 10 l-8 34", "#7d5c31", 9)
        for x, y in ((560, 830), (700, 800), (840, 840), (640, 900), (800, 930), (890, 900))
    ),
    "tangle": _draw_tangle(),
    "rocks": _draw_rocks(),
    "crater": _draw_crater(),
}
_OVERCOME_OBSTACLES = {
    "river": _draw_stream()
    + line("M600 800 Q760 850 960 770", "#8a6a45", 14)
    + line("M604 760 Q760 800 956 726", "#8a6a45", 7),
    "cave": _draw_cave() + circle(770, 700, 150, "url(#warm)"),
    "cloud": draw_cloud(800, 260, 1.3, "#ffffff", 0.95),
    "rocks": "".join(
        circle(x, y, r, shade("#8a7f93", 0.9)) for x, y, r in ((80, 420, 40), (930, 300, 34), (60, 640, 28))
    ),
    "crater": _draw_crater(),
    "gate": rect(610, 360, 44, 470, "#a08f86", rx=10)
    + rect(930, 360, 44, 470, "#a08f86", rx=10)
    + circle(790, 600, 210, "url(#warm)"),
}
