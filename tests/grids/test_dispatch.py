"""Redispatch: sums are exact, limits hold, a shortfall is named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cosim.core.errors import ScenarioError
from grids.dispatch import redispatch, share_out

MIN, MAX = np.array([0.0, 100.0, 50.0]), np.array([600.0, 300.0, 50.0])
P = np.array([300.0, 200.0, 50.0])

plants = st.lists(
    st.tuples(st.floats(0, 300), st.floats(0, 300), st.floats(0, 300), st.floats(0.01, 3)),
    min_size=1,
    max_size=8,
)


def test_equal_plants_share_equally():
    new = redispatch(60.0, np.full(3, 100.0), np.zeros(3), np.full(3, 500.0), np.ones(3))
    assert_allclose(new, 120.0, rtol=1e-12)


def test_shares_follow_headroom():
    """300 MW and 100 MW of headroom share 3 to 1; a plant at its limit gives nothing."""
    assert_allclose(redispatch(40.0, P, MIN, MAX, np.ones(3)), [330.0, 210.0, 50.0], rtol=1e-12)


def test_a_plant_that_takes_no_part_is_left_alone():
    assert_allclose(redispatch(-40.0, P, MIN, MAX, np.array([0.0, 1.0, 1.0])), [300.0, 160.0, 50.0])


def test_a_full_plant_hands_over_to_the_others():
    """Ten times the participation, but only 100 MW of headroom: the rest comes from plant 0."""
    new = redispatch(390.0, P, MIN, MAX, np.array([1.0, 10.0, 1.0]))
    assert_allclose(new, [590.0, 300.0, 50.0], rtol=1e-12)


def test_a_shortfall_is_named():
    with pytest.raises(ScenarioError, match=r"\+500 MW: the plants have 400 MW up, 100 MW are missing"):
        redispatch(500.0, P, MIN, MAX, np.ones(3))
    new, missing = share_out(500.0, P, MIN, MAX, np.ones(3))
    assert_allclose(new, MAX)
    assert_allclose(missing, 100.0)


@settings(deadline=None)
@given(plants, st.floats(-1, 1))
def test_the_sum_is_exact_and_limits_hold(rows, part):
    low, below, above, weight = np.array(rows).T
    p, high = low + below, low + below + above
    change = part * (above.sum() if part > 0 else below.sum())
    new = redispatch(change, p, low, high, weight)
    assert_allclose(new.sum() - p.sum(), change, atol=1e-8)
    assert np.all(new <= high + 1e-9)
    assert np.all(new >= low - 1e-9)
    assert np.all((new - p) * change >= -1e-9)  # everybody moves in the asked direction
