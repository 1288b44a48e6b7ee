"""Areas written from stated holdings deliver in the operator's own test what is held."""

import numpy as np
import pytest

from cosim.core.errors import ScenarioError
from grids.fleet import AreaTable, offers_from_devices
from grids.frequency import AreaFrequency
from grids.reserves import TEST_RAMP_S, Holding, delivered_in_test, fleet_of_holdings, reserve_products

NONE = np.zeros(0)


def delivered_mw(holding: Holding, at_s: float) -> float:
    """Return what a holding delivers while the test takes frequency down, whatever it delivers [MW]."""
    one = np.ones(1)
    fleet = fleet_of_holdings(1e9, [holding])
    area = AreaFrequency(fleet, AreaTable(("a",), 50.0 * one, 0.0 * one, 0.0 * one),
                         offers_from_devices([], np.zeros(0, dtype=np.int64)))  # fmt: skip
    for k in range(round(at_s / 0.05)):
        fall_hz = reserve_products()[holding.product].full_hz * min((k + 0.5) * 0.05 / TEST_RAMP_S, 1.0)
        area.set_frequency(np.array([50.0 - fall_hz]))
        result = area.step(0.05 * k, 0.05, 0.0 * one, NONE, NONE, NONE)
    return float(result.p_governor_mw[1])


@pytest.mark.parametrize("t_response_s", [0.0, 2.0, 5.0])
@pytest.mark.parametrize("product", ["gb_primary", "gb_secondary"])
def test_a_dynamic_holding_is_what_its_test_delivers_in_time(product: str, t_response_s: float) -> None:
    holding = Holding(product, 1000.0, t_response_s)
    assert delivered_mw(holding, reserve_products()[product].t_full_s) == pytest.approx(1000.0, rel=3e-3)


def test_slow_machines_give_more_as_secondary_than_as_primary_response() -> None:
    """A lag of 3 s has 71 % of a ramp of 10 s at its end, 1 - 0.3 (1 - exp(-10/3))."""
    primary, secondary = (reserve_products()[name] for name in ("gb_primary", "gb_secondary"))
    assert delivered_in_test(primary, 3.0) == pytest.approx(1.0 - 0.3 * (1.0 - np.exp(-10 / 3)), abs=0.01)
    assert delivered_in_test(secondary, 3.0) > 0.99


def test_a_static_holding_acts_once_frequency_is_below_its_relay() -> None:
    held = Holding("gb_static", 300.0, 5.0, delivered_pu=0.9, trigger_error_hz=0.01)
    assert delivered_mw(held, 10.0) == 0.0  # 49.71 Hz at 9.67 s, relay time 0.5 s
    assert delivered_mw(held, 16.0) == pytest.approx(270.0)


def test_products_nobody_knows_are_all_named() -> None:
    held = [Holding("gb_primry", 1.0, 1.0), Holding("none_such", 1.0, 1.0)]
    with pytest.raises(ScenarioError, match=r"(?s)'gb_primry'.*Did you mean 'gb_primary'.*'none_such'"):
        fleet_of_holdings(1.0, held)
