"""Dynamic models of a case without tables of its own: by plant type and size, and the rest of each area.

A case asks for it with `dynamics: by_plant_type` in case.yaml. Electrical data come from
`grids/data/plant_dynamics.csv`, inertia and governor from `plant_types.csv`, so that both engines have the
same; rows of the case's own tables go first.

* A machine stands at a busbar of high voltage, so its step-up transformer is part of it: `xt_pu` is added to
  all reactances, which is exact for the stator and lets the exciter hold the busbar.
* Wind, PV and storage (`type` of sgen.csv) that deliver or draw anything are REGC_A with REEC_A at constant
  power; storage is REGC_A with REEC_C, half charged, and REPC_A with the primary response of GB/T 40595-2021.
* What enters through a tie (`ties.csv`) has, per share, the machines of `rest_fleet.csv` as one: the machine,
  exciter and stabiliser of the largest type among them with the inertia of all and the damping of the load
  outside; and the governor of the type that responds most, for all that respond. Converters and relays there
  are left out. A share at an sgen goes to the ext_grid of its bus.
* Direct-current links and everything else keep their power.
"""

import csv
import math
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

import numpy as np
from pydantic import Field

from cosim.core.errors import CaseError, collected
from cosim.core.params import Params
from grids.case import Case
from grids.caseread import place_in
from grids.dynamics.devices.repc_a import gbt_40595_storage
from grids.plants import DATA, RATED_PU, WITHOUT_MACHINE, PlantType, plant_types

STORAGE_LIMIT_PU = 0.2
"""Largest primary response of storage, the least GB/T 40595-2021 allows."""

RIDE_THROUGH: dict[str, float] = {
    "vref0_pu": 1.0,
    "dbd1_pu": -0.1,
    "dbd2_pu": 0.1,
    "kqv_pu": 1.5,
}
"""Reactive current 1.5 (0.9 - V) below 0.9 pu, the least GB/T 19963.1-2021 asks of wind (unconfirmed)."""

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
            elif gen.get("plant_type") in plant_dynamics() and _inertia_s(gen) > 0.0:
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
            rows += _converter(sgen, float(case.meta["f_nominal_hz"]))
    return rows


def _inertia_s(gen: dict[Any, Any]) -> float:
    own = float(gen["h_s"]) if "h_s" in gen else math.nan
    return plant_types()[gen["plant_type"]].h_s if math.isnan(own) else own


def _machine(gen: dict[Any, Any], f_hz: float) -> Iterator[Row]:
    name, kind = str(gen["name"]), plant_types()[gen["plant_type"]]
    size = {"sn_mva": float(gen["sn_mva"]), "h_s": _inertia_s(gen)}
    yield from _electrical(name, plant_dynamics()[gen["plant_type"]], size)
    if kind.governor != "none" and float(gen["p_mw"]) >= 0.0:
        yield _governor(kind, name, float(gen["max_p_mw"]), f_hz)


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


def _governor(kind: PlantType, name: str, rated_mw: float, f_hz: float, least_pu: float = 0.0) -> Row:
    """Return the governor of a plant type in terms of a model of the rms engine, on `rated_mw`."""
    band = kind.deadband_hz / f_hz
    limit = min(kind.limit_up_pu, kind.limit_down_pu)
    edges = {"sn_mva": rated_mw, "dbl_pu": -band, "dbu_pu": band, "plim_pu": limit}
    if kind.governor == "gas":
        return "gast", name, {
            **edges,
            "r_pu": kind.droop_pu,
            "t1_s": kind.t_governor_s,
            "t2_s": kind.t_chest_s,
            "t3_s": 3.0,
            "at_pu": 1.0,
            "kt_pu": 2.0,
            "vmax_pu": 1.0,
            "vmin_pu": least_pu,
        }  # fmt: skip
    if kind.governor == "hydro":
        return "hygov", name, {**edges, **_gate(kind)}
    reheat = kind.t_reheat_s if kind.governor == "reheat_steam" else 0.0
    share = kind.f_hp_pu if reheat > 0.0 else 1.0
    return "ieeeg1", name, {
        **edges,
        "k_pu": 1.0 / kind.droop_pu,
        "t3_s": kind.t_governor_s,
        "uo_pu_per_s": kind.rate_pu_per_s,
        "uc_pu_per_s": -kind.rate_pu_per_s,
        "pmax_pu": 1.0,
        "pmin_pu": least_pu,
        "t4_s": kind.t_chest_s,
        "k1_pu": share,
        "t5_s": reheat,
        "k3_pu": 1.0 - share,
    }  # fmt: skip


def _gate(kind: PlantType) -> dict[str, float]:
    """Return a hydro governor: temporary droop and reset by Kundur 1994, eq. 9.15 and 9.16, 2H = 6 s."""
    over_1_s = kind.t_water_s - 1.0
    return {
        "rperm_pu": kind.droop_pu,
        "rtemp_pu": (2.3 - 0.15 * over_1_s) * kind.t_water_s / 6.0,
        "tr_s": (5.0 - 0.5 * over_1_s) * kind.t_water_s,
        "tf_s": 0.05,
        "tg_s": kind.t_governor_s,
        "velm_pu_per_s": kind.rate_pu_per_s,
        "gmax_pu": 1.0,
        "gmin_pu": 0.0,
        "tw_s": kind.t_water_s,
        "at_pu": 1.0 / (1.0 - NO_LOAD_FLOW_PU),
        "qnl_pu": NO_LOAD_FLOW_PU,
    }


def _converter(sgen: dict[Any, Any], f_hz: float) -> Iterator[Row]:
    name, storage = str(sgen["name"]), sgen["type"] == "storage"
    yield "regc_a", name, {"sn_mva": float(sgen["sn_mva"])}
    yield "reec_c" if storage else "reec_a", name, dict(RIDE_THROUGH)
    if storage:
        yield "repc_a", name, gbt_40595_storage(f_hz, limit_pu=STORAGE_LIMIT_PU).model_dump()


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
    """Return one machine for the share of an area's rest that stands behind a tie.

    Its governor is of the kind that has most capacity; a gate cannot be below zero, so where the rest does
    not deliver, hydro is so only if there is nothing else.
    """
    f_hz, rest = float(case.meta["f_nominal_hz"]), case.net["rest_fleet"]
    turning = np.array([plant_types()[k].governor not in WITHOUT_MACHINE for k in rest["plant_type"]])
    rest, areas = rest[(rest["area"] == area) & turning], case.net["areas"]
    here = areas[areas["name"] == area].iloc[0]
    kinds = [plant_types()[kind] for kind in rest["plant_type"]]
    own_h = rest["h_s"] if "h_s" in rest else [math.nan] * len(rest)
    sn_mva = [float(mva) for mva in rest["sn_mva"]]
    total = sum(sn_mva)
    energy = sum(
        mva * (kind.h_s if math.isnan(float(h)) else float(h))
        for mva, kind, h in zip(sn_mva, kinds, own_h, strict=True)
    )
    damping = float(here["load_damping_pu"]) * float(here["rest_load_mw"]) / total
    size = {"sn_mva": share * total, "h_s": energy / total, "d_pu": damping}
    yield from _electrical(name, plant_dynamics()[rest["plant_type"].iloc[sn_mva.index(max(sn_mva))]], size)
    responding = [RATED_PU * mva * float(pu) for mva, pu in zip(sn_mva, rest["responding_pu"], strict=True)]
    able = [mw if kind.governor != "none" else 0.0 for mw, kind in zip(responding, kinds, strict=True)]
    if sum(able) > 0.0:
        rank = [
            (mw > 0.0 and (p_mw > 0.0 or k.governor != "hydro"), mw)
            for mw, k in zip(able, kinds, strict=True)
        ]
        kind = kinds[rank.index(max(rank))]
        yield _governor(kind, name, share * sum(able), f_hz, least_pu=-1.0)
