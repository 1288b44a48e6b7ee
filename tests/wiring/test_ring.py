"""The ring: who hears what, and when.

stage 1 --now--> stage 2 --now--> grid --now--> recorder
   ^  ^------- late ----^---------/                |
   '--------------------- rows (late) -------------'
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from suandian_toys import Grudge, Ramp, StepParams, Toy, ToyParams, Vandal, kind, plan

from cosim.core.clock import Window
from cosim.core.errors import ComponentError, ScenarioError
from cosim.core.grid import GridEvent
from cosim.plan import Command, SetInput, Wire
from cosim.run import run

ONE = ToyParams()
ORDER = Wire("ramp", "p_mw", (0,), "toy", "p_order_mw", (0,))
LATE_ORDER = Wire("ramp", "p_mw", (0,), "toy", "p_order_mw", (0,), delayed=True)


@pytest.fixture
def go(tmp_path):
    return lambda *kinds, **more: run(plan(*kinds, **more), tmp_path)


def column(results, table, name):
    return results.series(table, name).to_numpy()[:, 0]


@pytest.mark.parametrize("process", [False, True])
def test_a_wire_arrives_in_the_same_exchange(go, process):
    results = go(kind(Ramp, ONE), kind(Toy, ONE, process=process), wires=[ORDER], until_s=5.0)
    assert_array_equal(column(results, "toy", "p_order_heard_mw"), [0.0, 1.0, 2.0, 3.0, 4.0])


@pytest.mark.parametrize("process", [False, True])
@pytest.mark.parametrize("stages", [[("ramp",), ("toy",)], [("toy",), ("ramp",)]])
def test_a_late_wire_arrives_one_exchange_late_in_whatever_order_the_stages_step(go, stages, process):
    parts = (kind(Ramp, ONE), kind(Toy, ONE, process=process))
    results = go(*parts, wires=[LATE_ORDER], stages=stages, until_s=5.0)
    assert_array_equal(column(results, "toy", "p_order_heard_mw"), [0.0, 0.0, 1.0, 2.0, 3.0])


def test_a_late_wire_works_between_kinds_of_one_stage_and_from_a_kind_to_itself(go):
    own = Wire("ramp", "p_mw", (0,), "ramp", "p_order_mw", (0,), delayed=True)
    results = go(
        kind(Ramp, ONE), kind(Toy, ONE), wires=[LATE_ORDER, own], stages=[("toy", "ramp")], until_s=4.0
    )
    for table in ("toy", "ramp"):
        assert_array_equal(column(results, table, "p_order_heard_mw"), [0.0, 0.0, 1.0, 2.0])


@pytest.mark.parametrize("process", [False, True])
def test_the_grid_is_heard_one_exchange_late_and_first_as_it_was_before_the_run(go, process):
    results = go(kind(Ramp, ONE, process=process), until_s=5.0)
    solved = column(results, "point", "vm_pu")
    assert_allclose(solved, 1.0 - 0.01 * np.arange(5), rtol=1e-12)
    assert_array_equal(column(results, "ramp", "vm_heard_pu"), [1.0, *solved[:-1]])


def test_late_means_one_exchange_also_where_the_step_changes(go):
    results = go(kind(Ramp, ONE), until_s=8.0, step_s=2.0, windows=[Window(2.0, 4.0, 0.5)])
    assert_array_equal(column(results, "ramp", "p_mw"), [0.0, 2.0, 2.5, 3.0, 3.5, 4.0, 6.0])
    assert_array_equal(column(results, "ramp", "vm_heard_pu")[1:], column(results, "point", "vm_pu")[:-1])


def test_every_exchange_has_its_start_and_length_in_every_table(go):
    results = go(kind(Toy, ONE), until_s=4.0, step_s=1.0, windows=[Window(1.0, 2.0, 0.25)])
    lengths = [1.0, 0.25, 0.25, 0.25, 0.25, 1.0, 1.0]
    assert_array_equal(column(results, "toy", "duration_s"), lengths)
    for table in results.tables:
        assert_array_equal(results.series(table, results.columns(table)[0]).index, results.dt_s.index)
        assert_array_equal(results.table(table)["dt_s"].to_numpy()[:: len(results.elements(table))], lengths)


def test_exchanges_shorter_than_a_second_fall_where_they_should(go):
    results = go(kind(Ramp, ONE), until_s=1.0, step_s=0.1)
    assert_array_equal(column(results, "ramp", "p_mw"), [n / 10 for n in range(10)])


def test_the_recorder_has_one_row_per_element_and_exchange(go):
    results = go(kind(Toy, ONE, ONE), until_s=7.0, buses=5)
    rows = {table: len(results.table(table)) for table in results.tables}
    assert rows == {"bus": 35, "grid": 7, "point": 14, "toy": 14}


@pytest.mark.parametrize("process", [False, True])
def test_a_command_is_handed_over_before_the_step_it_belongs_to(go, process):
    command = Command(3.0, 1, "change", StepParams(p_rated_mw=9.0))
    results = go(kind(Toy, ONE, ONE, commands=[command], process=process), until_s=5.0)
    assert_array_equal(results.series("toy", "p_mw")["toy_1"], [1.0, 1.0, 1.0, 9.0, 9.0])
    assert_array_equal(results.series("toy", "p_mw")["toy_0"], np.ones(5))
    assert list(results.events["kind"]) == ["command", "changed"]
    assert list(results.events["t_s"]) == [3.0, 3.0]
    assert list(results.events["source"]) == ["toy_1", "toy_1"]


@pytest.mark.parametrize("process", [False, True])
def test_a_set_input_holds_from_its_exchange_on(go, process):
    sets = [SetInput(1.0, 0, "p_order_mw", 5.0), SetInput(3.0, 0, "p_order_mw", 6.0)]
    results = go(kind(Toy, ONE, ONE, sets=sets, process=process), until_s=5.0)
    assert_array_equal(results.series("toy", "p_order_heard_mw")["toy_0"], [0.0, 5.0, 5.0, 6.0, 6.0])
    assert_array_equal(results.series("toy", "p_order_heard_mw")["toy_1"], np.zeros(5))
    assert list(results.events["text"]) == ["p_order_mw = 5", "p_order_mw = 6"]


def test_what_is_scheduled_between_two_exchanges_is_refused(go):
    with pytest.raises(ScenarioError, match=r"no exchange starts at 1\.5 s"):
        go(kind(Toy, ONE, sets=[SetInput(1.5, 0, "p_order_mw", 5.0)]))


def test_grid_events_reach_the_grid_in_their_exchange(tmp_path):
    events = (
        GridEvent(2.0, "trip", "line_1"),
        GridEvent(2.0, "trip", "line_2"),
        GridEvent(4.0, "close", "line_1"),
    )
    made = plan(kind(Toy, ONE), grid_events=events)
    results = run(made, tmp_path)
    assert {t_s: due for t_s, _, due in made.grid.got if due} == {2.0: events[:2], 4.0: events[2:]}
    assert list(results.events["source"]) == ["line_1", "line_2", "line_1"]


def test_events_of_one_instant_keep_the_order_in_which_simulators_step(go):
    first = kind(Toy, ONE, name="first", commands=[Command(2.0, 0, "change", StepParams())])
    second = kind(Toy, ONE, name="second", commands=[Command(2.0, 0, "change", StepParams())], process=True)
    results = go(
        first, second, grid_events=[GridEvent(2.0, "trip", "line_1"), GridEvent(1.0, "trip", "line_0")]
    )
    sources = ["line_0", "first_0", "first_0", "second_0", "second_0", "line_1"]
    assert list(results.events["source"]) == sources


def test_power_of_all_kinds_meets_in_one_grid(go):
    results = go(kind(Ramp, ONE, ONE), kind(Toy, ToyParams(p_rated_mw=3.0)), until_s=3.0)
    assert_array_equal(column(results, "grid", "load_mw"), [3.0, 5.0, 7.0])


def test_components_cannot_write_into_what_others_hear(go):
    with pytest.raises(ComponentError, match=r"vandal at t_s=0: ValueError: .*read-only"):
        go(kind(Vandal, ONE))


def test_a_component_that_hands_out_its_own_state_cannot_change_what_was_published(go):
    order = Wire("grudge", "p_mw", (0,), "toy", "p_order_mw", (0,), delayed=True)
    results = go(kind(Grudge, ONE), kind(Toy, ONE), wires=[order], until_s=4.0)
    assert_array_equal(column(results, "grudge", "p_mw"), [0.0, 1.0, 2.0, 3.0])
    assert_array_equal(column(results, "toy", "p_order_heard_mw"), [0.0, 0.0, 1.0, 2.0])


def test_without_a_solution_results_have_no_voltage_and_components_keep_the_last(go):
    results = go(kind(Ramp, ONE), until_s=5.0, dark=[2.0])
    assert_array_equal(np.isnan(column(results, "point", "vm_pu")), [False, False, True, False, False])
    assert_array_equal(np.isnan(column(results, "bus", "vm_pu")), [False, False, True, False, False])
    assert_allclose(column(results, "ramp", "vm_heard_pu"), [1.0, 1.0, 0.99, 0.99, 0.97], rtol=1e-12)


def test_a_grid_without_units_runs(go):
    assert_array_equal(column(go(until_s=3.0), "grid", "load_mw"), np.zeros(3))


def test_a_kind_called_like_a_table_of_the_grid_is_refused(go):
    with pytest.raises(ComponentError, match="component kind 'bus' has the name of a table"):
        go(kind(Toy, ONE, name="bus"))
