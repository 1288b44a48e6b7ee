"""Operating points of a province: loads, wind and PV, dispatch, shunts and taps from its recipe."""

import math
from typing import Any

import numpy as np

from grids.case import Case
from grids.links.schedules import link_of, link_schedules
from grids.recipe.dispatch import Plant, commit, dispatch
from grids.recipe.plan import PointPlan, RecipePlan
from grids.recipe.settle import settle

CLOSED_MW = 0.5
"""What the slack may keep after dispatch."""

_OWN_PU = {
    "wind": "wind_pu",
    "pv": "pv_pu",
    "storage": "storage_pu",
    "hydro": "hydro_pu",
    "thermal": "thermal_pu",
}


def work_out(case: Case, plan: RecipePlan, point: PointPlan) -> Any:
    """Return the net of a case at an operating point: everything scheduled, losses dispatched, solved.

    Raises
    ------
    ValueError
        When the plants cannot cover the demand, or a name of the recipe is not in the case.
    """
    net = case.net
    _known(net, point)
    _loads(net, point)
    _injections(net, point, _links_mw(net, plan, point, case.point or ""))
    net.gen["vm_pu"] = [point.vm_pu[float(net.bus.at[bus, "vn_kv"])] for bus in net.gen["bus"]]
    plants = [
        Plant(str(row["name"]), str(row["plant_type"]), float(row["min_p_mw"]), float(row["max_p_mw"]))
        for row in net.gen.to_dict("records")
        if row["dispatchable"] and row["plant_type"] != "hydro" and row["name"] not in point.unavailable
    ]
    fixed = _fixed(net, point)
    given = [*net.sgen["p_mw"], *fixed.values()]
    drawn_mw = float(net.load["p_mw"].sum())
    export_mw = -sum(min(mw, 0.0) for mw in given)
    demand_mw = drawn_mw - sum(given)
    losses_mw = 0.01 * drawn_mw
    for _ in range(8):
        running = commit(
            plants,
            plan.merit_order,
            point.must_run,
            demand_mw + losses_mw,
            plan.reserve_pu * (drawn_mw + export_mw),
        )
        p_mw = dispatch(running, plan.merit_order, demand_mw + losses_mw, plan.top_pu)
        p_mw.update(fixed)
        net.gen["in_service"] = [name in p_mw for name in net.gen["name"]]
        net.gen["p_mw"] = [round(p_mw.get(name, 0.0), 1) for name in net.gen["name"]]
        settle(net, *plan.vm_shunt_pu)
        slack_mw = float(net.res_ext_grid["p_mw"].sum())
        if abs(slack_mw) <= CLOSED_MW:
            break
        losses_mw += slack_mw
    return net


def _known(net: Any, point: PointPlan) -> None:
    gens, given = set(net.gen["name"]), {*net.sgen["name"], *net.gen["name"][~net.gen["dispatchable"]]}
    wrong = [*({*point.must_run, *point.unavailable} - gens), *({*point.injections_mw} - given)]
    wrong += [kind for kind in point.rest_fleet_mw if kind not in set(net["rest_fleet"]["plant_type"])]
    if wrong:
        msg = f"recipe names {', '.join(sorted(wrong))}, which the case does not have"
        raise ValueError(msg)


def _links_mw(net: Any, plan: RecipePlan, point: PointPlan, label: str) -> dict[str, float]:
    """Return what the ends of scheduled links inject [MW]; layers of an end share by their rating."""
    ends = net.sgen[net.sgen["type"] == "dc"]
    link, known = ends["name"].map(link_of), link_schedules()
    scheduled = [*plan.sends, *plan.receives]
    wrong = [
        f"{name!r} is {problem}"
        for name in scheduled
        for problem, found in (
            ("no link of the case", name not in set(link)),
            (f"not scheduled at {label!r}", name not in known or label not in known[name].p_mw),
            ("in injections_mw, too", any(link_of(element) == name for element in point.injections_mw)),
        )
        if found
    ]
    if wrong:
        msg = f"recipe: {'; '.join(wrong)} (allowed: links of grids/data/link_schedules.csv, once each)"
        raise ValueError(msg)
    p_mw: dict[str, float] = {}
    for side, names in enumerate((plan.sends, plan.receives)):
        for name in names:
            layers = ends[link == name]
            shares = known[name].ends_mw(label)[side] * layers["sn_mva"] / layers["sn_mva"].sum()
            p_mw.update(zip(layers["name"], shares, strict=True))
    return p_mw


def _fixed(net: Any, point: PointPlan) -> dict[str, float]:
    """Return what machines deliver that nobody dispatches: hydro by the river, interchange by schedule."""
    p_mw = {}
    for row in net.gen.to_dict("records"):
        name = str(row["name"])
        if not row["dispatchable"]:
            p_mw[name] = float(point.injections_mw.get(name, 0.0))
        elif row["plant_type"] == "hydro" and name not in point.unavailable and point.hydro_pu > 0.0:
            p_mw[name] = round(max(point.hydro_pu * row["max_p_mw"], row["min_p_mw"]), 1)
    return p_mw


def _loads(net: Any, point: PointPlan) -> None:
    pumping = net.load["type"] == "pumping"
    for column in ("p_mw", "q_mvar"):
        net.load[column] = (net.load[column] * point.load_pu).round(1).where(~pumping, 0.0)
    rated = net.gen.set_index("name")["max_p_mw"]
    for i in net.load.index[pumping]:  # "<plant> pumping" belongs to the machine "<plant>"
        net.load.at[i, "p_mw"] = round(
            point.pumping_pu * rated[net.load.at[i, "name"][: -len(" pumping")]], 1
        )


def _injections(net: Any, point: PointPlan, links_mw: dict[str, float]) -> None:
    given = {**links_mw, **point.injections_mw}
    for i, row in net.sgen.iterrows():
        own = _OWN_PU.get(row["type"])
        share = getattr(point, own) * row["sn_mva"] if own else 0.0
        net.sgen.at[i, "p_mw"] = round(float(given.get(row["name"], share)), 1)
    areas, rest = net["areas"], net["rest_fleet"]
    areas["rest_load_mw"] = point.rest_load_mw
    for column, place in (("sn_mva", 0), ("p_mw", 1)):
        rest[column] = [float(point.rest_fleet_mw[kind][place]) for kind in rest["plant_type"]]


def reactive_findings(net: Any) -> list[str]:
    """Return a line for each running machine beyond its reactive limits."""
    q = net.res_gen["q_mvar"].to_numpy()
    low, high = net.gen["min_q_mvar"].to_numpy(), net.gen["max_q_mvar"].to_numpy()
    beyond = net.gen["in_service"].to_numpy() & ((q < low) | (q > high))
    rows = zip(net.gen["name"][beyond], q[beyond], low[beyond], high[beyond], strict=True)
    return [f"{name}: {mvar:.0f} Mvar (allowed: {lo:.0f} to {hi:.0f})" for name, mvar, lo, hi in rows]


def losses_mw(net: Any) -> float:
    """Return the losses of lines and transformers [MW]."""
    return float(np.nansum(net.res_line["pl_mw"]) + np.nansum(net.res_trafo["pl_mw"]))


def number(value: float) -> str:
    """Return a number for a cell, without a decimal point where it is whole."""
    return "" if math.isnan(value) else f"{value:.6g}"
