"""One frequency for the whole area against the centre of inertia of all machines: same case, same loss.

Loads are constant power and AGC is off in both; both load dampings are zero. With impedance loads the
machines see less of the loss than the area model is told of, which the last test shows.
"""

import copy
import dataclasses
from functools import cache

import numpy as np
import pandas as pd
import pytest

from cosim.core.component import Context
from cosim.core.grid import Connections, GridEvent
from grids.case import Case, load_case
from grids.dynamics import IMPEDANCE, POWER, GeneratorTrip, LoadStep, Run, simulate
from grids.dynamics.measures import nadir, rocof
from grids.dynamics.tables import read_units
from grids.engine import PowerFlowGrid
from grids.fleet import areas_from_case, fleet_from_case, offers_from_devices
from grids.frequency import AreaFrequency
from grids.params import PowerFlowParams, RmsParams
from grids.rms import RmsGrid

CASE = load_case("ieee39")
STEP_MW = 304.855
LOADS = POWER.model_copy(update={"vmin_pu": 0.3})
EVENTS = {
    "load step": LoadStep(bus=16, p_mw=STEP_MW, at_s=1.0),
    "load loss": LoadStep(load="load_16", p_mw=-STEP_MW, at_s=1.0),
    **{f"gen_{bus} trip": GeneratorTrip(bus=bus, at_s=1.0) for bus in (30, 34, 38)},
}


@cache
def machines(what: str, loads=LOADS) -> Run:
    return simulate(CASE, [EVENTS[what]], until_s=20.0, step_s=1 / 120, loads=loads)


def area(what: str, case: Case = CASE) -> tuple[float, float, float]:
    """Return lowest and highest frequency [Hz] and RoCoF [Hz/s] of the area model."""
    fleet, areas = fleet_from_case(case), areas_from_case(case)
    areas = dataclasses.replace(areas, damping_mw_per_hz=np.zeros(1), agc_bias_mw_per_hz=np.zeros(1))
    model = AreaFrequency(fleet, areas, offers_from_devices([], np.zeros(0, dtype=np.int64)))
    lost_mw = {"load step": STEP_MW, "load loss": -STEP_MW}.get(what, 0.0)
    if what.endswith("trip"):
        machine = fleet.name.index(what.removesuffix(" trip"))
        model.trip(machine)
        lost_mw = fleet.p0_mw[machine]
    none = np.zeros(0)
    results = [model.step(0.1 * k, 0.1, np.array([lost_mw]), none, none, none) for k in range(190)]
    steepest = max((r.rocof_hz_per_s[0] for r in results), key=abs)
    return min(r.f_min_hz[0] for r in results), max(r.f_max_hz[0] for r in results), steepest


@pytest.mark.parametrize("what", EVENTS)
def test_the_area_model_gives_the_nadir_and_the_steepness_of_the_machines(what: str) -> None:
    lowest, highest, steepest = area(what)
    f_hz = machines(what).f_coi_hz
    f_hz = f_hz[f_hz.index > 1.0]
    depth = (
        (60.0 - lowest) / (60.0 - f_hz.min()) if what != "load loss" else (highest - 60) / (f_hz.max() - 60)
    )
    assert depth == pytest.approx(1.0, abs=0.1)
    # beside a lost load governors run ahead of the mean: see the next test
    assert steepest / rocof(f_hz, 0.5, 1.0) == pytest.approx(1.0, abs=0.06 if what == "load loss" else 0.05)


def test_other_steam_and_gas_governors_answer_alike_in_both() -> None:
    net, units = copy.deepcopy(CASE.net), read_units(CASE)
    tables = {m: [{"name": u.element, **u.params.model_dump()} for u in units if u.model == m] for m in
              ("genrou", "tgov1", "sexs", "ieeest")}  # fmt: skip
    ratings = {row["name"]: {"name": row["name"], "sn_mva": row["sn_mva"]} for row in tables["tgov1"]}
    steam = {"k_pu": 20, "t3_s": 0.2, "uo_pu_per_s": 0.5, "uc_pu_per_s": -0.5, "pmax_pu": 1, "pmin_pu": 0,
             "t4_s": 0.3, "k1_pu": 0.3, "t5_s": 7.0, "k3_pu": 0.4, "t6_s": 0.4, "k5_pu": 0.3}  # fmt: skip
    gas = {"r_pu": 0.05, "t1_s": 0.4, "t2_s": 0.1, "t3_s": 3.0, "at_pu": 1.3, "kt_pu": 2.0, "vmax_pu": 1,
           "vmin_pu": 0.0}  # fmt: skip
    tables["ieeeg1"] = [ratings[f"gen_{bus}"] | steam for bus in (32, 33, 34, 35)]
    tables["gast"] = [ratings[f"gen_{bus}"] | gas for bus in (36, 37)]
    moved = {row["name"] for row in (*tables["ieeeg1"], *tables["gast"])}
    tables["tgov1"] = [row for row in tables["tgov1"] if row["name"] not in moved]
    for model, rows in tables.items():
        net[model] = pd.DataFrame(rows)
    case = dataclasses.replace(CASE, net=net, folder=None)
    f_hz = simulate(case, [EVENTS["load step"]], until_s=20.0, step_s=1 / 120, loads=LOADS).f_coi_hz
    lowest, _, steepest = area("load step", case)
    assert (60.0 - lowest) / (60.0 - f_hz.min()) == pytest.approx(1.0, abs=0.1)
    assert steepest / rocof(f_hz, 0.5, 1.0) == pytest.approx(1.0, abs=0.05)


def test_governors_near_a_loss_answer_before_the_mean_frequency_asks_them_to() -> None:
    run = machines("load loss")
    governed = [u.element for u in read_units(CASE) if u.model == "tgov1"]
    early = (run.t_s > 1.1) & (run.t_s < 1.4)
    assert (60.0 * run.speed_pu[governed].mean(axis=1) - run.f_coi_hz)[early].min() > 0.015
    assert "gen_39" not in governed  # most of the inertia, far from the loss and without a governor


@pytest.mark.parametrize(("what", "lost_mw"), [("load step", STEP_MW), ("gen_38 trip", 830.0)])
def test_impedance_loads_take_part_of_a_loss_because_voltages_fall(what: str, lost_mw: float) -> None:
    stiff, soft = machines(what), machines(what, IMPEDANCE)
    delivered_mw = soft.p_mw.sum(axis=1)
    wanted_mw = delivered_mw.iloc[0] + (lost_mw if what == "load step" else 0.0)
    assert wanted_mw - delivered_mw.iloc[-1] > 0.15 * lost_mw
    assert soft.vm_pu.iloc[-1].mean() < soft.vm_pu.iloc[0].mean() - 0.004
    depths_hz = [60.0 - nadir(run.f_coi_hz)[1] for run in (stiff, soft)]
    assert depths_hz[1] < 0.7 * depths_hz[0]


@pytest.mark.parametrize("machine", ["gen_34", "gen_38"])
def test_both_engines_of_a_scenario_give_a_loss_the_same_nadir_and_steepness(machine: str) -> None:
    """As shipped: load damping and AGC of the case act in both."""
    nobody = Connections((), ())
    grids = (
        PowerFlowGrid(PowerFlowParams(case="ieee39"), nobody),
        RmsGrid(RmsParams(case="ieee39", loads="power"), nobody),
    )
    none = np.zeros(0)
    inputs = dict.fromkeys(("p_mw", "q_mvar", "scale_pu"), none)
    inputs |= dict.fromkeys(("droop_mw_per_hz", "droop_up_mw", "droop_down_mw"), none)
    found = []
    for grid in grids:
        grid.reset(Context())
        lowest, steepest = 60.0, 0.0
        for k in range(100):
            events = [GridEvent(1.0, "trip", machine)] if k == 5 else []
            area = grid.step(0.2 * k, 0.2, inputs, events)["area"]
            lowest = min(lowest, float(area["f_min_hz"][0]))
            steepest = max(steepest, float(area["rocof_hz_per_s"][0]), key=abs)
        found.append((60.0 - lowest, steepest))
    (depth, steep), (expected_depth, expected_steep) = found
    assert depth == pytest.approx(expected_depth, rel=0.1)
    assert steep == pytest.approx(expected_steep, rel=0.05)
