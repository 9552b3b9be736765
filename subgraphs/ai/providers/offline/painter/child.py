"""The child in every pose and mood, 300 units tall and standing at the origin."""

from __future__ import annotations

from dataclasses import dataclass

from subgraphs.ai.providers.offline.painter.look import Look
from subgraphs.ai.providers.offline.painter.shapes import circle, ellipse, group, line, path, shade

_INK = "#3b2f3a"


@dataclass(frozen=True, slots=True)
class Pose:
    """The positions of hands and feet, the body's lift, and its lean in degrees."""

    left_hand: tuple[float, float]
    right_hand: tuple[float, float]
    left_foot: tuple[float, float] = (-24, 0)
    right_foot: tuple[float, float] = (24, 0)
    lift: float = 0
    lean: float = 0


POSES = {
    "stand": Pose((-58, -78), (58, -78)),
    "wave": Pose((-58, -78), (92, -214)),
    "walk": Pose((-62, -92), (62, -84), (-40, -4), (36, 0), lean=4),
    "reach": Pose((-54, -84), (104, -150), lean=5),
    "think": Pose((-56, -80), (40, -152), lean=-3),
    "push": Pose((84, -112), (98, -138), (-52, 0), (6, 0), lean=10),
    "jump": Pose((-96, -210), (96, -210), (-46, 18), (46, 18), lift=58),
    "hold": Pose((-92, -262), (92, -262)),
    "sit": Pose((-44, -48), (44, -48), (-52, -4), (58, -4), lift=-62),
}


def draw_child(look: Look, pose: str, face: str) -> str:
    """Draw the child with its feet at (0, 0)."""
    shape = POSES["sit" if look.wheelchair and pose not in {"jump", "hold", "wave"} else pose]
    if look.wheelchair:
        return _draw_in_wheelchair(look, shape, face)
    body = _draw_legs(look, shape) + _draw_upper_body(look, shape, face)
    return group(body, y=-shape.lift, turn=shape.lean)


def draw_head(look: Look, face: str) -> str:
    """Draw the head alone, centred at the origin."""
    return _draw_hair_back(look) + _draw_head(look, face) + _draw_hair_front(look)


def _draw_in_wheelchair(look: Look, shape: Pose, face: str) -> str:
    chair = (
        line("M-66 -176 L-58 -70 L40 -70 L66 -12 L92 -12", "#5b6470", 11)
        + circle(-14, -48, 58, "none", stroke="#434a54", stroke_width=10)
        + circle(-14, -48, 10, "#5b6470")
        + circle(64, -14, 16, "#434a54")
    )
    legs = line("M-14 -84 L40 -84 L52 -26", look.trousers, 30) + ellipse(62, -20, 24, 13, "#6b4a3a")
    lifted = Pose(shape.left_hand, shape.right_hand)
    return legs + group(_draw_upper_body(look, lifted, face), y=-18) + chair


def _draw_legs(look: Look, shape: Pose) -> str:
    colour = look.skin if look.dress else look.trousers
    parts = []
    for hip, (x, y) in ((-18, shape.left_foot), (18, shape.right_foot)):
        if shape.lift < 0:
            parts.append(line(f"M{hip} -76 Q{x * 1.2:.0f} -98 {x:.0f} {y - 74:.0f}", colour, 30))
            parts.append(ellipse(x + (12 if x > 0 else -12), y - 70, 24, 15, "#6b4a3a"))
            continue
        parts.append(line(f"M{hip} -86 L{x:.0f} {y - 14:.0f}", colour, 30))
        parts.append(ellipse(x + 7, y - 9, 24, 13, "#6b4a3a"))
    return "".join(parts)


def _draw_upper_body(look: Look, shape: Pose, face: str) -> str:
    back_arm = _draw_arm(look, -38, shape.left_hand)
    front_arm = _draw_arm(look, 38, shape.right_hand)
    head = group(draw_head(look, face), y=-222)
    arms_raised = shape.right_hand[1] < -200 and shape.left_hand[1] < -200
    body = _draw_hair_fall(look) + back_arm + _draw_torso(look)
    return body + head + front_arm if not arms_raised else front_arm + body + head


def _draw_arm(look: Look, shoulder: float, hand: tuple[float, float]) -> str:
    x, y = hand
    bend = shoulder + (x - shoulder) * 0.35 + (14 if shoulder > 0 else -14)
    middle = (-140 + y) / 2 + 8
    return line(
        f"M{shoulder} -138 Q{bend:.0f} {middle:.0f} {x:.0f} {y:.0f}", shade(look.clothes, 0.9), 26
    ) + circle(x, y, 15, look.skin)


def _draw_torso(look: Look) -> str:
    colour = look.clothes
    if look.dress:
        shape = path("M-38 -154 Q0 -168 38 -154 L66 -58 Q0 -42 -66 -58 Z", colour)
        return (
            shape
            + line("M-60 -66 Q0 -50 60 -66", shade(colour, 1.35), 6)
            + circle(0, -132, 6, shade(colour, 1.5))
        )
    hem = -62 if look.coat else -76
    shape = path(f"M-40 -152 Q0 -168 40 -152 L50 {hem} Q0 {hem + 12} -50 {hem} Z", colour)
    if look.coat:
        buttons = "".join(circle(0, y, 4.5, shade(colour, 0.65)) for y in (-132, -110, -88))
        return shape + line(f"M0 -156 L0 {hem + 4}", shade(colour, 0.8), 3) + buttons
    stripes = "".join(
        line(f"M{-43 - i * 2} {y} Q0 {y + 10} {43 + i * 2} {y}", shade(colour, 1.4), 7)
        for i, y in enumerate((-128, -104))
    )
    return shape + stripes


def _draw_head(look: Look, face: str) -> str:
    ears = circle(-70, 8, 14, shade(look.skin, 0.93)) + circle(70, 8, 14, shade(look.skin, 0.93))
    return ears + ellipse(0, 0, 72, 70, look.skin) + _draw_face(look, face)


def _draw_face(look: Look, face: str) -> str:
    cheeks = "".join(circle(x, 26, 14, "#ee7f73", opacity=0.34) for x in (-42, 42))
    freckles = "".join(
        circle(side * (26 + step * 9), 18 + (step % 2) * 7, 2.4, shade(look.skin, 0.7))
        for side in (-1, 1)
        for step in range(3)
        if look.freckles
    )
    glasses = ""
    if look.glasses:
        glasses = "".join(
            circle(x, 4, 21, "#ffffff", fill_opacity=0.25, stroke="#3f4a66", stroke_width=4)
            for x in (-28, 28)
        ) + line("M-8 2 Q0 -3 8 2", "#3f4a66", 4)
    nose = line("M-4 17 Q0 21 4 17", shade(look.skin, 0.72), 3.6)
    return cheeks + freckles + nose + _draw_eyes(face) + _draw_mouth(face) + glasses


def _draw_eyes(face: str) -> str:
    if face == "asleep":
        return "".join(line(f"M{x - 12} 4 Q{x} 14 {x + 12} 4", _INK, 4.5) for x in (-28, 28))
    if face == "joy":
        return "".join(line(f"M{x - 11} 8 Q{x} -8 {x + 11} 8", _INK, 5) for x in (-28, 28))
    size = {"wonder": (9.5, 12.5), "sad": (7.5, 9)}.get(face, (8, 10.5))
    eyes = "".join(ellipse(x, 4, *size, _INK) + circle(x + 3, 0, 3, "#ffffff") for x in (-28, 28))
    brows = {
        "sad": "M-40 -20 L-20 -26 M40 -20 L20 -26",
        "worried": "M-40 -18 L-20 -26 M40 -18 L20 -26",
        "brave": "M-40 -24 L-18 -17 M40 -24 L18 -17",
        "wonder": "M-38 -24 Q-28 -31 -18 -24 M38 -24 Q28 -31 18 -24",
    }
    return eyes + (line(brows[face], _INK, 4) if face in brows else "")


def _draw_mouth(face: str) -> str:
    match face:
        case "joy":
            return path("M-20 30 Q0 34 20 30 Q16 54 0 54 Q-16 54 -20 30 Z", "#8c3b3f") + ellipse(
                0, 48, 9, 5, "#e98580"
            )
        case "wonder":
            return ellipse(0, 40, 8, 10, "#8c3b3f")
        case "sad":
            return line("M-13 44 Q0 34 13 44", _INK, 4.5)
        case "worried":
            return line("M-12 40 Q-4 36 2 40 Q8 44 13 39", _INK, 4.5)
        case "brave":
            return line("M-12 38 Q2 43 14 36", _INK, 4.5)
        case _:
            return line("M-17 33 Q0 49 17 33", _INK, 4.5)


def _draw_hair_back(look: Look) -> str:
    dark = shade(look.hair, 0.88)
    match look.hair_style:
        case "afro":
            return circle(0, -18, 100, dark)
        case "curly":
            ring = (
                (-66, -34),
                (-78, 0),
                (-74, 34),
                (66, -34),
                (78, 0),
                (74, 34),
                (-36, -66),
                (0, -76),
                (36, -66),
            )
            return "".join(circle(x, y, 30, dark) for x, y in ring)
        case "bun":
            return circle(0, -84, 30, dark)
        case "bob":
            return path("M-80 -8 Q-84 52 -66 62 L66 62 Q84 52 80 -8 Z", dark)
        case _:
            return ""


def _draw_hair_fall(look: Look) -> str:
    """Draw the hair that falls behind the shoulders."""
    dark = shade(look.hair, 0.86)
    match look.hair_style:
        case "long":
            return path("M-78 -236 Q-98 -140 -72 -118 Q0 -104 72 -118 Q98 -140 78 -236 Z", dark)
        case "braids":
            return "".join(
                circle(
                    side * (66 + step * 2), -196 + step * 24, 17 - step * 1.5, dark if step % 2 else look.hair
                )
                for side in (-1, 1)
                for step in range(4)
            ) + "".join(circle(side * 73, -108, 8, look.clothes) for side in (-1, 1))
        case "pigtails":
            return "".join(ellipse(side * 92, -214, 24, 42, dark) for side in (-1, 1))
        case "ponytail":
            return path("M40 -280 Q128 -286 112 -178 Q104 -150 92 -176 Q92 -238 40 -252 Z", dark)
        case _:
            return ""


def _draw_hair_front(look: Look) -> str:
    colour = look.hair
    if look.hair_style == "none":
        fringe = ""
    elif look.hair_style in {"curly", "afro"}:
        ring = ((-58, -34), (-38, -52), (-14, -60), (12, -60), (36, -53), (58, -35))
        fringe = "".join(circle(x, y, 21, colour) for x, y in ring)
    elif look.hair_style == "short":
        fringe = path(
            "M-74 -2 Q-80 -84 0 -84 Q80 -84 74 -2 "
            "Q66 -34 46 -40 Q20 -26 -8 -44 Q-40 -34 -58 -30 Q-70 -18 -74 -2 Z",
            colour,
        )
    else:
        fringe = path(
            "M-76 12 Q-86 -86 0 -86 Q86 -86 76 12 "
            "Q70 -26 50 -38 Q10 -24 -18 -46 Q-40 -26 -62 -20 Q-72 -8 -76 12 Z",
            colour,
        )
    return fringe + (_draw_hat(look.hat) if look.hat else "")


def _draw_hat(colour: str) -> str:
    return (
        path("M-74 -30 Q-70 -100 0 -102 Q70 -100 74 -30 Q0 -52 -74 -30 Z", colour)
        + line("M-72 -30 Q0 -54 72 -30", shade(colour, 0.8), 14)
        + circle(0, -104, 15, shade(colour, 1.4))
    )
