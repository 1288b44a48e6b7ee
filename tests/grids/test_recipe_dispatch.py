"""Commitment and dispatch by merit order, and the rules for lines."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grids.recipe.dispatch import Plant, commit, dispatch
from grids.recipe.lines import charging_mvar, great_circle_km

ORDER = ["cheap", "dear"]
PLANTS = [
    Plant("a", "cheap", 30, 100),
    Plant("b", "cheap", 60, 200),
    Plant("c", "dear", 30, 100),
    Plant("heat", "dear", 20, 50),
]


def test_the_cheapest_and_largest_plants_run_beside_those_that_must() -> None:
    running = commit(PLANTS, ORDER, ["heat"], demand_mw=200, reserve_mw=40)
    assert [plant.name for plant in running] == ["heat", "b"]


def test_plants_that_must_run_stay_at_least_output_while_cheaper_ones_have_room() -> None:
    p_mw = dispatch([PLANTS[1], PLANTS[3]], ORDER, 200)
    assert p_mw == pytest.approx({"heat": 20, "b": 180})


def test_plants_of_one_type_share_by_their_room() -> None:
    assert dispatch(PLANTS[:2], ORDER, 195) == pytest.approx({"a": 65, "b": 130})


def test_what_cannot_be_covered_is_told() -> None:
    with pytest.raises(ValueError, match="500 MW and 0 MW of reserve do not fit 140 to 450 MW"):
        commit(PLANTS, ORDER, [], 500, 0)
    with pytest.raises(ValueError, match="do not fit"):
        commit(PLANTS, ORDER, ["a", "b"], 50, 0)


@given(st.floats(min_value=140, max_value=450), st.floats(min_value=0.5, max_value=1.0))
def test_dispatch_meets_the_demand_within_limits(demand_mw: float, top_pu: float) -> None:
    p_mw = dispatch(PLANTS, ORDER, demand_mw, top_pu)
    assert sum(p_mw.values()) == pytest.approx(demand_mw)
    assert all(plant.min_p_mw - 1e-9 <= p_mw[plant.name] <= plant.max_p_mw + 1e-9 for plant in PLANTS)


def test_a_quarter_of_the_earth_is_ten_thousand_kilometres() -> None:
    assert great_circle_km(0, 0, 90, 0) == pytest.approx(6371 * math.pi / 2)
    assert great_circle_km(0, 20, 0, 110) == pytest.approx(6371 * math.pi / 2)


def test_a_hundred_kilometres_of_750_kv_deliver_two_hundred_and_forty_mvar() -> None:
    # 13.6 nF/km; 250 Mvar in the conductor tables at their 13.65
    assert charging_mvar(750, 100, 13.6) == pytest.approx(240.3, abs=0.1)
