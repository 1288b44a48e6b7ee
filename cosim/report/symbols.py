"""Symbols of a single-line picture as SVG, after IEC 60617: busbars, breakers, transformers, units."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from cosim.core.roles import Role

BLOCK_PX = 118.0
"""Widest column of a unit."""

BOX_PX = 34.0
CHARACTER_PX = 6.6

SOURCES = {"pv": "PV", "wind": "W", "nuclear": "N"}

Numbers = Sequence[tuple[float, str]]
"""Powers [MW] and the classes they are drawn in."""


def text(x: float, y: float, words: str, kind: str = "label") -> str:
    """Return text at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="sl-{kind}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "wire") -> str:
    """Return a line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="sl-{kind}"/>'


def _box(x: float, y: float, size: float, inside: str = "") -> str:
    """Return a square with a word, its upper side centred at (x, y)."""
    square = f'<rect x="{x - size / 2:.1f}" y="{y:.1f}" width="{size:g}" height="{size:g}" class="sl-box"/>'
    return square + (text(x, y + size / 2 + 4.5, inside, "inside") if inside else "")


def _circle(x: float, y: float, radius: float, inside: str = "") -> str:
    """Return a circle with a word, its top at (x, y)."""
    ring = f'<circle cx="{x:.1f}" cy="{y + radius:.1f}" r="{radius:g}" class="sl-box"/>'
    return ring + (text(x, y + radius + 4.5, inside, "inside") if inside else "")


def _fitted(words: str, width: float) -> str:
    most = max(int(width / CHARACTER_PX), 4)
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _numbers(x: float, y: float, numbers: Numbers) -> str:
    return "".join(
        text(x, y + 15 * place, _power(value, key), f"n{key}") for place, (value, key) in enumerate(numbers)
    )


def _power(value: float, key: str) -> str:
    if key == "dark" or math.isnan(value):
        return "no voltage"
    return "0.0 MW" if abs(value) < 0.05 else f"{value:+.1f} MW"


@dataclass(frozen=True)
class Hung:
    """What hangs on a busbar: a name, the powers told, and where."""

    name: str
    numbers: Numbers
    x: float
    bar: float
    """Height of the busbar."""


def meter_symbol(hung: Hung, top: float, table: str) -> str:
    """Return the way from the grid to a busbar: meter, breaker, and the transformer where it is one."""
    x = hung.x
    parts = [line(x, top, x, hung.bar), _circle(x, top + 2, 6.5), _box(x, top + 18, 9)]
    if table == "trafo":
        parts += [_circle(x, top + 38, 11), _circle(x, top + 53, 11)]
    parts.append(text(x + 16, top + 12, hung.name, "start"))
    for place, (value, key) in enumerate(hung.numbers):
        parts.append(text(x + 16, top + 27 + 14 * place, f"{value + 0.0:.1f} MW", f"s{key}"))
    return "".join(parts)


def tie(x1: float, x2: float, bar: float) -> str:
    """Return the breaker between two busbars."""
    return line(x1, bar, x2, bar) + _box((x1 + x2) / 2, bar - 4.5, 9)


def draw_unit(hung: Hung, width: float, kind: Role, params: Mapping[str, Any]) -> str:
    """Return a unit below its busbar: breaker, symbol, name, rating and powers."""
    x, below = hung.x, hung.bar + 34.0
    parts = [line(x, hung.bar, x, below), _box(x, hung.bar + 10, 9)]
    if kind == "hall":
        if params.get("ups") is not None:
            parts += [_box(x, below, 28, "UPS"), line(x, below + 28, x, below + 36)]
            below += 36
        parts.append(_box(x, below, BOX_PX, "IT"))
    elif kind == "genset":
        parts.append(_circle(x, below, BOX_PX / 2, "G"))
    elif kind == "source":
        parts.append(_circle(x, below, BOX_PX / 2, SOURCES.get(str(params.get("kind", "pv")), "~")))
    elif kind == "store":
        parts.append(_box(x, below, BOX_PX, "H₂" if "tank" in params else "+ –"))
    else:
        parts.append(_box(x, below, BOX_PX, "M"))
    under = hung.bar + 122.0
    parts += [
        text(x, under, _fitted(hung.name, width), "name"),
        text(x, under + 14, _fitted(rating(params), width), "rating"),
        _numbers(x, under + 30, hung.numbers),
    ]
    return "".join(parts)


def rating(params: Mapping[str, Any]) -> str:
    """Return what a scenario says of a unit's size, in few words."""
    if isinstance(params.get("fuel_cell"), Mapping):
        return f"{params['fuel_cell'].get('p_rated_mw', 0):g} MW cell"
    for key, unit in (("it_rated_mw", "MW IT"), ("gpus_count", "GPUs"), ("racks_count", "racks")):
        if key in params:
            return f"{params[key]:g} {unit}"
    if "p_rated_mw" not in params:
        return ""
    energy = f" {params['e_rated_mwh']:g} MWh" if "e_rated_mwh" in params else ""
    return f"{params['p_rated_mw']:g} MW{energy}"
