"""The verdict as plain text for a terminal."""

import io
import math
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from cosim.verdict.findings import Finding, Verdict

WIDTH = 118
CLOSEST = 8
"""Limits that held and are listed; the rest is in verdict.json and the report."""


def number(value: float, significant: int = 5) -> str:
    """Return a number with as many digits as a reader needs: five significant ones.

    >>> number(49.81234), number(0.93), number(18240.4)
    ('49.812', '0.93', '18240')
    """
    if not math.isfinite(value):
        return "no value"
    if abs(value) < 1e-9:  # rounding of sums that cancel
        return "0"
    if abs(value) < 1e-4:
        return f"{value:.1e}"
    digits = max(0, significant - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float, unit: str, significant: int = 5) -> str:
    """Return a number with its unit; a frequency to a tenth of a millihertz, where studies look.

    >>> quantity(49.99934, "Hz"), quantity(0.93, "pu")
    ('49.9993 Hz', '0.93 pu')
    """
    shown = f"{value:.4f}" if unit == "Hz" and math.isfinite(value) else number(value, significant)
    return f"{shown} {unit}".strip()


def verdict_table(verdict: "Verdict") -> str:
    """Return the verdict as text: one line of summary, what broke with its cause, what came closest."""
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, highlight=False, markup=False)
    console.print(verdict.summary())
    if verdict.findings:
        console.print(_broken(verdict))
        for cause, ids in _causes(verdict).items():
            console.print(f"  {', '.join(ids)}: {cause}")
    if verdict.held:
        console.print(_held(verdict))
    return out.getvalue()


def _broken(verdict: "Verdict") -> Table:
    table = Table(title="Broken or unknown", box=SIMPLE)
    for head in ("first at", "limit", "where", "value", "limit is", "worst", "for"):
        table.add_column(head, no_wrap=head in ("limit", "first at"))
    for f in verdict.findings:
        table.add_row(
            _time(f.t_s),
            f"{'FAIL' if f.fails else 'warn'} {f.id}",
            f.element + (f" +{len(f.elements) - 1}" if len(f.elements) > 1 else ""),
            _value(f.value, f),
            _bound(f),
            _value(f.worst_value, f),
            f"{f.unknown_s if f.outcome == 'unknown' else f.lasted_s:g} s",
        )
    return table


def _causes(verdict: "Verdict") -> dict[str, list[str]]:
    """Return each cause once, with the findings that share it."""
    causes: dict[str, list[str]] = {}
    for finding in verdict.findings:
        if finding.cause:
            causes.setdefault(finding.cause, []).append(finding.id)
    return causes


def _held(verdict: "Verdict") -> Table:
    heads = ("held, closest first", "where", "at", "value", "limit is", "margin")
    table = Table(*heads, box=SIMPLE)
    for f in verdict.held[:CLOSEST]:
        table.add_row(f.id, f.element, _time(f.t_s), _value(f.value, f), _bound(f), _value(f.margin, f, 3))
    return table


def _time(t_s: float | None) -> str:
    return "" if t_s is None else f"{t_s:g} s"


def _value(value: float, finding: "Finding", digits: int = 5) -> str:
    return quantity(value, finding.unit, digits) if math.isfinite(value) else "-"


def _bound(finding: "Finding") -> str:
    if finding.limit is None:
        return ""
    mark = " (unconfirmed)" if finding.status == "unconfirmed" else ""
    return f"{number(finding.limit)}{mark}"
