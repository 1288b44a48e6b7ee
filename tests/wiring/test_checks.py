"""What a component may return: every port, one finite number per unit, nothing else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.core.shelf import Shelf, places_of
from cosim.simulators.check import Check, StepError

UNITS, PORTS = ("hefei", "huaibei"), ("p_mw", "q_mvar")


def good():
    return {"p_mw": np.array([1.0, 2.0]), "q_mvar": np.zeros(2)}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"q_mvar": np.array([0.0, np.nan])}, "output q_mvar of huaibei is nan"),
        ({"p_mw": np.array([-np.inf, 0.0])}, "output p_mw of hefei is -inf"),
        ({"p_mw": np.zeros(3)}, r"output p_mw has shape \(3,\), expected \(2,\)"),
        ({"p_mw": 1.0}, r"output p_mw has shape \(\)"),
        ({"p_mw": np.zeros((2, 1))}, r"output p_mw has shape \(2, 1\)"),
        ({"p_mw": None}, "output p_mw is missing"),
        ({"p_mw": ["a", "b"]}, "output p_mw is not numbers"),
        ({"p_mv": np.zeros(2)}, "ports it does not declare: p_mv"),
    ],
)
def test_a_wrong_output_is_named_with_kind_time_port_and_value(change, complaint):
    with pytest.raises(StepError, match=f"^hall at t_s=12.5: .*{complaint}") as caught:
        Check("hall", UNITS, PORTS)({**good(), **change}, 12.5)
    assert (caught.value.culprit, caught.value.t_s) == ("hall", 12.5)


def test_something_that_is_not_a_mapping_is_refused():
    with pytest.raises(StepError, match="step returned list, not a mapping"):
        Check("hall", UNITS, PORTS)([good()], 0.0)


def test_a_shelf_in_the_order_of_the_ports_is_copied_whole_and_any_other_looked_at():
    block = np.array([[1.0, 2.0], [3.0, 4.0]])
    check = Check("hall", UNITS, PORTS)
    for names in (PORTS, PORTS[::-1]):
        published = check(Shelf(places_of(names), block), 0.0)
        assert list(published[names[0]]) == [1.0, 2.0]
        assert list(published[names[1]]) == [3.0, 4.0]
        assert not np.shares_memory(published["p_mw"], block)
    with pytest.raises(StepError, match="output q_mvar is missing"):
        check(Shelf(places_of(("p_mw", "s_mva")), block), 0.0)


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2))
def test_good_outputs_pass_unchanged_as_read_only_copies(values):
    outputs = {"p_mw": np.array(values), "q_mvar": np.zeros(2)}
    published = Check("hall", UNITS, PORTS)(outputs, 0.0)
    outputs["p_mw"][:] = -1.0
    assert list(published["p_mw"]) == values
    assert not published["p_mw"].flags.writeable
