r"""Dynamic models of a case without tables of its own: by plant type and size, and the rest of each area.

A case asks for it with `dynamics: by_plant_type` in case.yaml. Electrical data come from
`grids/data/plant_dynamics.csv`, inertia and governor from `plant_types.csv`, so that both engines have the
same; rows of the case's own tables go first.

* A machine stands at a busbar of high voltage, so its step-up transformer is part of it: `xt_pu` is added to
  all reactances, which is exact for the stator and lets the exciter hold the busbar.
* A row stands for several units of which a share :math:`r` (`responding_pu` of the row, else of its plant
  type) has a governor that answers. Their sum is one governor with the droop, limit and rate

  .. math:: R' = R/r, \quad \ell' = r\,\ell, \quad \dot y'_{max} = r\,\dot y_{max},

  on the rating of all, for hydro with the temporary droop :math:`R_T/r`: the same power for the same
  deviation as in the area model. With :math:`r = 0` the governor is blocked (no speed leaves its dead-band)
  and still takes orders.
* Wind and PV (`type` of sgen.csv) that deliver anything are REGC_A with REEC_A at constant power; storage is
  REGC_A with REEC_C, half charged. None of them answers frequency, as in the area model: what of it is in
  service is not public. Tables of the case may say otherwise (`repc_a`, `gbt_40595_storage`).
* What enters through a tie (`ties.csv`) has, per share, the machines of `rest_fleet.csv` as one: the machine,
  exciter and stabiliser of the largest type among them with the inertia of all and the damping of the load
  outside; and one governor on the capacity :math:`P = \sum_k P_k` that responds. It has the times of the
  type that responds most, and what makes the steady answer that of all types beyond their dead-bands:

  .. math:: \frac{P}{R} = \sum_k \frac{P_k}{R_k}, \quad b = R \sum_k \frac{P_k}{P R_k}\,b_k, \quad
      \ell = \sum_k \frac{P_k}{P}\,\ell_k.

  Converters and relays there are left out. A share at an sgen goes to the ext_grid of its bus.
* Direct-current links and everything else keep their power.
"""

import csv
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Literal

import numpy as np
from pydantic import Field

from cosim.core.errors import CaseError, collected
from cosim.core.params import Params
from grids.case import Case
from grids.caseread import place_in
from grids.plants import DATA, RATED_PU, WITHOUT_MACHINE, PlantType, plant_types

RIDE_THROUGH: dict[str, float] = {
    "vref0_pu": 1.0,
    "dbd1_pu": -0.1,
    "dbd2_pu": 0.1,
    "kqv_pu": 1.5,
}
"""Reactive current 1.5 (0.9 - V) below 0.9 pu, the least GB/T 19963.1-2021 asks of wind (unconfirmed)."""

BLOCKED_PU = 1.0
"""Dead-band of a governor that does not answer: no machine comes to twice its speed, or to rest."""

NO_LOAD_FLOW_PU = 0.08
"""Flow of a hydro turbine without load (unconfirmed)."""

Row = tuple[str, str, dict[str, float]]
"""Model, element, parameters."""


class PlantDynamics(Params):
    """One row of plant_dynamics.csv; per unit of the machine's MVA."""

    machine: Literal["genrou", "gensal"] = Field(description="model")
    xt_pu: float = Field(ge=0, description="step-up transformer")
    xl_pu: float = Field(gt=0, description="leakage")
    xd_pu: float = Field(gt=0, description="synchronous reactance, d-axis")
    xq_pu: float = Field(gt=0, description="synchronous reactance, q-axis")
    xd1_pu: float = Field(gt=0, description="transient reactance, d-axis")
    xq1_pu: float | None = Field(description="transient reactance, q-axis; none for gensal")
    xd2_pu: float = Field(gt=0, description="sub-transient reactance")
    td10_s: float = Field(gt=0, description="T'd0")
    tq10_s: float | None = Field(description="T'q0; none for gensal")
    td20_s: float = Field(gt=0, description="T''d0")
    tq20_s: float = Field(gt=0, description="T''q0")
    k_pu: float = Field(gt=0, description="gain of the exciter (SEXS)")
    ta_tb_pu: float = Field(ge=0, description="its transient gain reduction")
    tb_s: float = Field(ge=0, description="its lag TB")
    te_s: float = Field(ge=0, description="its lag TE")
    emin_pu: float = Field(description="smallest field voltage")
    emax_pu: float = Field(description="largest field voltage")
    ks_pu: float = Field(ge=0, description="gain of the stabiliser (IEEEST, speed); 0: none")
    status: str = Field(description="published or (unconfirmed)")
    source: str = Field(description="where the numbers come from")


@cache
def plant_dynamics() -> dict[str, PlantDynamics]:
    """Return the machine data of each plant type that has any."""
    with (DATA / "plant_dynamics.csv").open(encoding="utf-8") as file:
        rows = [{key: cell or None for key, cell in row.items()} for row in csv.DictReader(file)]
    return {str(row.pop("plant_type")): PlantDynamics.model_validate(row) for row in rows}


def by_plant_type(case: Case, modelled: set[str]) -> list[Row]:
    """Return the models of all elements of a case that are not in `modelled`.

    Raises
    ------
    CaseError
        With every machine in service that no plant type, tie or share has data for.
    """
    net = case.net
    ties = _tie_shares(case)
    rows: list[Row] = []
    wrong: list[str] = []
    for table in ("gen", "ext_grid"):
        for gen in net[table].to_dict("records"):
            name = str(gen["name"])
            if name in modelled or not gen["in_service"]:
                continue
            if name in ties:
                rows += _rest(case, name, *ties[name], p_mw=float(gen.get("p_mw", 0.0)))
            elif gen.get("plant_type") in plant_dynamics() and _own(gen, "h_s") > 0.0:
                rows += _machine(gen, float(case.meta["f_nominal_hz"]))
            else:
                where, allowed = place_in(case.folder, table, name), ", ".join(plant_dynamics())
                kind = gen.get("plant_type")
                column, value = ("plant_type", kind) if table == "gen" else ("name", name)
                wrong.append(
                    f"{where}, column {column}: {value!r}: {table} {name!r} has no dynamic data: it is no "
                    f"tie with a rest_fleet, and its plant_type has none, or no inertia (allowed: {allowed})"
                )
    collected(wrong, CaseError)
    for sgen in net.sgen.to_dict("records"):
        drawing = sgen["in_service"] and sgen["p_mw"] != 0.0 and str(sgen["name"]) not in modelled
        if drawing and sgen["type"] in {"wind", "pv", "storage"}:
            rows += _converter(sgen)
    return rows


def _own(row: Mapping[Any, Any], name: str) -> float:
    """Return what a row says, else its plant type."""
    own = float(row.get(name, math.nan))
    return float(getattr(plant_types()[row["plant_type"]], name)) if math.isnan(own) else own


def _machine(gen: dict[Any, Any], f_hz: float) -> Iterator[Row]:
    name, kind = str(gen["name"]), plant_types()[gen["plant_type"]]
    size = {"sn_mva": float(gen["sn_mva"]), "h_s": _own(gen, "h_s")}
    yield from _electrical(name, plant_dynamics()[gen["plant_type"]], size)
    if kind.governor != "none" and float(gen["p_mw"]) >= 0.0:
        yield _governor(kind, name, float(gen["max_p_mw"]), f_hz, responding_pu=_own(gen, "responding_pu"))


def _electrical(name: str, data: PlantDynamics, size: dict[str, float]) -> Iterator[Row]:
    """Return machine, exciter and stabiliser; `size` has rating, inertia and damping."""
    through = {key: getattr(data, key) for key in ("xl_pu", "xd_pu", "xq_pu", "xd1_pu", "xq1_pu", "xd2_pu")}
    reactances = {key: value + data.xt_pu for key, value in through.items() if value is not None}
    times = {key: getattr(data, key) for key in ("td10_s", "tq10_s", "td20_s", "tq20_s")}
    times = {key: value for key, value in times.items() if value is not None}
    yield data.machine, name, {**size, **reactances, **times}
    keys = ("k_pu", "ta_tb_pu", "tb_s", "te_s", "emin_pu", "emax_pu")
    yield "sexs", name, {key: getattr(data, key) for key in keys}
    if data.ks_pu > 0.0:
        yield "ieeest", name, {"ks_pu": data.ks_pu, **STABILISER}


STABILISER: dict[str, float] = {
    "mode_code": 1,
    "t1_s": 0.15,
    "t2_s": 0.03,
    "t3_s": 0.15,
    "t4_s": 0.03,
    "t5_s": 10.0,
    "t6_s": 10.0,
    "lsmax_pu": 0.05,
    "lsmin_pu": -0.05,
}
"""Speed-input stabiliser: washout of 10 s, two leads for the lag of the field around 1 Hz (unconfirmed)."""


def _governor(
    kind: PlantType,
    name: str,
    rated_mw: float,
    f_hz: float,
    *,
    responding_pu: float = 1.0,
    least_pu: float = 0.0,
) -> Row:
    """Return the governor of a plant type in terms of a model of the rms engine, on `rated_mw`."""
    band, blocked = kind.deadband_hz / f_hz, responding_pu == 0.0
    share = 1.0 if blocked else responding_pu
    droop, rate = kind.droop_pu / share, kind.rate_pu_per_s * share
    limit = min(kind.limit_up_pu, kind.limit_down_pu) * share
    if blocked:
        band = BLOCKED_PU
    edges = {"sn_mva": rated_mw, "dbl_pu": -band, "dbu_pu": band, "plim_pu": limit}
    if kind.governor == "gas":
        return "gast", name, {
            **edges,
            "r_pu": droop,
            "t1_s": kind.t_governor_s,
            "t2_s": kind.t_chest_s,
            "t3_s": 3.0,
            "at_pu": 1.0,
            "kt_pu": 2.0,
            "vmax_pu": 1.0,
            "vmin_pu": least_pu,
        }  # fmt: skip
    if kind.governor == "hydro":
        return "hygov", name, {**edges, **_gate(kind, droop, rate, share)}
    reheat = kind.t_reheat_s if kind.governor == "reheat_steam" else 0.0
    first = kind.f_hp_pu if reheat > 0.0 else 1.0
    return "ieeeg1", name, {
        **edges,
        "k_pu": 1.0 / droop,
        "t3_s": kind.t_governor_s,
        "uo_pu_per_s": rate,
        "uc_pu_per_s": -rate,
        "pmax_pu": 1.0,
        "pmin_pu": least_pu,
        "t4_s": kind.t_chest_s,
        "k1_pu": first,
        "t5_s": reheat,
        "k3_pu": 1.0 - first,
    }  # fmt: skip


def _gate(kind: PlantType, droop_pu: float, rate_pu_per_s: float, share_pu: float) -> dict[str, float]:
    """Return a hydro governor: temporary droop and reset by Kundur 1994, eq. 9.15 and 9.16."""
    over_1_s = kind.t_water_s - 1.0
    return {
        "rperm_pu": droop_pu,
        "rtemp_pu": (2.3 - 0.15 * over_1_s) * kind.t_water_s / (2.0 * kind.h_s) / share_pu,
        "tr_s": (5.0 - 0.5 * over_1_s) * kind.t_water_s,
        "tf_s": 0.05,
        "tg_s": kind.t_governor_s,
        "velm_pu_per_s": rate_pu_per_s,
        "gmax_pu": 1.0,
        "gmin_pu": 0.0,
        "tw_s": kind.t_water_s,
        "at_pu": 1.0 / (1.0 - NO_LOAD_FLOW_PU),
        "qnl_pu": NO_LOAD_FLOW_PU,
    }


def _converter(sgen: dict[Any, Any]) -> Iterator[Row]:
    name, storage = str(sgen["name"]), sgen["type"] == "storage"
    yield "regc_a", name, {"sn_mva": float(sgen["sn_mva"])}
    yield "reec_c" if storage else "reec_a", name, dict(RIDE_THROUGH)


def _tie_shares(case: Case) -> dict[str, tuple[str, float]]:
    """Return for each machine at a tie its area and the share of the rest that stands behind it."""
    net, found = case.net, dict[str, tuple[str, float]]()
    slack = {row["bus"]: str(row["name"]) for row in net.ext_grid.to_dict("records") if row["in_service"]}
    bus_of_sgen = dict(zip(net.sgen["name"], net.sgen["bus"], strict=True)) if len(net.sgen) else {}
    areas = set(net["rest_fleet"]["area"]) if len(net["rest_fleet"]) else set()
    for tie in net["ties"].to_dict("records"):
        element = str(tie["element"])
        element = slack.get(bus_of_sgen.get(element), element)
        if tie["area"] in areas:
            share = found.get(element, ("", 0.0))[1] + float(tie["share_pu"])
            found[element] = (str(tie["area"]), share)
    return found


def _rest(case: Case, name: str, area: str, share: float, *, p_mw: float) -> Iterator[Row]:
    """Return one machine for the share of an area's rest that stands behind a tie."""
    f_hz, rest = float(case.meta["f_nominal_hz"]), case.net["rest_fleet"]
    turning = [plant_types()[kind].governor not in WITHOUT_MACHINE for kind in rest["plant_type"]]
    machines = rest[(rest["area"] == area) & np.array(turning)].to_dict("records")
    areas = case.net["areas"]
    here = areas[areas["name"] == area].iloc[0]
    total = sum(float(row["sn_mva"]) for row in machines)
    energy = sum(float(row["sn_mva"]) * _own(row, "h_s") for row in machines)
    damping = float(here["load_damping_pu"]) * float(here["rest_load_mw"]) / total
    size = {"sn_mva": share * total, "h_s": energy / total, "d_pu": damping}
    largest = max(machines, key=lambda row: float(row["sn_mva"]))
    yield from _electrical(name, plant_dynamics()[largest["plant_type"]], size)
    able_mw: dict[str, float] = defaultdict(float)
    for row in machines:
        if plant_types()[row["plant_type"]].governor != "none" and float(row["p_mw"]) >= 0.0:
            able_mw[row["plant_type"]] += RATED_PU * float(row["sn_mva"]) * _own(row, "responding_pu")
    if sum(able_mw.values()) > 0.0:
        kind = _together(able_mw, delivers=p_mw > 0.0)
        yield _governor(kind, name, share * sum(able_mw.values()), f_hz, least_pu=-1.0)


def _together(able_mw: Mapping[str, float], *, delivers: bool) -> PlantType:
    """Return one governor for plant types that respond with `able_mw`: see the module's equations.

    A gate cannot be below zero: where the rest does not deliver, it is hydro's only if there is nothing else.
    """
    kinds = {name: plant_types()[name] for name in able_mw}
    ranks = {
        name: (mw > 0.0 and (delivers or kinds[name].governor != "hydro"), mw) for name, mw in able_mw.items()
    }
    total_mw = sum(able_mw.values())
    gain = {name: mw / total_mw / kinds[name].droop_pu for name, mw in able_mw.items()}
    droop_pu = 1.0 / sum(gain.values())
    mean: dict[str, float] = {
        "droop_pu": droop_pu,
        "deadband_hz": droop_pu * sum(gain[name] * kinds[name].deadband_hz for name in kinds),
    }
    for limit in ("limit_up_pu", "limit_down_pu"):
        mean[limit] = sum(able_mw[name] / total_mw * getattr(kinds[name], limit) for name in kinds)
    return kinds[max(ranks, key=lambda name: ranks[name])].model_copy(update=mean)
