"""Islands and steps without solution are findings: recorded, explained, never papered over."""

import numpy as np
import pandapower as pp
import pytest

from cosim.core.component import Context
from cosim.core.errors import ScenarioError, SolveError
from cosim.core.grid import Connections, GridEvent
from grids.engine import PowerFlowGrid
from grids.params import PowerFlowParams

NAN_TABLES = ("bus", "line", "trafo", "gen")


def inputs_for(p_mw):
    p = np.atleast_1d(np.asarray(p_mw, dtype=np.float64))
    zero = np.zeros(p.size)
    fast = dict.fromkeys(("droop_mw_per_hz", "droop_up_mw", "droop_down_mw"), zero)
    return {"p_mw": p, "q_mvar": 0.3 * p, "scale_pu": np.zeros(0), **fast}


def line_of(tmp_path):
    """Write a long 110 kV line with a load in the middle and one at its end; return its file."""
    net = pp.create_empty_network(sn_mva=100.0)
    a, b, c = (pp.create_bus(net, 110, name=name) for name in "abc")
    pp.create_ext_grid(net, a, vm_pu=1.0, name="grid")
    for name, start, end in (("ab", a, b), ("bc", b, c)):
        pp.create_line_from_parameters(net, start, end, 60.0, 0.06, 0.4, 9.0, 0.4, name=name)
    pp.create_load(net, b, 5.0, 1.0, name="village")
    pp.create_load(net, c, 7.0, 2.0, name="town")
    path = tmp_path / "line.json"
    pp.to_json(net, str(path))
    return str(path)


def begin(path, point="c", **params):
    events = []
    grid = PowerFlowGrid(PowerFlowParams(network=path, **params), Connections(("unit",), (point,), (None,)))
    grid.reset(Context(emit=lambda *event: events.append(event)))
    return grid, events


def the(events, kind):
    return [event[3] for event in events if event[2] == kind]


def test_a_step_without_solution_has_no_old_value_and_says_so(tmp_path):
    grid, events = begin(line_of(tmp_path))
    solved = grid.step(0.0, 1.0, inputs_for(30.0), ())
    failed = grid.step(1.0, 1.0, inputs_for(500.0), ())
    for table in NAN_TABLES:
        for column in grid.columns[table]:
            assert np.all(np.isnan(failed[table][column])), (table, column)
    for column in ("vm_pu", "p_mw", "q_mvar"):
        assert np.all(np.isnan(failed["point"][column]))
    assert failed["grid"]["converged_pu"][0] == 0.0
    assert np.isnan(failed["grid"]["losses_mw"][0])
    assert np.isfinite(failed["area"]["f_hz"][0])  # the swing equation needs no voltages
    assert solved["grid"]["converged_pu"][0] == 1.0
    assert len(the(events, "no_solution")) == 1


def test_the_diagnosis_finds_the_last_solvable_injection(tmp_path):
    grid, events = begin(line_of(tmp_path))
    grid.step(0.0, 1.0, inputs_for(20.0), ())
    grid.step(1.0, 1.0, inputs_for(400.0), ())
    text = the(events, "no_solution")[0]
    share = float(text.split("; ")[1].split(" %")[0]) / 100.0
    assert "of the change since the last solution is solvable" in text
    assert "at c" in text  # the end of the line cannot be supplied
    assert "overloads at the last iterate: " in text
    edge_mw = 20.0 + share * 380.0
    # frequency answers a little differently on the way: within 2 % of the change
    for p_mw, good in ((edge_mw - 8.0, 1.0), (edge_mw + 8.0, 0.0)):
        grid, _ = begin(line_of(tmp_path))
        grid.step(0.0, 1.0, inputs_for(20.0), ())
        tables = grid.step(1.0, 1.0, inputs_for(p_mw), ())
        assert tables["grid"]["converged_pu"][0] == good


def test_the_run_recovers_after_a_step_without_solution(tmp_path):
    grid, _ = begin(line_of(tmp_path))
    grid.step(0.0, 1.0, inputs_for(20.0), ())
    before = grid.step(1.0, 1.0, inputs_for(20.0), ())
    grid.step(2.0, 1e-3, inputs_for(400.0), ())
    after = grid.step(2.001, 1e-3, inputs_for(20.0), ())
    assert after["grid"]["converged_pu"][0] == 1.0
    np.testing.assert_allclose(after["bus"]["vm_pu"], before["bus"]["vm_pu"], rtol=0, atol=1e-5)


def test_the_policy_stop_raises_with_the_diagnosis(tmp_path):
    grid, events = begin(line_of(tmp_path), on_no_solution="stop")
    grid.step(0.0, 1.0, inputs_for(20.0), ())
    with pytest.raises(SolveError, match=r"t=1 s: no power flow solution; .* % of the change"):
        grid.step(1.0, 1.0, inputs_for(400.0), ())
    assert len(the(events, "no_solution")) == 1


def test_an_island_without_source_is_dead_and_the_rest_goes_on(tmp_path):
    grid, events = begin(line_of(tmp_path))
    grid.step(0.0, 1.0, inputs_for(10.0), ())
    tables = grid.step(1.0, 1.0, inputs_for(10.0), [GridEvent(1.0, "trip", "bc")])
    np.testing.assert_array_equal(np.isnan(tables["bus"]["vm_pu"]), [False, False, True])
    assert tables["grid"]["converged_pu"][0] == 1.0
    assert tables["point"]["vm_pu"][0] == 0.0
    assert tables["point"]["p_mw"][0] == 0.0
    text = the(events, "islanded")[0]
    assert "without a source: c;" in text
    assert "lost load 17 MW" in text  # 7 MW of the town and 10 MW of the unit
    assert tables["area"]["p_imbalance_mw"][0] == pytest.approx(-17.0)
    assert abs(tables["grid"]["slack_residual_mw"][0]) < 1e-6
    back = grid.step(2.0, 1.0, inputs_for(10.0), [GridEvent(2.0, "close", "bc")])
    assert np.all(np.isfinite(back["bus"]["vm_pu"]))
    assert "c" in the(events, "energised")[0]
    assert back["area"]["p_imbalance_mw"][0] == pytest.approx(0.0)


def test_an_island_that_goes_dark_for_want_of_a_reference_names_its_machines(tmp_path):
    path = line_of(tmp_path)
    net = pp.from_json(path)
    pp.create_gen(net, 2, 9.0, vm_pu=1.0, name="mill")
    pp.to_json(net, path)
    grid, _ = begin(path)
    grid.step(0.0, 1.0, inputs_for(2.0), ())
    lost = grid._state.switch([("line", 1, False)])
    assert lost.lost == ("c",)
    assert lost.machines == ("mill",)  # 9 MW for 9 MW of load: it could live, but nobody holds its angle
    assert grid._state.switch([("line", 1, True)]).machines == ()


def test_a_lost_slack_cannot_be_tripped_by_a_scenario(tmp_path):
    path = line_of(tmp_path)
    net = pp.from_json(path)
    pp.create_gen(net, 0, 10.0, slack=True, name="holder")
    pp.to_json(net, path)
    grid, _ = begin(path)
    events = [GridEvent(0.0, "trip", "holder")]
    assert "holds the angle" in grid.expect(events)[0]
    with pytest.raises(ScenarioError, match="holds the angle"):
        grid.step(0.0, 1.0, inputs_for(0.0), events)


def test_reset_forgets_trips_islands_and_frequency(tmp_path):
    grid, _ = begin(line_of(tmp_path))
    first = [grid.step(float(k), 1.0, inputs_for(10.0 + k), ()) for k in range(3)]
    grid.step(3.0, 1.0, inputs_for(400.0), ())
    grid.step(4.0, 1.0, inputs_for(10.0), [GridEvent(4.0, "trip", "ab")])
    grid.reset(Context())
    again = [grid.step(float(k), 1.0, inputs_for(10.0 + k), ()) for k in range(3)]
    for one, two in zip(first, again, strict=True):
        for table in one:
            for column in one[table]:
                np.testing.assert_array_equal(one[table][column], two[table][column])


def test_an_operating_point_without_solution_is_said_at_the_start(tmp_path):
    path = line_of(tmp_path)
    net = pp.from_json(path)
    net.load["p_mw"] *= 60.0
    pp.to_json(net, path)
    with pytest.raises(
        SolveError, match=r"operating point of 'line' has no solution.*of the demand is solvable"
    ):
        begin(path)


def test_the_cross_check_notices_a_wrong_solver(tmp_path):
    grid, events = begin(line_of(tmp_path), cross_check_every_count=1)
    grid.step(0.0, 1.0, inputs_for(10.0), ())
    assert the(events, "cross_check") == []
    grid._state.model.branch_y *= 1.0 + 1e-5
    grid._state.flow.refresh()
    grid.step(1.0, 1.0, inputs_for(10.0), ())
    assert "differ from pandapower's" in the(events, "cross_check")[0]
    assert grid.provenance()["cross_check"]["largest_pu"] > 1e-8
