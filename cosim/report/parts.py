"""Parts of every page: assets, sections of plots, markers of what was done."""

import base64
import gzip
import json
from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from cosim.report.figure import Axis
from cosim.report.plots import Section
from cosim.verdict.cause import ACTIONS, action_text

if TYPE_CHECKING:
    from cosim.results import Results

MOST_MARKERS = 24
"""Actions drawn in every plot; all are in the events table."""


def filled(template: str, parts: dict[str, str]) -> str:
    """Replace each `{{name}}` once, in one pass: text that looks like a placeholder stays as it is."""
    pieces = template.split("{{")
    out = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        out += [parts[name], rest]
    return "".join(out)


def asset(name: str) -> str:
    """Return a file of this package that goes into pages."""
    return (files("cosim.report") / "assets" / name).read_text(encoding="utf-8")


def packed(text: str) -> str:
    """Return a text as base64 of its gzip, which the page unpacks; the same text gives the same."""
    return base64.b64encode(gzip.compress(text.encode("utf-8"), mtime=0)).decode("ascii")


@cache
def _plotly() -> str:
    return packed((files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8"))


def scripts(data: Mapping[str, Any], *names: str) -> dict[str, str]:
    """Return what a page runs: plotly and `data` packed, the scripts of these assets, what unpacks."""
    return {
        "plotly": _plotly(),
        "data": packed(json.dumps(data, ensure_ascii=False, separators=(",", ":"))),
        "script": "".join(asset(name) for name in names),
        "unpack": asset("unpack.js"),
    }


def markers(results: "Results", axis: Axis) -> list[dict[str, Any]]:
    """Return what was done to the system, for marks in every plot."""
    events = results.events
    if not len(events):
        return []
    actions = events[events["kind"].isin((*ACTIONS, "no_solution"))].head(MOST_MARKERS)
    return [
        {
            "x": float(e["t_s"]) / axis.unit_s,
            "t_s": float(e["t_s"]),
            "text": action_text(e),
            "kind": str(e["kind"]),
        }
        for _, e in actions.iterrows()
    ]


def sections_html(sections: list[Section]) -> str:
    """Return the sections with a place for each plot, numbered in their order."""
    out, index = [], 0
    for section in sections:
        cells = []
        narrow = [figure for figure in section.figures if not figure.wide]
        if len(narrow) % 2 and not section.folded:
            narrow[-1].wide = True
        for figure in section.figures:
            wide = " wide" if figure.wide else ""
            cells.append(f'<figure class="plot{wide}" data-figure="{index}"></figure>')
            index += 1
        grid = f'<div class="grid">{"".join(cells)}</div>'
        if section.zero:
            grid += f'<p class="zero">Zero throughout: {escape(", ".join(section.zero).lower())}.</p>'
        heading = f"<h2>{escape(section.title)}</h2>"
        if section.folded:
            grid = f"<details><summary>{len(section.figures)} more plots</summary>{grid}</details>"
        out.append(f'<section id="{section.id}">{heading}{section.lead}{grid}</section>')
    return "".join(out)
