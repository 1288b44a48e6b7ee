"""The comparison as one offline HTML page."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from cosim.compare.overlay import DASHES, end_s, overlaid
from cosim.compare.runs import Run
from cosim.compare.sides import FigureRow, LimitRow, figures_apart, limits_apart
from cosim.compare.terminal import said, shown
from cosim.kpi import describe
from cosim.report import head
from cosim.report.figure import Axis
from cosim.report.parts import MOST_MARKERS, asset, filled, markers, scripts, sections_html
from cosim.report.series import Pool, points_per_line
from cosim.verdict import Finding
from cosim.verdict.text import quantity

NONE = "<tr><td colspan=9>none</td></tr>"
ABSOLUTE = ("°C", "Hz", "%")
"""Units whose differences are not told as a share."""

STROKES = dict(zip(DASHES, ("none", "7 4", "2 3", "7 3 2 3"), strict=True))


def write_page(runs: Sequence[Run], path: Path) -> None:
    """Write the comparison as one self-contained HTML file, without network access."""
    path.write_text(page(runs), encoding="utf-8")


def page(runs: Sequence[Run]) -> str:
    """Return the comparison as HTML."""
    axis = Axis.of(max(end_s(run) for run in runs))
    sections, equal = overlaid(runs)
    lines = sum(len(figure.lines) for section in sections for figure in section.figures)
    pool = Pool(points_per_line(lines))
    figures = [figure.packed(pool, axis) for section in sections for figure in section.figures]
    done = {(mark["t_s"], mark["text"]): mark for run in runs for mark in markers(run.results, axis)}
    data = {
        "axis": {"unit": axis.unit, "unit_s": axis.unit_s, "end": axis.end_s / axis.unit_s},
        "start": head.start(runs[0].results),
        "figures": figures,
        "events": sorted(done.values(), key=lambda mark: mark["x"])[:MOST_MARKERS],
        "first": None,
        "map": None,
        "work": None,
        "arrays": pool.packed,
    }
    limits, kpis = limits_apart(runs), figures_apart(runs)
    parts = {
        "title": escape(" | ".join(run.label for run in runs)),
        "runs": "".join(_run(run, i) for i, run in enumerate(runs)),
        "navigation": "".join(f'<a href="#{s.id}">{escape(s.title)}</a> ' for s in sections),
        "heads": "".join(f"<th>{escape(run.label)}</th>" for run in runs),
        "differences": "".join(f"<th>{escape(run.label)}, difference</th>" for run in runs[1:]),
        "limit_rows": "".join(_limit(row) for row in limits if row.differs) or NONE,
        "limits_equal": _equal_limits(limits),
        "figure_rows": "".join(_figure(row, kpis) for row in kpis if row.differs and "@" not in row.key)
        or NONE,
        "figures_equal": _equal_figures(kpis),
        "sections": sections_html(sections),
        "equal": f"Equal in all runs: {escape(', '.join(equal).lower())}." if equal else "",
        "style": asset("page.css"),
        **scripts(data, "map.js", "page.js"),
    }
    return filled(asset("compare.html"), parts)


def _run(run: Run, number: int) -> str:
    """Return the head of one run: how it is drawn, title, verdict."""
    stroke = STROKES[DASHES[number % len(DASHES)]]
    key = (
        '<svg width="44" height="10"><line x1="0" x2="44" y1="5" y2="5" stroke="#1d2733" stroke-width="2.4" '
        f'stroke-dasharray="{stroke}"/></svg>'
    )
    status = "" if run.results.status == "complete" else f"; run {run.results.status}"
    return (
        f'<div class="run {"holds" if run.verdict.passed else "fails"}"><div class="top">'
        f"{head.badge(run.verdict)}<h3>{key} {escape(run.label)}{escape(status)}</h3></div>"
        f"<p>{escape(head.title(run.results))}</p><p class=facts>{head.facts(run.results, end_s(run))}</p>"
        f'<div class="headline">{head.headline(run.verdict, head.start(run.results))}</div></div>'
    )


def _limit(row: LimitRow) -> str:
    first = next(f for f in row.findings if f is not None)
    source = f"{first.document} {first.clause if first.clause != '-' else ''}".strip()
    return (
        f"<tr><td><b>{escape(row.title)}</b><div class=remark>{escape(source)}</div></td>"
        + "".join(_side(finding) for finding in row.findings)
        + "</tr>"
    )


def _side(finding: Finding | None) -> str:
    if finding is None:
        return "<td>not judged</td>"
    tone = (
        "violated"
        if finding.fails
        else "warned"
        if finding.outcome in ("violated", "unknown")
        else finding.outcome
    )
    value = finding.worst_value if finding.outcome == "violated" else finding.value
    text = ""
    if finding.outcome in ("held", "violated") and math.isfinite(value):
        element = finding.worst_element or finding.element
        text = f"{quantity(value, finding.unit)} {element}".strip()
        text += f", {finding.t_s:g} s" if finding.t_s is not None else ""
    return f"<td class={tone}><b>{said(finding.outcome)}</b><div class=remark>{escape(text)}</div></td>"


def _equal_limits(limits: Sequence[LimitRow]) -> str:
    equal = sum(not row.differs for row in limits)
    return f"{equal} of {len(limits)} limits, expectations and rules came out alike in all runs."


def _figure(row: FigureRow, every: Sequence[FigureRow]) -> str:
    """Return a key figure of all runs, with the units and levels where it differs."""
    places = [other for other in every if other.key.startswith(f"{row.key}@") and other.differs]
    inside = "".join(f"<tr><td>{escape(p.key.split('@', 1)[1])}</td>{_values(p)}</tr>" for p in places)
    return (
        f"<tr><td><code>{escape(row.key)}</code><div class=remark>{escape(describe(row.key))}</div></td>"
        f"{_values(row)}</tr>" + inside.replace("<tr>", '<tr class="place">')
    )


def _values(row: FigureRow) -> str:
    cells = [f"<td class=n>{escape(shown(value, row.unit))}</td>" for value in row.values]
    for difference in row.differences:
        part = ""
        if difference is not None and row.values[0] and row.unit not in ABSOLUTE:
            part = f" <span class=remark>({100.0 * difference / abs(row.values[0]):+.3g} %)</span>"
        cells.append(f"<td class=n><b>{escape(shown(difference, row.unit, sign=True))}</b>{part}</td>")
    return "".join(cells)


def _equal_figures(kpis: Sequence[FigureRow]) -> str:
    names = [row.key for row in kpis if "@" not in row.key and not row.differs]
    return f"Equal in all runs: {escape(', '.join(names))}." if names else ""
