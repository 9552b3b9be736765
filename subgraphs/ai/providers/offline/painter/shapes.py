"""The SVG shapes from which everything is drawn."""

from __future__ import annotations

from collections.abc import Iterable

Point = tuple[float, float]


def circle(x: float, y: float, r: float, fill: str, **extra: object) -> str:
    """A filled circle."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{fill}"{_format_attributes(extra)}/>'


def ellipse(x: float, y: float, rx: float, ry: float, fill: str, **extra: object) -> str:
    """A filled ellipse."""
    bounds = f'cx="{x:.1f}" cy="{y:.1f}" rx="{rx:.1f}" ry="{ry:.1f}"'
    return f'<ellipse {bounds} fill="{fill}"{_format_attributes(extra)}/>'


def rect(x: float, y: float, width: float, height: float, fill: str, **extra: object) -> str:
    """A filled rectangle."""
    bounds = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {bounds} fill="{fill}"{_format_attributes(extra)}/>'


def path(d: str, fill: str, **extra: object) -> str:
    """A filled path."""
    return f'<path d="{d}" fill="{fill}"{_format_attributes(extra)}/>'


def line(d: str, stroke: str, width: float, **extra: object) -> str:
    """A stroked path with round caps and joins."""
    return (
        f'<path d="{d}" fill="none" stroke="{stroke}" stroke-width="{width:.1f}" stroke-linecap="round" '
        f'stroke-linejoin="round"{_format_attributes(extra)}/>'
    )


def polygon(points: Iterable[Point], fill: str, **extra: object) -> str:
    """A filled polygon."""
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon points="{corners}" fill="{fill}"{_format_attributes(extra)}/>'


def group(
    content: str, *, x: float = 0, y: float = 0, scale: float = 1, flip: bool = False, turn: float = 0
) -> str:
    """Content translated, rotated by `turn` degrees, scaled and optionally mirrored."""
    return (
        f'<g transform="translate({x:.1f} {y:.1f}) rotate({turn:.1f}) '
        f'scale({-scale if flip else scale:.3f} {scale:.3f})">{content}</g>'
    )


def gradient(name: str, top: str, bottom: str) -> str:
    """The definition of a vertical linear gradient."""
    return (
        f'<linearGradient id="{name}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="{top}"/>'
        f'<stop offset="1" stop-color="{bottom}"/></linearGradient>'
    )


def glow(name: str, colour: str) -> str:
    """The definition of a radial gradient that fades out."""
    return (
        f'<radialGradient id="{name}"><stop offset="0" stop-color="{colour}" stop-opacity="0.85"/>'
        f'<stop offset="1" stop-color="{colour}" stop-opacity="0"/></radialGradient>'
    )


def shade(colour: str, factor: float) -> str:
    """Darken a colour (factor below 1) or lighten it (above 1)."""
    channels = [int(colour[index : index + 2], 16) for index in (1, 3, 5)]
    if factor <= 1:
        mixed = [channel * factor for channel in channels]
    else:
        mixed = [channel + (255 - channel) * (factor - 1) for channel in channels]
    return "#" + "".join(f"{min(255, max(0, round(channel))):02x}" for channel in mixed)


def _format_attributes(extra: dict[str, object]) -> str:
    return "".join(f' {key.replace("_", "-")}="{value}"' for key, value in extra.items())
