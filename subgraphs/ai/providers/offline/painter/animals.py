"""The helpers, each about 200 units tall, standing at the origin and facing the viewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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

_INK = "#37303a"


@dataclass(frozen=True, slots=True)
class Coat:
    """The colours of a furry helper, and the shape of its ears and tail."""

    fur: str
    belly: str
    ears: str
    tail: str
    nose: str = "#4a3b3f"
    marks: str = ""


_COATS = {
    "fox": Coat("#e0783c", "#fbeedb", "pointed", "bushy", marks="white-ear"),
    "bear": Coat("#9a6b4a", "#d9b48c", "round", "stub"),
    "rabbit": Coat("#c9b299", "#f4e9da", "long", "puff", nose="#d98f8f"),
    "cat": Coat("#8d96a8", "#e8e6e4", "pointed", "curl", nose="#d98f8f", marks="stripes"),
    "dog": Coat("#e5c295", "#fbf1df", "floppy", "curl", marks="spots"),
    "dinosaur": Coat("#6fb06a", "#dbe8a4", "none", "dinosaur", marks="spikes"),
    "dragon": Coat("#4ba591", "#f4dca0", "horns", "dinosaur", marks="wings"),
}


def draw_helper(kind: str, mood: str) -> str:
    """Draw a helper with its feet at (0, 0); `mood` is calm, joy or worried."""
    special: dict[str, Callable[[str], str]] = {
        "owl": _draw_owl,
        "turtle": _draw_turtle,
        "whale": _draw_whale,
        "robot": _draw_robot,
    }
    return special[kind](mood) if kind in special else _draw_furry(_COATS[kind], mood)


def _draw_furry(coat: Coat, mood: str) -> str:
    dark = shade(coat.fur, 0.84)
    wings = ""
    if coat.marks == "wings":
        wings = "".join(
            group(
                path("M0 0 Q60 -80 118 -54 Q98 -30 104 -6 Q78 -14 66 10 Q44 -8 22 14 Z", "#e9a15b"),
                x=side * 34,
                y=-92,
                flip=side < 0,
            )
            for side in (-1, 1)
        )
    spikes = ""
    if coat.marks in {"spikes", "wings"}:
        spikes = "".join(
            polygon([(x - 15, y), (x + 15, y), (x, y - 27)], "#f0b04f")
            for x, y in ((-30, -206), (0, -214), (30, -206))
        )
    arms = {"joy": "M-40 -96 Q-84 -120 -82 -160 M40 -96 Q84 -120 82 -160"}.get(
        mood, "M-40 -92 Q-66 -66 -58 -44 M40 -92 Q66 -66 58 -44"
    )
    body = (
        wings
        + _draw_tail(coat)
        + ellipse(-26, -8, 26, 13, dark)
        + ellipse(26, -8, 26, 13, dark)
        + line(arms, dark, 24)
        + ellipse(0, -62, 54, 60, coat.fur)
        + ellipse(0, -54, 33, 42, coat.belly)
    )
    spots = (
        circle(-38, -66, 12, shade(coat.fur, 0.7)) + circle(30, -156, 15, shade(coat.fur, 0.7))
        if coat.marks == "spots"
        else ""
    )
    return body + spikes + _draw_ears(coat) + _draw_muzzle_head(coat) + spots + _draw_face(mood, coat.nose)


def _draw_tail(coat: Coat) -> str:
    match coat.tail:
        case "bushy":
            return path("M44 -36 Q128 -30 122 -124 Q90 -108 82 -76 Q66 -60 40 -58 Z", coat.fur) + path(
                "M122 -124 Q96 -112 88 -90 Q108 -84 120 -98 Z", coat.belly
            )
        case "puff":
            return circle(56, -34, 22, coat.belly)
        case "curl":
            return line("M46 -30 Q100 -20 96 -70 Q92 -96 74 -88", shade(coat.fur, 0.9), 17)
        case "dinosaur":
            return path("M30 -66 Q84 -12 138 -34 Q104 12 30 -4 Z", coat.fur)
        case _:
            return circle(52, -30, 14, coat.fur)


def _draw_ears(coat: Coat) -> str:
    inner = shade(coat.belly, 0.95)
    match coat.ears:
        case "pointed":
            right = "#fbf4ea" if coat.marks == "white-ear" else coat.fur
            return (
                polygon([(-62, -168), (-20, -204), (-58, -238)], coat.fur)
                + polygon([(-54, -178), (-32, -202), (-54, -220)], inner)
                + polygon([(62, -168), (20, -204), (58, -238)], right)
                + polygon([(54, -178), (32, -202), (54, -220)], inner)
            )
        case "long":
            return "".join(
                ellipse(side * 26, -246, 17, 62, coat.fur, transform=f"rotate({side * 9} {side * 26} -200)")
                + ellipse(side * 26, -244, 8, 46, "#efc6bd", transform=f"rotate({side * 9} {side * 26} -200)")
                for side in (-1, 1)
            )
        case "floppy":
            ears = ellipse(-62, -160, 20, 44, shade(coat.fur, 0.7), transform="rotate(14 -62 -160)")
            return ears + ellipse(56, -204, 20, 40, shade(coat.fur, 0.7), transform="rotate(38 56 -204)")
        case "round":
            return "".join(
                circle(side * 48, -202, 24, coat.fur) + circle(side * 48, -200, 13, coat.belly)
                for side in (-1, 1)
            )
        case "horns":
            return "".join(
                line(f"M{side * 34} -200 Q{side * 44} -226 {side * 34} -242", "#f4dca0", 13)
                for side in (-1, 1)
            )
        case _:
            return ""


def _draw_muzzle_head(coat: Coat) -> str:
    head = ellipse(0, -150, 68, 60, coat.fur)
    if coat.marks == "stripes":
        head += line("M0 -208 L0 -186 M-20 -203 L-16 -184 M20 -203 L16 -184", shade(coat.fur, 0.68), 8)
    if coat.ears == "pointed":
        head += path(
            "M-66 -146 Q-40 -150 -24 -128 Q0 -108 24 -128 Q40 -150 66 -146 Q58 -92 0 -91 Q-58 -92 -66 -146 Z",
            coat.belly,
        )
    else:
        head += ellipse(0, -126, 36, 28, coat.belly)
    return head


def _draw_face(mood: str, nose: str) -> str:
    if mood == "joy":
        eyes = "".join(line(f"M{x - 10} -153 Q{x} -169 {x + 10} -153", _INK, 5) for x in (-27, 27))
        mouth = path("M-14 -124 Q0 -120 14 -124 Q10 -104 0 -104 Q-10 -104 -14 -124 Z", "#8c3b3f")
    else:
        eyes = "".join(
            ellipse(x, -158, 7.5, 9.5, _INK) + circle(x + 2.5, -161, 2.8, "#ffffff") for x in (-27, 27)
        )
        mouth = line("M-11 -120 Q0 -110 11 -120" if mood == "calm" else "M-9 -114 Q0 -121 9 -114", _INK, 4.2)
        if mood == "worried":
            eyes += line("M-38 -172 L-20 -178 M38 -172 L20 -178", _INK, 4)
    cheeks = "".join(circle(x, -134, 10, "#ee7f73", opacity=0.3) for x in (-44, 44))
    return cheeks + eyes + mouth + ellipse(0, -135, 9, 6.5, nose)


def _draw_owl(mood: str) -> str:
    fur, light = "#8f7a63", "#f1e4cb"
    wing = -24 if mood == "joy" else 10
    body = (
        polygon([(-58, -180), (-26, -192), (-60, -222)], fur)
        + polygon([(58, -180), (26, -192), (60, -222)], fur)
        + ellipse(0, -100, 70, 98, fur)
        + ellipse(0, -70, 46, 62, light)
        + "".join(
            line(f"M{x} {y} q7 9 14 0", "#c7ae88", 4)
            for x, y in ((-28, -84), (0, -84), (-14, -62), (14, -84), (10, -62), (-2, -42))
        )
        + "".join(
            ellipse(
                side * 72, -92, 22, 58, shade(fur, 0.8), transform=f"rotate({side * wing} {side * 60} -130)"
            )
            for side in (-1, 1)
        )
        + "".join(circle(x, -148, 33, light) for x in (-29, 29))
        + line("M-22 -2 l0 8 M-34 -2 l0 8 M22 -2 l0 8 M34 -2 l0 8", "#e9a23b", 8)
    )
    if mood == "joy":
        eyes = "".join(line(f"M{x - 13} -143 Q{x} -163 {x + 13} -143", _INK, 6) for x in (-29, 29))
    else:
        eyes = "".join(
            circle(x, -148, 17, "#f2b84b") + circle(x, -148, 10, _INK) + circle(x + 4, -152, 3.5, "#ffffff")
            for x in (-29, 29)
        )
    return body + eyes + polygon([(-9, -130), (9, -130), (0, -112)], "#e9a23b")


def _draw_turtle(mood: str) -> str:
    skin = "#7fae6d"
    shell = path("M-96 -40 Q-90 -150 0 -152 Q90 -150 96 -40 Z", "#8a6a45") + "".join(
        polygon(
            [(x, y - 24), (x + 24, y - 9), (x + 17, y + 19), (x - 17, y + 19), (x - 24, y - 9)], "#b08c5a"
        )
        for x, y in ((-50, -76), (0, -104), (50, -76))
    )
    feet = "".join(ellipse(x, -16, 30, 20, shade(skin, 0.86)) for x in (-66, 62))
    head = group(ellipse(0, -150, 58, 52, skin) + _draw_face(mood, shade(skin, 0.7)), x=74, y=14, scale=0.86)
    neck = line("M70 -54 L74 -96", skin, 44)
    return feet + neck + shell + ellipse(0, -36, 100, 17, "#d6c08d") + head


def _draw_whale(mood: str) -> str:
    blue = "#4f83b8"
    spout = line("M-10 -176 Q-14 -214 -40 -216 M-10 -176 Q-6 -218 22 -218", "#dff1fb", 9)
    body = path(
        "M-120 -60 Q-120 -176 0 -176 Q100 -174 124 -92 Q150 -92 170 -140 Q196 -128 186 -96 Q214 -92 214 -66 "
        "Q170 -50 132 -56 Q96 4 -10 4 Q-120 4 -120 -60 Z",
        blue,
    )
    belly = path("M-116 -44 Q-40 -24 60 -36 Q30 4 -20 3 Q-108 0 -116 -44 Z", "#e9f1f4")
    lines = line("M-84 -26 Q-40 -14 20 -22 M-66 -8 Q-30 2 6 -5", "#c7d8e2", 4)
    eye = (
        line("M-66 -82 Q-56 -98 -46 -82", _INK, 5)
        if mood == "joy"
        else circle(-56, -86, 9, _INK) + circle(-53, -89, 3, "#ffffff")
    )
    return (
        spout
        + body
        + belly
        + lines
        + eye
        + circle(-34, -64, 12, "#ee7f73", opacity=0.4)
        + line("M-100 -60 Q-86 -48 -70 -54", _INK, 4.5)
        + ellipse(24, -26, 44, 16, shade(blue, 0.84), transform="rotate(24 24 -26)")
    )


def _draw_robot(mood: str) -> str:
    metal = "#b9c4cf"
    arms = "M-58 -86 L-92 -140 M58 -86 L92 -140" if mood == "joy" else "M-58 -86 L-86 -48 M58 -86 L86 -48"
    body = (
        line(arms, shade(metal, 0.78), 15)
        + circle(0, -22, 26, "#5b6470")
        + circle(0, -22, 11, metal)
        + rect(-58, -116, 116, 84, metal, rx=22)
        + circle(-22, -74, 11, "#e0783c")
        + circle(10, -74, 8, "#f6c544")
        + rect(-30, -56, 60, 9, shade(metal, 0.75), rx=4)
        + rect(-66, -208, 132, 88, shade(metal, 1.25), rx=30)
        + rect(-52, -194, 104, 60, "#2c3a55", rx=22)
        + line("M0 -208 L0 -234", shade(metal, 0.75), 7)
        + circle(0, -240, 11, "#e0783c")
    )
    eye = (
        line("M-18 -162 Q0 -184 18 -162", "#7fd8f2", 8)
        if mood == "joy"
        else circle(0, -166, 18, "#7fd8f2") + circle(0, -166, 8, "#ffffff")
    )
    return body + eye
