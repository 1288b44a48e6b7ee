"""Governors of the dynamic tables answer in the area model, and those of plant types where there are none."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grids.case import load_case
from grids.fleet import GOVERNORS, areas_from_case, fleet_from_case, offers_from_devices
from grids.frequency import AreaFrequency
from grids.governors import governors


def test_a_machine_answers_as_its_table_says_and_one_without_governor_not_at_all() -> None:
    case = load_case("ieee39")
    own, typed = fleet_from_case(case), fleet_from_case(dataclasses.replace(case, folder=None))
    assert own.name == typed.name
    governed = np.array(own.name) != "gen_39"
    assert_allclose(own.droop_pu[governed], 0.05)
    assert_allclose(own.t_reheat_s[governed], 2.0)
    assert_allclose(own.f_hp_pu[governed], 0.5)
    assert_allclose(own.deadband_hz[governed], 0.0)
    assert own.governor_code[list(own.name).index("gen_39")] == GOVERNORS.index("none")
    assert own.t_reheat_s[-1] == 2.0  # the rest of the area is the machine at its only tie
    assert set(typed.deadband_hz[governed]) == {0.033, 0.05}  # hydro and coal


def test_the_settled_frequency_is_that_of_the_droops() -> None:
    case = load_case("ieee39")
    fleet, areas = fleet_from_case(case), areas_from_case(case)
    areas = dataclasses.replace(areas, damping_mw_per_hz=np.zeros(1), agc_bias_mw_per_hz=np.zeros(1))
    model = AreaFrequency(fleet, areas, offers_from_devices([], np.zeros(0, dtype=np.int64)))
    none = np.zeros(0)
    for k in range(60):
        result = model.step(float(k), 1.0, np.array([-200.0]), none, none, none)
    turbines_mw = sum(p.sn_mva for p in governors(case).values() if p is not None)
    assert result.f_hz[0] == pytest.approx(60.0 + 200.0 * 0.05 * 60.0 / turbines_mw, abs=1e-4)


def test_a_case_without_machines_of_its_own_keeps_its_plant_types() -> None:
    assert governors(load_case("anhui")) == {}
    assert set(governors(load_case("kundur"))) == {"gen_1", "gen_2", "gen_3", "gen_4"}
