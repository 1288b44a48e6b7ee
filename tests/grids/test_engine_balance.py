"""No megawatt is counted twice or lost between plan, frequency and power flow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.core.component import Context, DroopOffer
from cosim.core.errors import ScenarioError
from cosim.core.grid import Connections, GridEvent
from cosim.testing.grid import check_grid
from grids.engine import PowerFlowGrid
from grids.params import PowerFlowParams

RESIDUAL_MW = 1e-6  # 1e-8 MVA of mismatch at each of a hundred buses
CASES = (("ieee39", "bus_20", "bus_4"), ("two_bus", "a", "b"), ("anhui", "hefei_park", "huaibei_park"))


def inputs_for(p_mw, scale=(), droop=0.0):
    p = np.asarray(p_mw, dtype=np.float64)
    return {
        "p_mw": p,
        "q_mvar": 0.2 * p,
        "droop_mw_per_hz": np.full(p.size, droop),
        "droop_up_mw": np.full(p.size, 5.0 * (droop > 0.0)),
        "droop_down_mw": np.full(p.size, 5.0 * (droop > 0.0)),
        "scale_pu": np.asarray(scale, dtype=np.float64),
    }


def grid_of(case, points, **more):
    units = tuple(f"unit_{k}" for k in range(len(points)))
    devices = tuple(DroopOffer(deadband_hz=0.0) for _ in points)
    return PowerFlowGrid(PowerFlowParams(case=case), Connections(units, tuple(points), devices, **more))


@pytest.fixture(scope="module", params=CASES, ids=[case[0] for case in CASES])
def grid(request):
    name, *points = request.param
    return grid_of(name, points)


def residual(tables):
    return abs(float(tables["grid"]["slack_residual_mw"][0]))


@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.floats(0.0, 12.0), min_size=4, max_size=8),
    st.floats(0.0, 50.0),
    st.sampled_from([0.2, 1.0, 7.0]),
)
def test_the_slack_closes_only_the_change_in_losses(grid, powers, droop, dt_s):
    grid.reset(Context())
    for k, p_mw in enumerate(powers):
        tables = grid.step(k * dt_s, dt_s, inputs_for([p_mw, 3.0], droop=droop), ())
        assert residual(tables) < RESIDUAL_MW


def test_a_run_of_constant_power_stays_at_nominal_frequency_and_where_it_began(grid):
    grid.reset(Context())
    runs = [grid.step(float(k), 1.0, inputs_for([9.0, 4.0]), ()) for k in range(4)]
    f_hz = runs[0]["area"]["f_hz"].copy()
    for tables in runs[1:]:
        np.testing.assert_array_equal(tables["area"]["f_hz"], f_hz)
        np.testing.assert_allclose(tables["bus"]["vm_pu"], runs[0]["bus"]["vm_pu"], rtol=0, atol=1e-9)
    assert np.all(np.isin(f_hz, [50.0, 60.0]))


def test_generation_covers_load_and_losses(grid):
    grid.reset(Context())
    for k, p_mw in enumerate((5.0, 9.0, 2.0)):
        row = grid.step(float(k), 1.0, inputs_for([p_mw, 1.0]), ())["grid"]
        gap = row["generation_mw"] - row["load_mw"] - row["losses_mw"]
        np.testing.assert_allclose(gap, 0.0, atol=RESIDUAL_MW)


def test_what_a_gen_adds_is_in_its_own_row():
    grid = grid_of("ieee39", ["bus_20"])
    grid.reset(Context())
    planned = grid.step(0.0, 1.0, inputs_for([10.0]), ())["gen"]
    tables = grid.step(1.0, 5.0, inputs_for([60.0]), ())
    gens = tables["gen"]["p_mw"][:-1] - planned["p_mw"][:-1]
    np.testing.assert_allclose(gens, tables["gen"]["p_response_mw"][:-1], rtol=0, atol=1e-9)
    area = tables["area"]
    assert area["p_imbalance_mw"][0] == pytest.approx(50.0)
    assert tables["gen"]["p_response_mw"].sum() + area["p_damping_mw"][0] == pytest.approx(50.0, abs=1e-6)


def test_a_tripped_gen_is_missing_until_others_answer():
    grid = grid_of("ieee39", ["bus_20"])
    grid.reset(Context())
    grid.step(0.0, 1.0, inputs_for([0.0]), ())
    planned = grid.elements["gen"].index("gen_38")
    before = grid.step(1.0, 1.0, inputs_for([0.0]), ())["gen"]["p_mw"][planned]
    tables = grid.step(2.0, 10.0, inputs_for([0.0]), [GridEvent(2.0, "trip", "gen_38")])
    assert tables["area"]["p_imbalance_mw"][0] == pytest.approx(before)
    assert tables["gen"]["p_mw"][planned] == 0.0
    assert tables["gen"]["p_response_mw"][planned] == 0.0
    assert tables["area"]["f_min_hz"][0] < 59.9
    assert residual(tables) < RESIDUAL_MW


def test_a_tripped_load_raises_frequency_and_closing_it_takes_the_cause_away():
    grid = grid_of("ieee39", ["bus_20"])
    load = grid._elements.names["load"][3]
    grid.reset(Context())
    grid.step(0.0, 1.0, inputs_for([0.0]), ())
    tables = grid.step(1.0, 5.0, inputs_for([0.0]), [GridEvent(1.0, "trip", load)])
    assert tables["area"]["f_max_hz"][0] > 60.0
    assert residual(tables) < RESIDUAL_MW
    tables = grid.step(6.0, 5.0, inputs_for([0.0]), [GridEvent(6.0, "close", load)])
    assert tables["area"]["p_imbalance_mw"][0] == pytest.approx(0.0, abs=1e-9)
    assert residual(tables) < RESIDUAL_MW


def test_planned_changes_are_dispatched_and_leave_frequency_alone():
    grid = grid_of("anhui", ["hefei_220"], drivers=("day",), driven=("prefecture",))
    start = grid.reset(Context())
    load = float(start["grid"]["load_mw"][0])
    scaled = grid._elements.p0_mw[grid._elements.driven(grid._case.net, "prefecture")[0]].sum()
    for k, scale in enumerate((1.0, 0.99, 0.97)):
        tables = grid.step(60.0 * k, 60.0, inputs_for([0.0], scale=[scale]), ())
        assert float(tables["grid"]["load_mw"][0]) == pytest.approx(load + (scale - 1.0) * scaled, abs=1e-6)
        np.testing.assert_array_equal(tables["area"]["f_hz"], [50.0])
        assert residual(tables) < RESIDUAL_MW


def test_one_element_cannot_follow_two_drivers():
    with pytest.raises(ScenarioError, match="'a' and 'b' both scale"):
        grid_of("ieee39", ["bus_20"], drivers=("a", "b"), driven=("load_3", "load_3"))


def test_unknown_places_and_elements_name_the_nearest():
    with pytest.raises(ScenarioError, match=r"no point or bus 'bus_2o'\. Did you mean 'bus_2"):
        grid_of("ieee39", ["bus_2o"])
    with pytest.raises(ScenarioError, match="neither a type nor an element"):
        grid_of("ieee39", ["bus_20"], drivers=("d",), driven=("loadd",))
    grid = grid_of("ieee39", ["bus_20"])
    grid.reset(Context())
    with pytest.raises(ScenarioError, match=r"no line, transformer, gen, sgen or load.*'gen_3"):
        grid.step(0.0, 1.0, inputs_for([0.0]), [GridEvent(0.0, "trip", "gen_3B")])


@pytest.mark.parametrize(("case", "point"), [("ieee39", "bus_20"), ("two_bus", "b"), ("anhui", "hefei_park")])
def test_the_engine_keeps_the_contract(case, point):
    def build(connections):
        return PowerFlowGrid(PowerFlowParams(case=case), connections)

    assert list(check_grid(build, point)) == []
