"""The feasible range about the power of each unit, and what came of the promises made on it."""

import json
import math
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from cosim.core.flexibility import COLUMNS
from cosim.kpi import orders
from cosim.kpi.panel import component_tables, tables_with
from cosim.report.figure import Figure, Line, lines_of
from cosim.verdict.text import number

if TYPE_CHECKING:
    from cosim.results import Results

TABLE = "flexibility"
MOST_UNITS = 12

HEADINGS = {
    "name": "unit",
    "at_s": "ordered [s]",
    "asked_mw": "asked [MW]",
    "promised_mw": "promised [MW]",
    "baseline_mw": "from [MW]",
    "duration_s": "for [s]",
    "delivered_mw": "delivered, mean [MW]",
    "shortfall_mwh": "short of it [MWh]",
    "response_s": "90 % after [s]",
    "rebound_mwh": "rebound [MWh]",
}


def ribbons(results: "Results") -> list[Figure]:
    """Return a plot for each unit that can be moved: its power within what was feasible.

    Of many units those with the widest range are drawn.
    """
    if TABLE not in results.tables or not results.elements(TABLE):
        return []
    low = results.series(TABLE, "baseline_mw") - results.series(TABLE, "down_mw")
    high = results.series(TABLE, "baseline_mw") + results.series(TABLE, "up_mw")
    width = (high - low).max().sort_values(ascending=False, kind="stable")
    movable = [str(name) for name in width.index if width[name] > 0.0]
    shown = [name for name in low.columns if str(name) in movable[:MOST_UNITS]]
    t_s = np.asarray(low.index, dtype=np.float64)
    figures = []
    for name in shown:
        lines = [
            Line("lowest it could hold", t_s, np.asarray(low[name]), "dot", 5),
            Line("highest it could hold", t_s, np.asarray(high[name]), "dot", 5, fill=True),
            *_power(results, str(name)),
        ]
        figure = Figure(f"Feasible range of {name}", "MW", lines, caption=_horizon(results))
        figures.append(figure)
    if len(movable) > len(shown) and figures:
        figures[0].caption += f"; the {len(shown)} of {len(movable)} units with the widest range"
    return figures


def promises(results: "Results") -> list[Figure]:
    """Return a plot for each controller: what it was asked for, promised and delivered."""
    told = (
        ("asked_mw", "asked"),
        ("promised_mw", "promised"),
        ("delivered_mw", "delivered, an exchange later"),
    )
    figures = []
    for table in tables_with(results, "delivered_mw"):
        there = [pair for pair in told if pair[0] in results.columns(table)]
        for name in results.elements(table):
            lines = [line for c, label in there for line in lines_of(results, table, c, [name], label=label)]
            figures.append(Figure(f"{name}: changes of power", "MW", lines))
    return figures


def promised_columns(results: "Results") -> set[tuple[str, str]]:
    """Return what the plots of promises show of the results."""
    names = ("asked_mw", "promised_mw", "delivered_mw")
    return {(table, name) for table in tables_with(results, "delivered_mw") for name in names}


def columns() -> set[tuple[str, str]]:
    """Return what the ribbons show of the results."""
    return {(TABLE, column) for column in COLUMNS}


def order_table(results: "Results") -> str:
    """Return a section with promised and delivered for each order and law, or nothing without any."""
    parts = _orders_html(results) + _laws_html(results)
    return f'<section id="orders"><h2>Promised and delivered</h2>{parts}</section>' if parts else ""


def _laws_html(results: "Results") -> str:
    """Return a row for each time a law of a controller acted and was over."""
    over = results.events[results.events["kind"] == "law_over"]
    if not len(over):
        return ""
    heads = ("controller", "law", "from [s]", "to [s]", "promised [MWh]", "delivered [MWh]", "share [pu]")
    rows = []
    for _, event in over.iterrows():
        told = json.loads(str(event["data"]))
        promised, delivered = float(told["promised_mwh"]), float(told["delivered_mwh"])
        cells = [float(told["from_s"]), float(told["to_s"]), promised, delivered]
        cells.append(delivered / promised if promised else math.nan)
        names = f"<td>{escape(str(event['source']))}</td><td>{escape(str(told['law']))}</td>"
        rows.append(f"<tr>{names}{''.join(_cell('', value) for value in cells)}</tr>")
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    return (
        f"<h3>Laws of controllers, each time one acted</h3><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _orders_html(results: "Results") -> str:
    found = orders(results)
    if not len(found):
        return ""
    head = "".join(f"<th>{escape(text)}</th>" for text in HEADINGS.values())
    rows = "".join(
        "<tr>" + "".join(_cell(column, row[column]) for column in HEADINGS) + "</tr>"
        for _, row in found.iterrows()
    )
    note = (
        "Changes of power at the connection point, below 0 less is drawn, from the power the unit said it"
        " would draw otherwise. Shortfall counts from when the whole change was promised; more at one moment"
        " does not make up for another. Rebound is energy beyond the baseline the other way, for as long"
        " after the end as the change was promised for."
    )
    return f'<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p class="note">{note}</p>'


def _cell(column: str, value: object) -> str:
    if column == "name":
        return f"<td>{escape(str(value))}</td>"
    known = isinstance(value, float) and math.isfinite(value)
    return f"<td class=n>{number(float(value)) if known and isinstance(value, float) else '–'}</td>"


def _horizon(results: "Results") -> str:
    spec = results.manifest.get("flexibility")
    return f"what could be held for {number(float(spec['horizon_s']))} s" if isinstance(spec, dict) else ""


def _power(results: "Results", name: str) -> list[Line]:
    for table in ("point", *component_tables(results)):
        if table in results.tables and "p_mw" in results.columns(table) and name in results.elements(table):
            power = results.series(table, "p_mw")[name]
            t_s = np.asarray(power.index, dtype=np.float64)
            return [Line("power drawn", t_s, np.asarray(power, dtype=np.float64), colour=0)]
    return []
