"""Ageing: steps of any length, cycles counted as they come, and what it does to a battery."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pydantic import ValidationError

from cosim.core.component import Context
from cosim.testing import check_component
from datacenters.ageing import LfpAgeing, calendar_factor, cycle_factor
from datacenters.battery import Battery, BatteryParams

OLD = BatteryParams(p_rated_mw=50.0, e_rated_mwh=100.0, ageing=True, lost_calendar_pu=0.05, lost_cycle_pu=0.1)
NEW = BatteryParams(p_rated_mw=20.0, e_rated_mwh=40.0, ageing=True)


def fresh(*soc_pu: float) -> LfpAgeing:
    none = np.zeros(len(soc_pu))
    return LfpAgeing(none, none.copy(), np.array(soc_pu))


def inputs(battery: Battery, units: int, **given_values: float) -> dict[str, np.ndarray]:
    return {p.name: np.full(units, given_values.get(p.name, p.default), dtype=float) for p in battery.inputs}


@settings(deadline=None, max_examples=60)
@given(st.floats(10.0, 45.0), st.floats(0.05, 0.95), st.integers(1, 40))
def test_rest_in_many_steps_loses_what_the_power_law_says(temp, soc, steps):
    cells, held = fresh(soc), np.array([soc])
    for _ in range(steps):
        calendar_pu, cycle_pu = cells.advance(400.0 / steps * 86_400.0, held, held, np.array([temp]))
    expected = calendar_factor(np.array([temp]), held) * 400.0**0.526
    assert_allclose(calendar_pu, expected, rtol=1e-12)
    assert cycle_pu[0] == 0.0


@settings(deadline=None, max_examples=60)
@given(st.floats(10.0, 45.0), st.floats(0.05, 0.45), st.floats(0.1, 1.0), st.integers(1, 7))
def test_equal_half_cycles_lose_what_the_power_law_says_whatever_the_step(temp, half_depth, rate, parts):
    ends = np.linspace(0.5 + half_depth, 0.5 - half_depth, parts + 1)
    cells, step_s = fresh(ends[0]), 2.0 * half_depth / rate / parts * 3600.0
    for turn in range(20):
        path = ends if turn % 2 == 0 else ends[::-1]
        for before, after in pairwise(path):
            _, lost_pu = cells.advance(step_s, np.array([before]), np.array([after]), np.array([temp]))
    factor = cycle_factor(np.array([temp]), np.array([2.0 * half_depth]), np.array([rate]))
    assert_allclose(lost_pu, factor * (20 * half_depth) ** 0.828, rtol=1e-9)


def test_small_reversals_add_to_the_half_cycle_they_lie_in():
    cells, deep = fresh(0.9), np.linspace(0.9, 0.1, 81)
    path = np.column_stack([deep, deep + 0.005]).ravel()[:-1]  # 1 % down, half a per cent back
    for before, after in pairwise(path):
        _, lost_pu = cells.advance(36.0, np.array([before]), np.array([after]), np.array([25.0]))
    moved = np.abs(np.diff(path)).sum()
    rate = (np.diff(path) ** 2).sum() / moved / 0.01
    expected = cycle_factor(np.array([25.0]), np.array([0.8]), np.array([rate])) * (moved / 2) ** 0.828
    assert_allclose(lost_pu, expected, rtol=0.01)  # the first step back lies above where it began


@pytest.mark.parametrize("dt_s", [1.0, 60.0])
@pytest.mark.parametrize("levels", [{"p_order_mw": 8.0}, {"p_order_mw": -8.0, "temp_cell_degc": 40.0}])
def test_an_ageing_battery_keeps_the_contract(dt_s, levels):
    assert list(check_component(Battery, [OLD, NEW], dt_s=dt_s, levels=levels)) == []


def test_an_old_battery_holds_and_gives_less():
    battery = Battery([OLD])
    out = battery.step(0.0, 60.0, inputs(battery, 1))
    assert out["soh_pu"][0] == pytest.approx(0.85, abs=1e-6)
    assert out["e_stored_mwh"][0] == pytest.approx(0.5 * 85.0, rel=1e-6)
    given_mwh = 0.0
    for k in range(60):
        out = battery.step(60.0 * (k + 1), 60.0, inputs(battery, 1, p_order_mw=-50.0))
        given_mwh -= (out["p_mw"][0] - 0.1) / 60.0
    assert given_mwh == pytest.approx((0.5 - 0.05) * 85.0 * 0.94, rel=1e-5)
    assert out["soc_pu"][0] == pytest.approx(0.05, abs=1e-9)


def test_a_battery_at_rest_keeps_its_charge_ratio_and_books_what_its_lost_capacity_held():
    battery = Battery([NEW])
    stored_mwh = [20.0]
    for day in range(100):
        out = battery.step(day * 86_400.0, 86_400.0 / 24, inputs(battery, 1, temp_cell_degc=35.0))
        assert out["soc_pu"][0] == pytest.approx(0.5, rel=1e-12)
        gained_mwh = out["p_mw"][0] - out["loss_mw"][0]
        assert out["e_stored_mwh"][0] - stored_mwh[-1] == pytest.approx(gained_mwh, abs=1e-12)
        stored_mwh.append(out["e_stored_mwh"][0])
    lost = calendar_factor(np.array([35.0]), np.array([0.5]))[0] * (100 / 24) ** 0.526
    assert stored_mwh[-1] == pytest.approx(20.0 * (1.0 - lost), rel=1e-12)


def test_a_battery_without_ageing_stays_new():
    plain = NEW.model_copy(update={"ageing": False})
    battery = Battery([plain, OLD])
    out = battery.step(0.0, 3600.0, inputs(battery, 2, p_order_mw=10.0, temp_cell_degc=45.0))
    assert (out["soh_pu"][0], out["lost_calendar_pu"][0], out["lost_cycle_pu"][0]) == (1.0, 0.0, 0.0)
    assert out["lost_cycle_pu"][1] > OLD.lost_cycle_pu


def test_leaving_the_fitted_range_is_told_once():
    told = []
    battery = Battery([NEW.model_copy(update={"ageing": False}), NEW])
    battery.reset(Context(names=("young", "hot"), emit=lambda *row: told.append(row)))
    for k in range(3):
        battery.step(60.0 * k, 60.0, inputs(battery, 2, temp_cell_degc=50.0))
    assert [(row[1], row[2]) for row in told] == [("hot", "ageing extrapolated")]
    assert "50.0 °C" in told[0][3]


def test_lost_capacity_without_ageing_is_refused():
    with pytest.raises(ValidationError, match="need ageing: true"):
        BatteryParams(p_rated_mw=1.0, e_rated_mwh=2.0, lost_cycle_pu=0.1)
