"""The comparison as plain text."""

import io
from collections.abc import Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from cosim.compare.runs import Run
from cosim.compare.sides import figures_apart, limits_apart
from cosim.verdict.text import WIDTH, number, quantity


def summary(runs: Sequence[Run]) -> str:
    """Return verdicts, limits that came out differently, and key figures of the whole run that differ."""
    out = io.StringIO()
    console = Console(file=out, width=WIDTH, color_system=None, highlight=False, markup=False)
    for run in runs:
        console.print(f"{run.label}: {run.verdict.summary()}", soft_wrap=True)
    apart = [row for row in limits_apart(runs) if row.differs]
    if apart:
        table = Table(title="Limits that came out differently", box=SIMPLE)
        for head in ("limit", *(run.label for run in runs)):
            table.add_column(head)
        for limit in apart:
            table.add_row(
                limit.title, *("not judged" if f is None else said(f.outcome) for f in limit.findings)
            )
        console.print(table)
    whole = [row for row in figures_apart(runs) if "@" not in row.key]
    differing = [row for row in whole if row.differs]
    table = Table(title=f"Key figures that differ: {len(differing)} of {len(whole)}", box=SIMPLE)
    table.add_column("figure", no_wrap=True)
    for head in (
        *(run.label for run in runs),
        *("difference" if len(runs) == 2 else f"{r.label} - {runs[0].label}" for r in runs[1:]),
    ):
        table.add_column(head, justify="right", overflow="fold")
    for row in differing:
        cells = [shown(value, row.unit) for value in row.values]
        table.add_row(row.key, *cells, *(shown(d, row.unit, sign=True) for d in row.differences))
    console.print(table)
    return out.getvalue()


def shown(value: float | None, unit: str, *, sign: bool = False) -> str:
    """Return a value with its unit, a difference with its sign; a dash where there is none."""
    if value is None:
        return "-"
    if sign:
        return f"{'+' if value > 0.0 else ''}{number(value, 4)} {unit}".strip()
    return quantity(value, unit)


def said(outcome: str) -> str:
    """Return an outcome in words."""
    return outcome.replace("_", " ")
