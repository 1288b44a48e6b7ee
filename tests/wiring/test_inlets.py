"""Input ports: sums of wires, defaults, set values, and what arrives late."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cosim.core.component import Port
from cosim.core.errors import ScenarioError
from cosim.plan import Wire
from cosim.simulators.board import Board
from cosim.simulators.inlet import Inlet, inlets

PORT = Port("p_mw", "power", default=7.0)
NOTHING = Board()


def board(**ports):
    return Board({"source": {name: np.array(values, dtype=float) for name, values in ports.items()}})


def wire(source, target, delayed=False, port="p_mw"):
    return Wire("source", port, tuple(source), "target", "p_mw", tuple(target), delayed)


def test_units_without_a_wire_hold_the_default():
    assert_array_equal(Inlet("target", PORT, 2, ()).collect(NOTHING, NOTHING), [7.0, 7.0])


def test_a_wire_replaces_the_default_of_the_units_it_reaches_only():
    inlet = Inlet("target", PORT, 3, [wire([1], [0])])
    assert_array_equal(inlet.collect(board(p_mw=[1.0, 2.0]), NOTHING), [2.0, 7.0, 7.0])


@settings(deadline=None)
@given(
    values=st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=4),
    ends=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=8),
    cut=st.integers(0, 8),
)
def test_nothing_is_lost_between_wires_that_add_up(values, ends, cut):
    parts = [part for part in (ends[:cut], ends[cut:]) if part]
    inlet = Inlet("target", Port("p_mw", "", 0.0), 3, [wire(*zip(*part, strict=True)) for part in parts])
    expected = np.zeros(3)
    for source, target in ends:
        expected[target] += values[source]
    # two orders of adding up to eight numbers below 1e3 differ by at most a few rounding errors
    assert_allclose(inlet.collect(board(p_mw=values), NOTHING), expected, atol=1e-11)


def test_a_late_wire_brings_the_last_exchange_and_the_default_before_there_was_one():
    inlet = Inlet("target", PORT, 2, [wire([0], [0], delayed=True)])
    assert_array_equal(inlet.collect(board(p_mw=[9.0]), NOTHING), [7.0, 7.0])
    assert_array_equal(inlet.collect(board(p_mw=[9.0]), board(p_mw=[4.0])), [4.0, 7.0])


def test_the_default_stands_in_once_for_several_late_wires_into_one_unit():
    inlet = Inlet("target", PORT, 1, [wire([0], [0], delayed=True), wire([1], [0], delayed=True)])
    assert_array_equal(inlet.collect(NOTHING, NOTHING), [7.0])


def test_a_set_value_holds_from_then_on_without_touching_what_was_given_out_before():
    inlet = Inlet("target", PORT, 2, ())
    before = inlet.collect(NOTHING, NOTHING)
    inlet.hold(1, 3.0)
    assert_array_equal(inlet.collect(NOTHING, NOTHING), [7.0, 3.0])
    assert_array_equal(before, [7.0, 7.0])


@pytest.mark.parametrize("wires", [(), (wire([0], [0]),), (wire([0, 0], [0, 0]),)])
def test_inputs_cannot_be_written_to(wires):
    values = Inlet("target", PORT, 1, wires).collect(board(p_mw=[1.0]), NOTHING)
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 0.0


def test_an_input_without_default_must_be_wired_for_every_unit():
    bare = Port("p_mw", "power")
    Inlet("target", bare, 2, [wire([0, 0], [0, 1])])
    with pytest.raises(ScenarioError, match="target: input p_mw has no default"):
        Inlet("target", bare, 2, [wire([0], [0])])


def test_a_wire_into_a_port_that_is_not_there_is_refused():
    with pytest.raises(ScenarioError, match=r"target: no input p_mw, which source\.p_mw is wired to"):
        inlets("target", [Port("q_mvar", "", 0.0)], 1, [wire([0], [0])])
