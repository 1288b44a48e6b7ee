"""The rms engine keeps the contract of grids, starts where the power flow stands and gives it back."""

import numpy as np
import pytest

from cosim.core.component import Context
from cosim.core.errors import CaseError, ScenarioError, SolveError
from cosim.core.grid import Connections, GridEvent, GridWindow
from cosim.testing.grid import check_grid
from grids.engine import PowerFlowGrid
from grids.params import PowerFlowParams, RmsParams, RmsWindowParams
from grids.rms import RmsGrid
from grids.rms_events import Fault, Input, Step
from grids.rms_run import RmsRun

UNITS = Connections(
    ("hall", "store"), ("bus_16", "bus_4"), (None, None), (None, None), ("curve",), ("load_8",)
)


def inputs(hall_mw=100.0, store_mw=0.0, scale_pu=1.0):
    p = np.array([hall_mw, store_mw])
    zero = np.zeros(2)
    droop = dict.fromkeys(("droop_mw_per_hz", "droop_up_mw", "droop_down_mw"), zero)
    return {"p_mw": p, "q_mvar": 0.1 * p, **droop, "scale_pu": np.array([scale_pu])}


class Drive:
    """A grid that is stepped, what it said, and its tables of every exchange."""

    def __init__(self, grid, ahead=()):
        self.grid, self.said, self.rows, self.t_s = grid, [], [], 0.0
        if ahead:
            assert grid.expect(ahead) == [None] * len(ahead)
        self.ahead = ahead
        self.first = grid.reset(Context(emit=lambda *said: self.said.append(said)))

    def to(self, until_s, dt_s, **what):
        while self.t_s < until_s - 1e-9:
            due = [event for event in self.ahead if abs(event.at_s - self.t_s) < 1e-9]
            self.rows.append((self.t_s, self.grid.step(self.t_s, dt_s, inputs(**what), due)))
            self.t_s = round(self.t_s + dt_s, 9)
        return self.rows[-1][1]

    def series(self, table, column, element=0):
        return np.array([tables[table][column][element] for _, tables in self.rows])

    def kinds(self):
        return [kind for _, _, kind, _ in self.said if kind != "q_limit"]


@pytest.fixture(scope="module")
def whole():
    return RmsGrid(RmsParams(case="ieee39"), UNITS)


@pytest.fixture(scope="module")
def windowed():
    flow = PowerFlowGrid(PowerFlowParams(case="ieee39", tap_control=False), UNITS)
    return RmsGrid.within(flow, [GridWindow("look", 20.0, 24.0, RmsWindowParams())], UNITS)


def test_rms_keeps_the_contract_of_grids():
    assert list(check_grid(lambda units: RmsGrid(RmsParams(case="ieee39"), units), "bus_4", 20.0)) == []


def test_without_a_disturbance_the_tables_are_those_of_the_power_flow(whole):
    drive = Drive(whole)
    ours = drive.to(1.0, 0.5)
    flow = PowerFlowGrid(PowerFlowParams(case="ieee39", tap_control=False), UNITS)
    flow.reset(Context())
    theirs = flow.step(0.0, 0.5, inputs(), ())
    for table, columns in theirs.items():
        for column, values in columns.items():
            if column != "iterations_count":
                np.testing.assert_allclose(
                    ours[table][column], values, atol=2e-6, err_msg=f"{table}.{column}"
                )
    assert np.allclose(ours["gen"]["speed_pu"], 1.0, atol=1e-12)


def test_a_load_that_steps_is_answered_by_governors_and_the_power_balances(whole):
    drive = Drive(whole)
    drive.to(1.0, 0.1)
    after = drive.to(20.0, 0.1, hall_mw=300.0)
    f_hz, governed = drive.series("area", "f_hz"), float(after["area"]["p_governor_mw"][0])
    assert f_hz[9] == pytest.approx(60.0, abs=1e-9)
    assert 59.8 < f_hz[-1] < 59.99
    assert 50.0 < governed < 200.0
    gap = after["grid"]["generation_mw"] - after["grid"]["load_mw"] - after["grid"]["losses_mw"]
    assert abs(float(gap[0])) < 1e-4
    assert after["point"]["p_mw"][0] == pytest.approx(300.0, abs=1e-9)


def test_a_driven_load_is_dispatched_and_leaves_the_frequency_near_nominal(whole):
    drive = Drive(whole)
    drive.to(1.0, 0.5)
    before = drive.rows[-1][1]["grid"]["load_mw"][0]
    after = drive.to(60.0, 0.5, scale_pu=1.3)
    assert 100.0 < after["grid"]["load_mw"][0] - before < 0.3 * 522.0  # the others draw less at lower voltage
    assert after["area"]["f_hz"][0] == pytest.approx(60.0, abs=0.01)


def test_a_step_of_a_driven_load_stays_when_its_driver_moves(whole):
    drive = Drive(whole, (GridEvent(1.0, "load_step", "load_8", Step(element="load_8", p_mw=40.0)),))
    bus_8 = drive.grid.elements["bus"].index("bus_8")
    drive.to(1.0, 0.5)
    drive.to(2.0, 0.5)
    stepped = drive.to(3.0, 0.5, scale_pu=1.001)["bus"]
    plain = Drive(whole)
    plain.to(2.0, 0.5)
    only_driven = plain.to(3.0, 0.5, scale_pu=1.001)["bus"]
    more = stepped["p_mw"][bus_8] - only_driven["p_mw"][bus_8]
    assert more == pytest.approx(40.0, abs=3.0)


def test_a_fault_shorter_than_an_exchange_is_seen_within_it_and_told(whole):
    event = GridEvent(1.0, "fault", "bus_16", Fault(bus="bus_16", clear_after_s=0.055))
    drive = Drive(whole, (event,))
    drive.to(3.0, 0.1)
    texts = [text for _, _, kind, text in drive.said if kind == "fault"]
    assert texts == ["fault at bus_16", "fault at bus_16 cleared"]
    assert [at_s for at_s, _, kind, _ in drive.said if kind == "fault"] == pytest.approx([1.0, 1.055])
    assert drive.series("area", "f_max_hz").max() > 60.02
    assert 0.8 < drive.series("bus", "vm_pu", 15)[-1] < 1.1


def test_steps_of_loads_and_trips_reach_the_network(whole):
    events = (
        GridEvent(1.0, "load_step", "load_20", Step(element="load_20", p_mw=-100.0)),
        GridEvent(1.0, "load_step", "bus_5", Step(element="bus_5", p_mw=50.0)),
        GridEvent(2.0, "trip", "line_16_21"),
        GridEvent(3.0, "close", "line_16_21"),
        GridEvent(4.0, "trip", "gen_38"),
        GridEvent(5.0, "set_input", "gen_30", Input(element="gen_30", signal="paux", value_pu=0.0)),
    )
    drive = Drive(whole, events)
    drive.to(5.5, 0.1)
    line = drive.grid.elements["line"].index("line_16_21")
    flow = drive.series("line", "p_from_mw", line)
    assert flow[20:30].tolist() == [0.0] * 10
    assert abs(flow[30]) > 10.0
    gens = drive.grid.elements["gen"]
    assert drive.series("gen", "p_mw", gens.index("gen_38"))[-1] == 0.0
    assert np.isnan(drive.series("gen", "speed_pu", gens.index("gen_38"))[-1])
    assert drive.kinds() == ["dynamics", "dynamics", "trip", "close", "trip", "dynamics"]
    assert drive.series("grid", "load_mw")[11] - drive.series("grid", "load_mw")[9] == pytest.approx(
        -50.0, abs=15
    )


def test_what_cannot_be_done_is_refused_before_the_run(whole, windowed):
    assert "synchronise" in str(whole.expect([GridEvent(1.0, "close", "gen_38")])[0])
    assert windowed.expect([GridEvent(1.0, "close", "gen_38")]) == [None]
    wrong = GridEvent(1.0, "set_input", "gen_30", Input(element="gen_30", signal="pauxx", value_pu=0.1))
    assert "Did you mean 'paux'" in str(whole.expect([wrong])[0])
    whole.expect(())
    assert "gen_30" in whole.subjects("set_input")
    assert whole.subjects("dc_block") == ()
    assert "bus_16" in whole.subjects("fault")
    assert {"load_8", "bus_16"} <= set(whole.subjects("load_step"))


def test_a_window_begins_flat_at_the_frequency_the_power_flow_had(windowed):
    drive = Drive(windowed)
    drive.to(5.0, 1.0)
    drive.to(20.0, 1.0, hall_mw=250.0)
    before = drive.rows[-1][1]
    drive.to(20.1, 0.02, hall_mw=250.0)
    here = drive.rows[-5][1]
    assert before["area"]["f_hz"][0] < 59.98
    assert abs(here["area"]["f_hz"] - before["area"]["f_hz"]).max() < 1e-6
    assert abs(here["bus"]["vm_pu"] - before["bus"]["vm_pu"]).max() < 1e-6
    assert abs(here["gen"]["p_mw"] - before["gen"]["p_mw"]).max() < 1e-2
    assert np.isnan(before["gen"]["speed_pu"]).all()
    assert np.isfinite(here["gen"]["speed_pu"]).all()


def test_a_window_hands_frequency_and_topology_back(windowed):
    events = (GridEvent(21.0, "trip", "gen_38"), GridEvent(21.0, "trip", "line_16_21"))
    drive = Drive(windowed, events)
    drive.to(20.0, 1.0)
    last = drive.to(24.0, 0.02)
    after = drive.to(26.0, 1.0)
    first = drive.rows[-2][1]
    assert last["area"]["f_hz"][0] < 59.9
    assert first["area"]["f_min_hz"][0] <= last["area"]["f_hz"][0] <= first["area"]["f_max_hz"][0] + 0.05
    gens, lines = drive.grid.elements["gen"], drive.grid.elements["line"]
    assert first["gen"]["p_mw"][gens.index("gen_38")] == 0.0
    assert first["line"]["p_from_mw"][lines.index("line_16_21")] == 0.0
    assert abs(first["grid"]["generation_mw"] - last["grid"]["generation_mw"])[0] < 100.0
    assert np.isfinite(after["bus"]["vm_pu"]).all()
    assert [kind for kind in drive.kinds() if kind.startswith("window")] == ["window_begins", "window_ends"]


def test_machines_that_lose_synchronism_are_named(whole):
    drive = Drive(whole, (GridEvent(1.0, "fault", "bus_16", Fault(bus="bus_16", clear_after_s=0.3)),))
    drive.to(2.0, 0.1)
    said = [text for _, _, kind, text in drive.said if kind == "out_of_step"]
    assert said == ["gen_36 is 193° ahead of gen_39: out of step"]


def test_a_run_without_solution_says_so_once_and_shows_nothing_more(whole, monkeypatch):
    """Whether a load finds a low voltage to live at is the session's business; here it has given up."""

    def gives_up(run, to_s, given, events):
        msg = "t=1.0000 s: the network has no solution, worst at bus_16"
        raise SolveError(msg)

    drive = Drive(whole)
    drive.to(1.0, 0.5)
    monkeypatch.setattr(RmsRun, "step", gives_up)
    drive.to(3.0, 0.5)
    said = [text for _, _, kind, text in drive.said if kind == "no_solution"]
    assert len(said) == 1
    assert "worst at bus_16" in said[0]
    assert drive.series("grid", "converged_pu").tolist() == [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert np.isnan(drive.rows[-1][1]["bus"]["vm_pu"]).all()
    stopping = Drive(RmsGrid(RmsParams(case="ieee39", on_no_solution="stop"), UNITS))
    with pytest.raises(SolveError, match="bus_16"):
        stopping.to(1.0, 0.5)


def test_a_case_without_dynamic_tables_is_refused_with_what_it_lacks():
    with pytest.raises(CaseError, match=r"two_bus.*no dynamic model for .*genrou\.csv"):
        RmsGrid(RmsParams(case="two_bus"), Connections())
    with pytest.raises(ScenarioError, match="engine powerflow around them"):
        RmsGrid.within(object(), [], Connections())
