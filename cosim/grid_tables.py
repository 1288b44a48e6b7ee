"""What `suandian grid show` prints: an inventory of a grid case as tables."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 150
"""Columns of the printed tables where there is no terminal to ask."""

EVIDENCE = ("published", "derived", "synthetic")
APART = "run apart"

Record = dict[str, Any]


def print_inventory(found: Record) -> None:
    """Print an inventory of `grids.inventory`."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    console.print(f"[bold]{found['case']}[/bold]: {found['title']}")
    for text in (found["summary"], _dynamics(found), *(f"assumed: {t}" for t in found["assumptions"])):
        if text:
            console.print(text, markup=False)
    for table in _tables(found):
        if table.row_count:
            console.print()
            console.print(table)
    sources = [*found["sources"], *([f"licence: {found['licence']}"] if found["licence"] else [])]
    if sources:
        console.print("\nSources: " + "; ".join(sources), markup=False)


def _tables(found: Record) -> Iterable[Table]:
    yield _points(found["points"])
    yield _table(
        "Voltage levels",
        ("kV", "buses", "circuits", "km of circuits", "transformers", "MVA of transformers"),
        [tuple(level.values()) for level in found["levels"]],
    )
    yield _levels(found["short_circuit"])
    total_mw = sum(row["rated_mw"] for row in found["capacity"])
    yield _table(
        "Capacity by type",
        ("type", "rows", "MW", "%"),
        [
            (_words(row["kind"]), row["rows_count"], row["rated_mw"], _percent(row["rated_mw"], total_mw))
            for row in found["capacity"]
        ],
    )
    yield _table(
        "Against published totals",
        ("quantity", "case", "published", "apart %", "evidence", "source"),
        [
            (
                *list(row.values())[:3],
                f"{round(row['apart_percent'], 2) + 0.0:.2f}",
                row["evidence"],
                row["source"],
            )
            for row in found["published"]
        ],
    )
    yield _table(
        "Synchronous areas",
        ("area", "Hz", "MW of load outside the case"),
        [tuple(row.values()) for row in found["areas"]],
    )
    yield _table(
        "Direct-current links",
        ("element", "at", "MW rated", *_heads(found), "kV", "leads from - to", "since", "evidence"),
        [
            (
                r["name"],
                r["at"],
                r["rated_mw"],
                *_powers(r, found),
                r["vn_kv"],
                r["leads"],
                r["commissioned"],
                r["evidence"],
            )
            for r in found["links"]
        ],
    )
    yield _table(
        "Ties and interchange",
        ("element", "at", "MW rated", *_heads(found), "share of the area's answer", "evidence"),
        [
            (r["name"], r["at"], r["rated_mw"], *_powers(r, found), r["share_pu"], r["evidence"])
            for r in found["ties"]
        ],
    )
    yield _table(
        "Largest plants",
        ("plant", "type", "MW", f"MW at {_short(found['points'][0])}", "at", "evidence", "source"),
        [
            (r["name"], _words(r["kind"]), r["rated_mw"], r["p_mw"], r["at"], r["evidence"], r["source"])
            for r in found["largest_plants"]
        ],
    )
    yield _table(
        "Points where units connect",
        ("point", "bus", "kV", "description"),
        [tuple(row.values()) for row in found["connections"]],
    )
    yield _evidence(found["evidence"])


def _points(points: Sequence[Record]) -> Table:
    """Return totals, a column for each operating point: load and losses balance with what comes in."""
    kinds = list(dict.fromkeys(kind for point in points for kind in point["made_mw"]))
    rows: list[tuple[str, list[Any]]] = [("load", [p["load_mw"] for p in points])]
    rows += [(_words(kind), [p["made_mw"].get(kind, 0.0) for p in points]) for kind in kinds]
    rows += [
        ("over direct-current links, in", [p["dc_in_mw"] for p in points]),
        ("over direct-current links, out", [p["dc_out_mw"] for p in points]),
        ("interchange with neighbours, in", [p["interchange_mw"] for p in points]),
        ("slack, in", [round(p["slack_mw"], 1) + 0.0 for p in points]),
        ("losses", [p["losses_mw"] for p in points]),
        ("losses, % of load", [_percent(p["losses_mw"], p["load_mw"]) for p in points]),
        ("no solution", [p["problem"] for p in points]),
    ]
    shown = [(name, *values) for name, values in rows if any(values) or name in {"load", "losses"}]
    return _table("Operating points [MW]", ("", *map(_short, points)), shown)


def _levels(records: Sequence[Record]) -> Table:
    """Return levels of buses that stand for several busbars, and of those above the rating."""
    heads = ("bus", "kV", "busbars", "", "lowest kA", "highest kA", "rating kA")
    rows = [
        (
            record["name"],
            record["vn_kv"],
            record["busbars_count"],
            _joined(record),
            *(_one_decimal(record[name]) for name in ("least_ka", "most_ka")),
            record["rating_ka"],
        )
        for record in records
        if not record["boundary"]
        and (record["busbars_count"] > 1 or (record["most_ka"] or 0.0) > record["rating_ka"])
    ]
    apart = sum(_joined(record) == APART for record in records)
    title = "Short-circuit levels, of buses that stand for several or lie above the rating"
    return _table(f"{title} ({apart} run apart)", heads, rows)


def _joined(record: Record) -> str:
    if record["busbars_count"] == 1:
        return ""
    return APART if record["spacing_km"] is None else f"joined over {record['spacing_km']:g} km"


def _one_decimal(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _evidence(counts: Sequence[Record]) -> Table:
    rows: list[tuple[Any, ...]] = [
        (r["table"], r["rows_count"], *(_percent(r[mark], r["rows_count"]) for mark in EVIDENCE))
        for r in counts
    ]
    total = sum(r["rows_count"] for r in counts)
    if total:
        rows.append(("all", total, *(_percent(sum(r[m] for r in counts), total) for m in EVIDENCE)))
    return _table("Evidence", ("table", "rows", *(f"{mark} %" for mark in EVIDENCE)), rows)


def _dynamics(found: Record) -> str:
    models = ", ".join(f"{count} {model}" for model, count in found["dynamic_models"].items()) or "none"
    bare = found["without_dynamic_model"]
    more = f"; without a dynamic model: {', '.join(bare)}" if bare else ""
    head = f"nominal frequency {found['f_nominal_hz']:g} Hz, base {found['base_mva']:g} MVA"
    return f"{head}; dynamic models: {models}{more}"


def _heads(found: Record) -> tuple[str, ...]:
    return tuple(f"MW {_short(point)}" for point in found["points"])


def _powers(record: Record, found: Record) -> list[Any]:
    return [record["p_mw"].get(str(point["point"])) for point in found["points"]]


def _short(point: Record) -> str:
    return str(point["point"] or "base tables").replace("_", " ")


def _words(kind: str) -> str:
    return {"pv": "PV", "thermal": "thermal, small"}.get(kind, kind.replace("_", " "))


def _percent(part: float | None, whole: float) -> str:
    return f"{100.0 * part / whole:.3g}" if part is not None and whole else ""


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    rows = [list(row) for row in rows]
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for n, head in enumerate(heads):
        numbers = any(isinstance(row[n], (int, float)) for row in rows)
        table.add_column(head, justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_text(cell) for cell in row))
    return table


def _text(cell: Any) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000.0 else f"{cell:.4g}"
    return str(cell).replace("[", r"\[")
