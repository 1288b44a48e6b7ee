r"""Kinetic energy of each synchronous area at an operating point, against published ranges.

An area whose machines :math:`k` have ratings :math:`S_k` of families with published inertia constants from
:math:`\ell_k` to :math:`u_k` (`grids/data/inertia_ranges.csv`) must have a mean constant between

.. math:: \sum_k \ell_k S_k / \sum_k S_k \quad\text{and}\quad \sum_k u_k S_k / \sum_k S_k,

and no row of machines outside the range of its family. No measurement of a Chinese area was found; what is
said of one elsewhere is compared, too, and refused only where it is published. Over the load, it was 8.5 s in
Great Britain on 2017-05-09 and 7 to 9 s in Japan's 60 Hz areas (T. Inoue and others, IEEE Transactions on
Power Systems 12, 1997).
"""

import csv
from functools import cache
from typing import Literal

import numpy as np
from pydantic import Field

from cosim.core.params import Params
from cosim.core.types import Bools, Floats
from grids.case import Case
from grids.checks.finding import Finding, State, listed
from grids.fleet import Fleet, areas_from_case, fleet_from_case
from grids.plants import DATA

CHECK = "inertia"

FAMILIES = {
    "coal": "thermal",
    "gas": "thermal",
    "nuclear": "nuclear",
    "hydro": "hydro",
    "pumped": "hydro",
    "condenser": "condenser",
}
"""First word of a plant type, after `rest` -> family of inertia_ranges.csv."""


class InertiaRange(Params):
    """One row of inertia_ranges.csv."""

    scope: Literal["family", "area"] = Field(description="machines of a family, or a whole area")
    low_s: float = Field(gt=0, description="smallest inertia constant on rating")
    high_s: float = Field(gt=0, description="largest inertia constant on rating")
    status: Literal["published", "(unconfirmed)"] = Field(description="whether the range is confirmed")
    source: str = Field(description="where it comes from")


@cache
def inertia_ranges() -> dict[str, InertiaRange]:
    """Return the ranges by family or area."""
    with (DATA / "inertia_ranges.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {row.pop("name"): InertiaRange.model_validate(row) for row in rows}


def check_inertia(case: Case, *, is_province: bool) -> list[Finding]:
    """Return the kinetic energy of each area over rating and load; provinces must keep to the ranges."""
    fleet, areas = fleet_from_case(case), areas_from_case(case)
    kinds = [*case.net.gen["plant_type"], *case.net["rest_fleet"]["plant_type"]]
    family = [FAMILIES.get(str(kind).removeprefix("rest_").split("_")[0], "thermal") for kind in kinds]
    ranges = inertia_ranges()
    low = np.array([ranges[name].low_s for name in family])
    high = np.array([ranges[name].high_s for name in family])
    outside_mw = case.net["areas"]["rest_load_mw"].to_numpy(dtype=float)
    load = case.net.load[case.net.load["in_service"]]
    area_of_load = case.net.bus["area"].loc[load["bus"]].to_numpy()
    found = []
    for k, name in enumerate(areas.name):
        turning = (fleet.area == k) & fleet.online & (fleet.h_s > 0.0)
        if not turning.any():
            found.append(Finding(CHECK, State.NOTE, f"{name}: no machine turns"))
            continue
        load_mw = float(load["p_mw"].to_numpy()[area_of_load == name].sum()) + outside_mw[k]
        found.append(_of_machines(fleet, turning, (low, high), name, load_mw, is_province=is_province))
        if name in ranges:
            found.append(_of_area(name, ranges[name], found[-1].value or 0.0, is_province=is_province))
    return found


def _of_machines(
    fleet: Fleet,
    turning: Bools,
    usual_s: tuple[Floats, Floats],
    area: str,
    load_mw: float,
    *,
    is_province: bool,
) -> Finding:
    (low, high), sn, h = usual_s, fleet.sn_mva[turning], fleet.h_s[turning]
    mean_s, least_s, most_s = (float(values @ sn / sn.sum()) for values in (h, low[turning], high[turning]))
    usual = f"such machines: {least_s:.1f} to {most_s:.1f} s"
    text = f"{area}: {h @ sn / 1e3:.0f} GW s, {mean_s:.2f} s of rating ({usual})"
    if load_mw > 0.0:
        text += f", {h @ sn / load_mw:.1f} s of load"
    beyond = turning & ((fleet.h_s < low) | (fleet.h_s > high))
    if beyond.any():
        names = [f"{fleet.name[i]} {fleet.h_s[i]:.2f} s" for i in np.flatnonzero(beyond)]
        text += f"; outside the range of their family: {listed(names)}"
    good = least_s <= mean_s <= most_s and not beyond.any()
    return Finding(CHECK, _state(good, is_province), text, mean_s, most_s)


def _of_area(name: str, known: InertiaRange, mean_s: float, *, is_province: bool) -> Finding:
    good = known.low_s <= mean_s <= known.high_s
    text = f"{name}: {mean_s:.2f} s of rating, elsewhere {known.low_s:g} to {known.high_s:g} s {known.status}"
    return Finding(CHECK, _state(good, is_province and known.status == "published"), text, mean_s)


def _state(good: bool, required: bool) -> State:
    return State.of(good) if good or required else State.NOTE
