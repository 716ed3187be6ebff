"""A drawing of lines, areas and texts, written as SVG, or painted as PNG.

Both show the same: coordinates are those of the SVG, from the upper left corner.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

Points = Sequence[tuple[float, float]]
# Painted so many times as large, and then made half as large, so that lines are smooth.
_PAINTED = 3


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points; kind: its class in the SVG."""

    points: Points
    color: str
    width: float = 1.2
    kind: str = ""
    is_series: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """A filled area within points; title: what it is, shown where the pointer rests on it."""

    points: Points
    color: str
    opacity: float = 1.0
    kind: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A text; anchor: start, middle or end of it is at x; y: of its base line."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    color: str = "#666"
    size: float = 12.0


@dataclass(slots=True)
class Drawing:
    """Shapes in the order in which they are drawn."""

    width: int
    height: int
    shapes: list[Line | Area | Label] = field(default_factory=list)

    def svg(self) -> str:
        """The drawing as an SVG document."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            'font-family="sans-serif" font-size="12">'
        )
        ground = '<rect width="100%" height="100%" fill="#fff"/>'
        return "\n".join([head, ground, *(_element(s) for s in self.shapes), "</svg>"]) + "\n"

    def png(self) -> bytes:
        """The drawing as a PNG image, one and a half times as large."""
        from PIL import Image, ImageDraw

        size = (self.width * _PAINTED, self.height * _PAINTED)
        image = Image.new("RGB", size, "#fff")
        brush = ImageDraw.Draw(image, "RGBA")
        for shape in self.shapes:
            _paint(brush, shape)
        out = io.BytesIO()
        image.reduce(2).save(out, "PNG", optimize=True)
        return out.getvalue()


def _element(shape: Line | Area | Label) -> str:
    if isinstance(shape, Label):
        return (
            f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" text-anchor="{shape.anchor}" '
            f'fill="{shape.color}" font-size="{shape.size:g}">{escape(shape.text)}</text>'
        )
    kind = f' class="{shape.kind}"' if shape.kind else ""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    if isinstance(shape, Area):
        title = f"<title>{escape(shape.title)}</title>" if shape.title else ""
        fill = f'fill="{shape.color}" fill-opacity="{shape.opacity:g}"'
        return f'<polygon points="{points}" {fill}{kind}>{title}</polygon>'
    stroke = f'stroke="{shape.color}" stroke-width="{shape.width:g}"'
    if shape.is_series:
        return f'<polyline points="{points}" fill="none" {stroke}{kind}/>'
    path = " L".join(points.split(" "))
    return f'<path d="M{path}" fill="none" {stroke}{kind}/>'


def _paint(brush: Any, shape: Line | Area | Label) -> None:
    from PIL import ImageFont

    if isinstance(shape, Label):
        font = ImageFont.load_default(shape.size * _PAINTED)
        anchor = {"start": "ls", "middle": "ms", "end": "rs"}[shape.anchor]
        at = (shape.x * _PAINTED, shape.y * _PAINTED)
        brush.text(at, shape.text, fill=shape.color, font=font, anchor=anchor)
        return
    points = [(x * _PAINTED, y * _PAINTED) for x, y in shape.points]
    if isinstance(shape, Area):
        color = (*_rgb(shape.color), round(255 * shape.opacity))
        brush.polygon(points, fill=color)
    elif len(points) > 1:
        width = max(1, round(shape.width * _PAINTED))
        brush.line(points, fill=shape.color, width=width, joint="curve")


def _rgb(color: str) -> tuple[int, int, int]:
    digits = color.lstrip("#")
    if len(digits) == 3:
        digits = "".join(2 * d for d in digits)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
