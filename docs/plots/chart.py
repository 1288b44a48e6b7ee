"""Charts of the pages, as SVG text: axes, lines and points, nothing else, and the same text every time."""  # noqa: INP001

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import Literal

WIDTH, HEIGHT = 680, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 180, 20, 52
COLOURS = ("#0b6e99", "#c8553d", "#4f7f3a", "#7a4fa3", "#9a7b1c", "#555555")
TEXT = 'font-family="sans-serif" font-size="13" fill="#222222"'


@dataclass(frozen=True)
class Curve:
    """What is drawn under one label (none in the legend where it is empty), in the `colour`-th colour."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    colour: int
    style: Literal["line", "dashes", "dots"] = "line"

    def stroke(self) -> str:
        """Return how its line or the edge of its points is drawn."""
        dashes = ' stroke-dasharray="6 4"' if self.style == "dashes" else ""
        return f'fill="none" stroke="{COLOURS[self.colour]}" stroke-width="1.8"{dashes}'


def ticks(low: float, high: float) -> list[float]:
    """Return about six round numbers from below `low` to above `high`."""
    rough = (high - low) / 5.0
    power = 10.0 ** floor(log10(rough))
    step = next(s * power for s in (1.0, 2.0, 5.0, 10.0) if s * power >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)]


def chart(x_label: str, y_label: str, curves: Sequence[Curve]) -> str:
    """Return a chart of the curves as one SVG document."""
    xs, ys = ticks(*_ends(c.x for c in curves)), ticks(*_ends(c.y for c in curves))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def place(x: float, y: float) -> tuple[str, str]:
        across = LEFT + (x - xs[0]) / (xs[-1] - xs[0]) * (right - LEFT)
        down = bottom - (y - ys[0]) / (ys[-1] - ys[0]) * (bottom - TOP)
        return f"{across:.1f}", f"{down:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for value in xs:
        x, _ = place(value, ys[0])
        parts.append(f'<path d="M{x} {TOP}V{bottom}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle" {TEXT}>{value:g}</text>')
    for value in ys:
        _, y = place(xs[0], value)
        parts.append(f'<path d="M{LEFT} {y}H{right}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{float(y) + 4:.1f}" text-anchor="end" {TEXT}>{value:g}</text>')
    parts.append(f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#222222"/>')
    for curve in curves:
        spots = [place(x, y) for x, y in zip(curve.x, curve.y, strict=True)]
        if curve.style == "dots":
            parts += [f'<circle cx="{x}" cy="{y}" r="4" {curve.stroke()}/>' for x, y in spots]
        else:
            parts.append(f'<path d="M{"L".join(f"{x} {y}" for x, y in spots)}" {curve.stroke()}/>')
    parts += _legend(curves, right + 14)
    across, up = 0.5 * (LEFT + right), 0.5 * (TOP + bottom)
    parts.append(
        f'<text x="{across:g}" y="{HEIGHT - 12}" text-anchor="middle" {TEXT}>{escape(x_label)}</text>'
    )
    turned = f'transform="translate(16 {up:g}) rotate(-90)" text-anchor="middle"'
    parts.append(f"<text {turned} {TEXT}>{escape(y_label)}</text>")
    return "\n".join([*parts, "</svg>", ""])


def _ends(columns: Iterable[Sequence[float]]) -> tuple[float, float]:
    values = [float(v) for column in columns for v in column]
    return min(values), max(values)


def _legend(curves: Sequence[Curve], x: int) -> list[str]:
    parts: list[str] = []
    for k, curve in enumerate(c for c in curves if c.label):
        y = TOP + 12 + 20 * k
        dots, line = f'<circle cx="{x + 9}" cy="{y - 4}" r="4"', f'<path d="M{x} {y - 4}h18"'
        parts.append(f"{dots if curve.style == 'dots' else line} {curve.stroke()}/>")
        parts.append(f'<text x="{x + 24}" y="{y}" {TEXT}>{escape(curve.label)}</text>')
    return parts
