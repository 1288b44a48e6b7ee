"""The operating point itself: every bus energised, voltages, loadings, losses, the slack."""

import math
from typing import Any

import numpy as np

from cosim.core.types import Bools, Floats
from grids.checks.base import HIGH_KV, Solved
from grids.checks.finding import Finding, State, listed

VM_LOW_PU, VM_HIGH_PU = 0.95, 1.08
"""Band of voltages of a province at 220 kV and above; other cases say theirs in bus.csv."""

FULL_PERCENT = 100.0
ROUNDING_PERCENT = 0.01
"""Ratings are given in four digits, and a machine may deliver just its transformer's."""

LOSSES_PERCENT = (0.5, 2.5)
"""Losses at 220 kV and above, the least of load, the most of load and exports (one province: unconfirmed)."""

SLACK_PERCENT = 1.0
"""Most the slack may close, of load."""


def check_limits(solved: Solved) -> list[Finding]:
    """Return what holds of an operating point before anything is lost."""
    found = [_connection(solved), _voltages(solved), _loadings(solved)]
    if solved.is_province:
        found += [_losses(solved), _slack(solved)]
    return found


def _connection(solved: Solved) -> Finding:
    net = solved.net
    dark = [str(name) for name in net.bus["name"][~np.isfinite(solved.v)]]
    good = not dark
    text = f"{len(net.bus)} buses in one piece" if good else f"without a source: {listed(dark)}"
    return Finding("connection", State.of(good), text, float(len(dark)), 0.0)


def _voltages(solved: Solved) -> Finding:
    net, vm = solved.net, np.abs(solved.v)
    low, high = (net.bus[name].to_numpy(dtype=float) for name in ("min_vm_pu", "max_vm_pu"))
    if solved.is_province:
        at_220 = solved.bus_at_least(HIGH_KV)
        low, high = np.where(at_220, VM_LOW_PU, low), np.where(at_220, VM_HIGH_PU, high)
    beyond = np.nan_to_num(np.maximum(low - vm, vm - high))
    text = f"{np.nanmin(vm):.3f} to {np.nanmax(vm):.3f} pu"
    order = [k for k in np.argsort(-beyond).tolist() if beyond[k] > 1e-6]
    if order:
        named = [f"{net.bus['name'].iloc[k]} {vm[k]:.3f} pu" for k in order]
        text += f"; outside their band: {listed(named)}"
    return Finding("voltages", State.of(not order), text, float(np.nanmax(beyond)), 0.0)


def _loadings(solved: Solved) -> Finding:
    worst, above = 0.0, []
    for table in ("line", "trafo"):
        frame = solved.net[table]
        if not len(frame):
            continue
        percent = np.nan_to_num(np.asarray(solved.tables[table]["loading_percent"]))
        most = frame["max_loading_percent"].to_numpy(dtype=float)
        worst = max(worst, float(percent.max()))
        limit = np.nan_to_num(most, nan=FULL_PERCENT) + ROUNDING_PERCENT
        order = [k for k in np.argsort(-percent).tolist() if percent[k] > limit[k]]
        above += [f"{solved.names(table)[k]} {percent[k]:.0f} %" for k in order]
    text = f"at most {worst:.1f} %" + (f"; above their rating: {listed(above)}" if above else "")
    return Finding("loadings", State.of(not above), text, worst, FULL_PERCENT)


def losses_mw(solved: Solved) -> float:
    """Return losses of lines and transformers with an end of 220 kV and more."""
    total = 0.0
    for table, end in (("line", "from_bus"), ("trafo", "hv_bus")):
        if len(solved.net[table]):
            high: Bools = solved.bus_at_least(HIGH_KV)[solved.rows(table, end)]
            lost: Floats = np.nan_to_num(np.asarray(solved.tables[table]["pl_mw"]))
            total += float(lost[high].sum())
    return total


def exports_mw(net: Any) -> float:
    """Return what is scheduled to leave through links and interchange, each that draws."""
    ends = net.sgen["p_mw"][net.sgen["type"].isin(["dc", "rest"]) & net.sgen["in_service"]]
    fixed = net.gen["p_mw"][net.gen["in_service"] & ~net.gen["dispatchable"]]
    return -float(ends.clip(upper=0.0).sum() + fixed.clip(upper=0.0).sum())


def _losses(solved: Solved) -> Finding:
    load, lost = solved.load_mw(), losses_mw(solved)
    least = LOSSES_PERCENT[0] / 100.0 * load
    most = LOSSES_PERCENT[1] / 100.0 * (load + exports_mw(solved.net))
    percent = 100.0 * lost / load if load > 0.0 else math.nan
    text = f"{lost:.0f} MW, {percent:.2f} % of load (allowed: {least:.0f} to {most:.0f} MW)"
    return Finding("losses", State.of(least <= lost <= most), text, lost, most)


def _slack(solved: Solved) -> Finding:
    load = solved.load_mw()
    slack = float(solved.tables["grid"]["slack_mw"][0])
    most = SLACK_PERCENT / 100.0 * load
    text = f"{slack:.1f} MW, {100.0 * slack / load:.3f} % of load (allowed: {SLACK_PERCENT:g} %)"
    return Finding("slack", State.of(abs(slack) <= most), text, slack, most)
