"""Who answers in an area: the same capacity, inertia and damping in both engines, alone and joined."""

import dataclasses
from functools import cache

import numpy as np
import pytest

from cosim.core.component import Context
from cosim.core.grid import Connections, GridEvent
from grids.case import Case, load_case
from grids.dynamics import POWER, GeneratorTrip, simulate
from grids.dynamics.registry import device
from grids.dynamics.tables import read_units
from grids.engine import PowerFlowGrid
from grids.fleet import areas_from_case, fleet_from_case, offers_from_devices
from grids.frequency import AreaFrequency
from grids.frequency_arrays import droop_gain_mw_per_hz
from grids.params import PowerFlowParams, RmsParams
from grids.rms import RmsGrid

PROVINCES = ("anhui", "gansu", "greater_bay", "guizhou", "hunan", "jing_jin_ji", "mengxi", "ningxia",
             "shandong", "sichuan_chongqing", "xinjiang_hami", "yangtze_delta")  # fmt: skip
JOINED = ("gansu+shandong", "anhui+yangtze_delta", "gansu+ningxia+xinjiang_hami", "guizhou+greater_bay")
GAIN = {"ieeeg1": lambda p: p.k_pu, "gast": lambda p: 1.0 / p.r_pu, "hygov": lambda p: 1.0 / p.rperm_pu}
"""Steady power per speed of each governor [pu on its rating]."""


@cache
def case_of(name: str, point: str = "spring_noon") -> Case:
    return load_case(name, point)


def answering(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return gain [MW/Hz], largest answer [MW] and kinetic energy [MW s]: area model, machines."""
    fleet, areas = fleet_from_case(case), areas_from_case(case)
    on = fleet.online
    limit_mw = (fleet.responding_pu * fleet.p_rated_mw * fleet.limit_up_pu)[on].sum()
    gain = droop_gain_mw_per_hz(fleet, areas)
    energy = (fleet.h_s * fleet.sn_mva)[on].sum()
    units = read_units(case)
    governors = [u for u in units if u.model in GAIN and u.params.dbu_pu < 1.0]
    rotors = [u for u in units if device(u.model).rotor is not None]
    return np.array([gain[on].sum(), limit_mw, energy]), np.array([
        sum(GAIN[u.model](u.params) * u.params.sn_mva for u in governors) / float(case.meta["f_nominal_hz"]),
        sum(u.params.plim_pu * u.params.sn_mva for u in governors),
        sum(u.params.h_s * u.params.sn_mva for u in rotors),
    ])  # fmt: skip


@pytest.mark.parametrize("name", [*PROVINCES, *JOINED])
def test_both_engines_hold_the_same_responding_capacity_and_inertia(name: str) -> None:
    area_model, machines = answering(case_of(name))
    assert machines == pytest.approx(area_model, rel=1e-9)


LOSSES = [
    ("ningxia", "Yuanyang Lake power station, 2x1100 MW"),
    ("gansu+ningxia", "Guazhou Changle power station, units 1-2"),
]


@pytest.mark.parametrize(("name", "lost"), LOSSES)
def test_the_same_loss_settles_at_the_same_frequency_in_both(name: str, lost: str) -> None:
    """Without AGC, loads as power. The machines have one governor for the rest, with the times of coal.

    Hydro there opens over 100 s and comes late in the area model: its nadir is deeper, and after 90 s it has
    not quite arrived.
    """
    case = case_of(name, "winter_evening_peak")
    loads = POWER.model_copy(update={"kpf_pu": float(case.net["areas"]["load_damping_pu"].iloc[0])})
    run = simulate(case, [GeneratorTrip(generator=lost, at_s=0.5)], until_s=90.0, step_s=0.01, loads=loads)
    fleet, areas = fleet_from_case(case), areas_from_case(case)
    areas = dataclasses.replace(areas, agc_bias_mw_per_hz=np.zeros(1))
    model = AreaFrequency(fleet, areas, offers_from_devices([], np.zeros(0, dtype=np.int64)))
    machine, none = fleet.name.index(lost), np.zeros(0)
    model.trip(machine)
    steps = [model.step(float(k), 1.0, fleet.p0_mw[[machine]], none, none, none) for k in range(90)]
    depth, settled = 50.0 - min(s.f_min_hz[0] for s in steps), 50.0 - steps[-1].f_hz[0]
    assert 50.0 - run.f_coi_hz.iloc[-1] == pytest.approx(settled, rel=0.05)
    assert 50.0 - run.f_coi_hz.min() == pytest.approx(depth, rel=0.1)


def test_both_engines_count_load_and_its_damping_alike() -> None:
    """With wind and PV, which generate, and most of the area's load outside the case."""
    point = {"case": "ningxia", "point": "spring_noon"}
    nobody, none = Connections((), ()), np.zeros(0)
    grids = (
        PowerFlowGrid(PowerFlowParams(**point), nobody),
        RmsGrid(RmsParams(**point, loads="power"), nobody),
    )
    names = ("p_mw", "q_mvar", "scale_pu", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw")
    trip = GridEvent(0.5, "trip", "Yuanyang Lake power station, 2x1100 MW")
    found = []
    for grid in grids:
        grid.reset(Context())
        before = grid.step(0.0, 0.5, dict.fromkeys(names, none), [])["grid"]["load_mw"][0]
        area = grid.step(0.5, 4.0, dict.fromkeys(names, none), [trip])["area"]
        found.append((before, area["p_damping_mw"][0] / (50.0 - area["f_hz"][0])))
    assert found[1] == pytest.approx(found[0], rel=0.01)  # the machines' frequency is not quite one
