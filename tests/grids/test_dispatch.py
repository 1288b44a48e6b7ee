"""Planned changes shared out to plants: sums are exact, limits hold, what finds no plant is left."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from grids.kernels.schedule import dispatch

MIN, MAX = np.array([0.0, 100.0, 50.0]), np.array([600.0, 300.0, 50.0])
P = np.array([300.0, 200.0, 50.0])

plants = st.lists(
    st.tuples(st.floats(0, 300), st.floats(0, 300), st.floats(0, 300), st.floats(0.01, 3)),
    min_size=1,
    max_size=8,
)


def dispatched(change_mw, p_mw, low, high, weight, *, delivered=0.0, alive=True):
    """Return outputs and what found no plant after a change in the one area there is."""
    n, area = p_mw.size, np.zeros(p_mw.size, dtype=np.int64)
    drawn, left, on = -p_mw, np.zeros(1), np.ones(n, dtype=np.bool_)
    changed = dispatch(
        np.array([change_mw]), area, on, on & alive, np.zeros(n), np.full(n, delivered),
        np.array([low, high, weight]), drawn, left, np.empty((2, n)),
    )  # fmt: skip
    assert changed == (change_mw != 0.0)
    return -drawn, float(left[0])


def test_equal_plants_share_equally():
    new, _ = dispatched(60.0, np.full(3, 100.0), np.zeros(3), np.full(3, 500.0), np.ones(3))
    assert_allclose(new, 120.0, rtol=1e-12)


def test_shares_follow_headroom():
    """300 MW and 100 MW of headroom share 3 to 1; a plant at its limit gives nothing."""
    assert_allclose(dispatched(40.0, P, MIN, MAX, np.ones(3))[0], [330.0, 210.0, 50.0], rtol=1e-12)


def test_a_plant_that_takes_no_part_is_left_alone():
    assert_allclose(dispatched(-40.0, P, MIN, MAX, np.array([0.0, 1.0, 1.0]))[0], [300.0, 160.0, 50.0])


def test_a_dead_plant_is_left_alone():
    alive = np.array([True, False, True])
    assert_allclose(dispatched(40.0, P, MIN, MAX, np.ones(3), alive=alive)[0], [340.0, 200.0, 50.0])


def test_a_full_plant_hands_over_to_the_others():
    """Ten times the participation, but only 100 MW of headroom: the rest comes from plant 0."""
    new, left = dispatched(390.0, P, MIN, MAX, np.array([1.0, 10.0, 1.0]))
    assert_allclose(new, [590.0, 300.0, 50.0], rtol=1e-12)
    assert left == 0.0


def test_what_finds_no_plant_is_left():
    """400 MW of room upwards, 400 MW downwards."""
    for change, full in ((500.0, MAX), (-500.0, MIN)):
        new, left = dispatched(change, P, MIN, MAX, np.ones(3))
        assert_allclose(new, full)
        assert_allclose(left, np.sign(change) * 100.0)


def test_what_governors_deliver_already_is_no_room():
    new, left = dispatched(400.0, P, MIN, MAX, np.ones(3), delivered=50.0)
    assert_allclose(new, [550.0, 250.0, 50.0])
    assert_allclose(left, 100.0)


@settings(deadline=None)
@given(plants, st.floats(-1, 1))
def test_the_sum_is_exact_and_limits_hold(rows, part):
    low, below, above, weight = np.array(rows).T
    p, high = low + below, low + below + above
    change = part * (above.sum() if part > 0 else below.sum())
    new, left = dispatched(change, p, low, high, weight)
    assert_allclose(new.sum() - p.sum(), change - left, atol=1e-8)
    assert_allclose(left, 0.0, atol=1e-9)
    assert np.all(new <= high + 1e-9)
    assert np.all(new >= low - 1e-9)
    assert np.all((new - p) * change >= -1e-9)  # everybody moves in the asked direction
