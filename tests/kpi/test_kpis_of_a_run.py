import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_run import COLUMNS, made_run

from cosim.core.errors import ScenarioError
from cosim.core.units import unit_of
from cosim.kpi import compute, compute_all, describe, measure, names, places_of
from cosim.kpi.reduce import change_within, spread

MATRICES = arrays(np.float64, st.tuples(st.integers(2, 30), st.integers(1, 4)), elements=st.floats(0.8, 1.2))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return made_run(tmp_path_factory.mktemp("kpis"), trip_at_s=600.0)


def test_every_kpi_carries_its_unit_in_its_name_and_says_what_it_is():
    assert [name for name in names() if unit_of(name) is None] == []
    assert all(describe(name) for name in names())


def test_extremes_come_with_place_and_time(run):
    lowest = measure(run, "vm_min_pu")
    assert (lowest.value, lowest.at, lowest.t_s) == (pytest.approx(0.96, abs=1e-12), "huaibei_220", 600.0)
    nadir = measure(run, "f_nadir_hz")
    assert (nadir.value, nadir.t_s) == (pytest.approx(49.93, abs=1e-9), 250.0)


def test_a_voltage_can_be_asked_by_bus_by_level_by_unit_and_by_point(run):
    by_bus = compute(run, "vm_min_pu", "huaibei_220")
    assert compute(run, "vm_min_pu", "huaibei") == by_bus
    assert compute(run, "vm_min_pu", "huaibei_park") == by_bus
    assert compute(run, "vm_min_pu", "220 kV") == by_bus
    assert compute(run, "vm_min_pu", "500 kV") == pytest.approx(1.02, abs=1e-12)
    assert {"huaibei", "huaibei_park", "220 kV", "合肥_10"} <= set(places_of(run, "vm_min_pu"))


def test_energy_is_the_integral_of_power(run):
    # the move is linear from 60 s to 240 s in steps of 5 s, sampled at the start of each exchange:
    # the trapezoid is missed by half a step of the change
    hefei = 600.0 * 60 + 0.5 * (600.0 + 200.0) * 180 + 200.0 * 960 + 0.5 * 5.0 * 400.0
    assert compute(run, "energy_mwh", "hefei") == pytest.approx(hefei / 3600.0, rel=1e-9)
    assert compute(run, "losses_mwh") == pytest.approx(360.0 * 1200 / 3600, rel=1e-12)


def test_energies_of_units_add_up_to_the_energy_of_the_run(run):
    parts = sum(compute(run, "energy_mwh", unit) for unit in ("hefei", "huaibei", "bess"))
    assert compute(run, "energy_mwh") == pytest.approx(parts, rel=1e-12)


def test_work_offered_is_work_done_and_unserved(run):
    done, unserved = compute(run, "work_done_gpu_h"), compute(run, "work_unserved_gpu_h")
    assert compute(run, "work_offered_gpu_h") == pytest.approx(done + unserved, rel=1e-12)


def test_pue_is_weighted_with_energy(run):
    assert compute(run, "pue_pu") == pytest.approx(1.25, rel=1e-12)


def test_ramp_is_the_change_within_a_minute(run):
    assert compute(run, "ramp_max_mw_per_min", "huaibei") == pytest.approx(400.0 / 3.0, rel=1e-9)


def test_ramp_and_voltage_step_do_not_depend_on_the_exchange_step(tmp_path):
    fine, coarse = made_run(tmp_path / "fine", dt_s=2.5), made_run(tmp_path / "coarse", dt_s=10.0)
    for name in ("ramp_max_mw_per_min", "voltage_step_max_pu"):
        assert compute(fine, name) == pytest.approx(compute(coarse, name), rel=1e-6)


def test_handover_time_runs_from_the_order_to_the_end_of_the_last_phase(run):
    assert compute(run, "handover_time_s") == pytest.approx(180.0, abs=5.0)  # one exchange


def test_throttled_time_is_that_of_the_hall_that_throttles_longest(run):
    assert measure(run, "throttled_s").at == "huaibei"
    assert compute(run, "throttled_s") == 30.0
    assert compute(run, "throttled_s", "hefei") == 0.0


def test_tap_moves_count_positions_passed(run):
    assert compute(run, "tap_moves_count") == 2.0


def test_steps_without_solution_are_counted_and_time_unknown_is_told(tmp_path):
    run = made_run(tmp_path, unsolved_s=(100.0, 105.0))
    assert compute(run, "no_solution_count") == 2.0
    assert measure(run, "vm_min_pu").unknown_s == 10.0
    assert math.isfinite(compute(run, "vm_min_pu"))


def test_a_branch_out_of_service_is_not_unknown(run):
    assert measure(run, "loading_max_percent").unknown_s == 0.0


def test_all_kpis_are_plain_numbers_with_units(run):
    every = compute_all(run)
    assert {"vm_min_pu", "vm_min_pu@220 kV", "energy_mwh@hefei"} <= set(every)
    assert every["f_nadir_hz"]["unit"] == "Hz"
    assert all(r["value"] is None or math.isfinite(r["value"]) for r in every.values())
    assert len(every) == len({str(key) for key in every})


def test_a_run_without_storage_has_no_kpi_of_storage(tmp_path):
    run = made_run(tmp_path, tables=tuple(t for t in COLUMNS if t != "battery"))
    assert not [name for name in compute_all(run) if name.startswith("soc_")]
    with pytest.raises(ScenarioError, match="no soc_pu of any component"):
        compute(run, "soc_min_pu")


def test_unknown_names_are_answered_with_the_nearest(run):
    with pytest.raises(ScenarioError, match="did you mean 'vm_min_pu'"):
        compute(run, "vm_mn_pu")
    with pytest.raises(ScenarioError, match="did you mean 'huaibei_220'"):
        compute(run, "vm_min_pu", "huaibei_22")


@given(MATRICES)
def test_spread_is_never_less_than_any_deviation_and_never_falls(vm_pu):
    total = spread(vm_pu)
    assert np.all(total >= np.abs(vm_pu - 1.0) - 1e-12)
    assert np.all(np.diff(total, axis=0) >= -1e-12)


@given(MATRICES)
def test_spread_of_one_sided_deviations_is_the_larger_one(vm_pu):
    above = 1.0 + np.abs(vm_pu - 1.0)
    np.testing.assert_allclose(spread(above)[-1], (above - 1.0).max(axis=0), rtol=0, atol=1e-12)


@given(MATRICES, st.floats(1.0, 100.0))
def test_change_lies_between_that_of_neighbours_and_that_of_the_run(vm_pu, window_s):
    t_s = 10.0 * np.arange(vm_pu.shape[0])
    change = change_within(t_s, vm_pu, window_s)
    neighbours = np.abs(np.diff(vm_pu, axis=0))
    assert np.all(change[1:] >= neighbours - 1e-12)
    assert np.all(change <= np.ptp(vm_pu, axis=0) + 1e-12)
