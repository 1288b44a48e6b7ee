"""Write the operating points and expected numbers of a province."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from grids.case import case_folder, load_case
from grids.checks.limits import exports_mw
from grids.recipe.plan import PointPlan, RecipePlan, read_plan
from grids.recipe.points import losses_mw, number, reactive_findings, work_out

_TABLES = {
    "load": ("p_mw", "q_mvar"),
    "sgen": ("p_mw",),
    "gen": ("p_mw", "vm_pu", "in_service"),
    "ext_grid": ("vm_pu",),
    "shunt": ("step",),
    "trafo": ("tap_pos",),
    "areas": ("rest_load_mw",),
    "rest_fleet": ("sn_mva", "p_mw"),
}
"""Columns an operating point sets."""

COMPUTED = "computed from a flat start with pandapower 3.5"


def write_points(name: str) -> list[str]:
    """Write `operating_points/` and `expected/` of a case; returns a line per point."""
    folder = case_folder(name)
    plan = read_plan(folder / "recipe.yaml")
    said = []
    for label, point in plan.points.items():
        where = folder / "operating_points" / label
        where.mkdir(parents=True, exist_ok=True)
        for old in where.glob("*.csv"):
            old.unlink()
        _write_yaml(where / "point.yaml", point)
        net = work_out(load_case(str(folder), label), plan, point)
        for table, columns in _TABLES.items():
            _write_table(where / f"{table}.csv", net[table], table, columns)
        (folder / "expected").mkdir(exist_ok=True)
        _write_expected(folder / "expected" / f"{label}.csv", net, plan, point)
        said.append(_told(label, net))
    return said


def _write_yaml(path: Path, point: PointPlan) -> None:
    data = point.model_dump(include={"title", "time", "season", "summary", "stands_for_h"})
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=110)
    path.write_text(text, encoding="utf-8")


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return ("true" if value else "false") if isinstance(value, bool) else number(float(value))


def _write_table(path: Path, frame: Any, table: str, columns: Sequence[str]) -> None:
    keys = ("area", "plant_type") if table == "rest_fleet" else ("name",)
    chosen = frame[frame["tap_control"] == "lv"] if table == "trafo" else frame
    chosen = chosen[chosen["control"] == "voltage"] if table == "shunt" else chosen
    if not len(chosen):
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*keys, *columns])
        for row in chosen.to_dict("records"):
            writer.writerow([_cell(row[column]) for column in (*keys, *columns)])


def _write_expected(path: Path, net: Any, plan: RecipePlan, point: PointPlan) -> None:
    load, lost = float(net.load["p_mw"].sum()), losses_mw(net)
    consumers = float(net.load.loc[net.load["type"] != "pumping", "p_mw"].sum())
    vm = net.res_bus["vm_pu"]
    made = net.res_gen["p_mw"].sum() + net.res_sgen["p_mw"].sum() + net.res_ext_grid["p_mw"].sum()
    share = f"{plan.peak_mw:,.0f} MW x {point.load_pu:g}"
    loading = max(net.res_line["loading_percent"].max(), net.res_trafo["loading_percent"].max())
    rows: list[tuple[str, str, float, float, str, str]] = [
        ("load_mw", "", load, 0.002 * consumers, "MW", f"{share} (hourly shape), pumping on top"),
        ("generation_mw", "", made, 50.0, "MW", "injections less exports; computed"),
        ("losses_mw", "", lost, 50.0, "MW", COMPUTED),
        ("slack_mw", "", 0.0, 0.01 * load, "MW", "schedules close within 1 % of load"),
        ("vm_min_pu", "", 1.0, 0.05, "pu", "all buses within 0.95-1.08"),
        ("vm_max_pu", "", 1.03, 0.05, "pu", "all buses within 0.95-1.08"),
        ("loading_max_percent", "", loading, 3.0, "%", f"{COMPUTED}; below 100"),
    ]
    for kind in ("wind", "pv", "storage", "dc"):
        here = net.sgen[net.sgen["type"] == kind]
        rows.append(("sgen_mw", kind, float(here["p_mw"].sum()), 1.0, "MW", "schedule of recipe.yaml"))
    for name, bus in zip(net.bus["name"], net.bus.index, strict=True):
        if net.bus.at[bus, "vn_kv"] >= 220 and not str(name).endswith("plant"):
            rows.append(("vm_pu", name, float(vm[bus]), 0.002, "pu", COMPUTED))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("quantity", "element", "value", "tolerance", "unit", "source"))
        for quantity, element, value, tolerance, unit, source in rows:
            writer.writerow((quantity, element, number(value), number(tolerance), unit, source))


def _told(label: str, net: Any) -> str:
    load = float(net.load["p_mw"].sum())
    vm = net.res_bus["vm_pu"]
    lines, banks = net.res_line["loading_percent"], net.res_trafo["loading_percent"]
    running = net.gen[net.gen["in_service"] & net.gen["dispatchable"]]
    findings = reactive_findings(net)
    share = 100.0 * losses_mw(net) / (load + exports_mw(net))
    size = f"load {load:.0f} MW, losses {share:.2f} % of load and exports"
    slack = f"slack {net.res_ext_grid['p_mw'].sum():.1f} MW {net.res_ext_grid['q_mvar'].sum():.0f} Mvar"
    low, high = (f"{vm[i]:.3f} ({net.bus['name'][i]})" for i in (vm.idxmin(), vm.idxmax()))
    line = f"line {lines.max():.0f} % ({net.line['name'][lines.idxmax()]})"
    bank = f"bank {banks.max():.0f} % ({net.trafo['name'][banks.idxmax()]})"
    plants = f"{len(running)} plants run at {running['p_mw'].sum() / running['max_p_mw'].sum():.2f}"
    first = f"{label}: {size}, {slack}"
    return "\n  ".join([first, f"voltage {low} to {high}", f"{line}, {bank}", plants, *findings])
