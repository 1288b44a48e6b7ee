"""The page's tables: verdict, KPIs, events, provenance. Every text is escaped here."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from cosim.kpi import describe
from cosim.verdict import Finding, Verdict
from cosim.verdict.cause import action_text
from cosim.verdict.text import number, quantity

if TYPE_CHECKING:
    from cosim.results import Results

MOST_EVENTS = 200
MARKS = {
    "held": "✓ holds",
    "violated": "✗ broken",
    "unknown": "? no value",
    "not_applicable": "– no such quantity",
}


def verdict_rows(verdict: Verdict) -> str:
    """Return one table row per limit and expectation: broken ones first, those not applicable last."""
    findings = [f for f in verdict.findings if f.kind != "completeness"]
    return "".join(_verdict_row(f) for f in (*findings, *verdict.held, *verdict.not_applicable))


def _verdict_row(f: Finding) -> str:
    mark = ' <span class="mark">(unconfirmed)</span>' if f.status == "unconfirmed" else ""
    derived = ' <span class="mark">(derived)</span>' if f.status == "derived" else ""
    source = f"{escape(f.document)} {escape(f.clause if f.clause != '-' else '')}".strip()
    outcome = "warned" if f.outcome in ("violated", "unknown") and not f.fails else f.outcome
    label = "! warning" if outcome == "warned" else MARKS[f.outcome]
    lasted = f"{f.lasted_s:g} s" if f.lasted_s else ""
    others = f" and {len(f.elements) - 1} more" if len(f.elements) > 1 else ""
    worst = _worst(f) if f.outcome == "violated" else ""
    cause = f'<div class="cause">{escape(f.cause)}</div>' if f.cause else ""
    remark = f'<div class="remark">{escape(f.remark)}</div>' if f.remark else ""
    if f.outcome == "not_applicable":
        numbers = '<td colspan="4"></td>'
    else:
        numbers = (
            f"<td>{escape(f.element)}{others}<div class='remark'>{escape(f.where)}</div></td>"
            f"<td class=n>{_time(f.t_s)}<div class='remark'>{lasted}</div></td>"
            f"<td class=n>{_quantity(f.value, f.unit)}{worst}</td>"
            f"<td class=n>{_quantity(f.margin, f.unit, 3)}</td>"
        )
    return (
        f"<tr class={outcome}><td class=o>{label}</td><td><b>{escape(f.title)}</b>{remark}{cause}</td>"
        f"<td class=n>{_bounds(f)}</td><td>{source}{mark}{derived}</td>{numbers}</tr>"
    )


def _worst(f: Finding) -> str:
    if f.worst_t_s is None or (f.worst_t_s == f.t_s and f.worst_element == f.element):
        return ""
    text = f"worst {_quantity(f.worst_value, f.unit)} {escape(f.worst_element)} {_time(f.worst_t_s)}"
    return f"<div class='remark'>{text}</div>"


def _bounds(f: Finding) -> str:
    low = f"≥ {number(f.at_least)}" if f.at_least is not None else ""
    high = f"≤ {number(f.at_most)}" if f.at_most is not None else ""
    return "<br>".join(part for part in (low, high) if part) + f" {escape(f.unit)}"


def kpi_rows(every: Mapping[str, Mapping[str, Any]]) -> str:
    """Return one table row per KPI: the whole run, and what it was at units and voltage levels."""
    rows = []
    for name, record in every.items():
        if "@" in name:
            continue
        parts = [
            f"{escape(key.split('@', 1)[1])}&nbsp;{_value(part['value'])}"
            for key, part in every.items()
            if key.startswith(f"{name}@")
        ]
        gap = (
            f" <span class='mark'>unknown for {record['unknown_s']:g} s</span>" if record["unknown_s"] else ""
        )
        rows.append(
            f"<tr><td><code>{escape(name)}</code><div class='remark'>{escape(describe(name))}</div></td>"
            f"<td class=n><b>{_value(record['value'])}</b> {escape(record['unit'])}{gap}</td>"
            f"<td>{escape(str(record['at']))}</td><td class=n>{_time(record['t_s'])}</td>"
            f"<td class=parts>{' · '.join(parts)}</td></tr>"
        )
    return "".join(rows)


def event_rows(results: "Results") -> str:
    """Return the first events, one row each."""
    events = results.events
    rows = [
        f"<tr><td class=n>{_time(float(e['t_s']))}</td><td>{escape(str(e['kind']))}</td>"
        f"<td>{escape(str(e['source'] or ''))}</td><td>{escape(action_text(e))}</td></tr>"
        for _, e in events.head(MOST_EVENTS).iterrows()
    ]
    if len(events) > MOST_EVENTS:
        rows.append(f"<tr><td colspan=4>and {len(events) - MOST_EVENTS} more in the results folder</td></tr>")
    return "".join(rows)


def provenance_html(results: "Results") -> str:
    """Return what the model says of itself: evidence shares as bars, all else as a list."""
    found = results.manifest.get("grid")
    return nested(found) if found else "<p>The model says nothing about its sources.</p>"


def nested(content: Any) -> str:
    """Return nested mappings and lists as HTML lists; a mapping of shares that sum to one as bars."""
    if isinstance(content, Mapping):
        shares = _shares(content)
        if shares:
            return shares
        items = "".join(f"<dt>{escape(_words(k))}</dt><dd>{nested(v)}</dd>" for k, v in content.items())
        return f"<dl>{items}</dl>"
    if isinstance(content, Sequence) and not isinstance(content, str):
        if all(not isinstance(v, Mapping | list | tuple) for v in content) and len(content) <= 4:
            return escape(", ".join(str(v) for v in content))
        return "<ul>" + "".join(f"<li>{nested(v)}</li>" for v in content) + "</ul>"
    if isinstance(content, float):
        return escape(number(content))
    return escape(str(content))


def _shares(content: Mapping[str, Any]) -> str:
    values = list(content.values())
    numeric = values and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not numeric or abs(sum(values) - 1.0) > 0.02 or min(values) < 0.0:
        return ""
    bars = "".join(
        f"<i style='width:{100 * v:.1f}%' class='e{i % 5}' title='{escape(str(k))}'></i>"
        for i, (k, v) in enumerate(content.items())
    )
    legend = " ".join(
        f"<span><b class='e{i % 5}'></b>{escape(_words(k))} {100 * v:.0f} %</span>"
        for i, (k, v) in enumerate(content.items())
    )
    return f"<div class=shares>{bars}</div><div class=legend>{legend}</div>"


def _words(key: Any) -> str:
    return str(key).replace("_", " ")


def _time(t_s: float | None) -> str:
    return "" if t_s is None else f"{t_s:g}&nbsp;s"


def _value(value: float | None) -> str:
    return "–" if value is None else number(value)


def _quantity(value: float, unit: str, digits: int = 5) -> str:
    return escape(quantity(value, unit, digits)) if math.isfinite(value) else "–"
