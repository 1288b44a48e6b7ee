import base64

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from cosim.report.series import BUDGET_BYTES, BYTES_PER_POINT, MISSING, Pool, decimated, points_per_line

SERIES = arrays(np.float64, st.integers(1, 400), elements=st.one_of(st.floats(-1e3, 1e3), st.just(np.nan)))


@given(SERIES, st.integers(8, 200))
def test_decimation_keeps_ends_extremes_and_gaps_within_the_number_asked_for(values, most):
    kept = decimated(values, most)
    assert kept.size <= most
    assert np.all(np.diff(kept) > 0)
    assert (kept[0], kept[-1]) == (0, values.size - 1)
    if not np.isnan(values).all():
        assert np.nanmin(values[kept]) == np.nanmin(values)
        assert np.nanmax(values[kept]) == np.nanmax(values)
    assert np.isnan(values[kept]).any() == np.isnan(values).any()


def test_a_short_series_is_kept_whole():
    assert decimated(np.arange(5.0), 10).tolist() == [0, 1, 2, 3, 4]


def test_a_spike_of_one_sample_in_a_day_survives():
    values = np.zeros(86_400)
    values[54_321] = 1.0
    assert 54_321 in decimated(values, 300)


def test_equal_arrays_are_stored_once_and_come_back_as_32_bit_floats():
    pool = Pool()
    first, again = pool.add(np.array([1.0, 2.5])), pool.add(np.array([1.0, 2.5]))
    assert first == again
    assert np.frombuffer(base64.b64decode(pool.packed[first]), "<f4").tolist() == [1.0, 2.5]


@given(st.integers(1, 1000))
def test_all_lines_together_stay_within_the_budget(lines):
    assert points_per_line(lines) * lines * BYTES_PER_POINT <= max(BUDGET_BYTES, 60 * lines * BYTES_PER_POINT)


@given(SERIES)
def test_coarse_arrays_come_back_within_half_a_step_and_keep_what_is_missing(values):
    pool = Pool()
    low, step, text = pool.packed[pool.add_coarse(values)]
    steps = np.frombuffer(base64.b64decode(text), "<u2")
    back = np.where(steps == MISSING, np.nan, low + steps * step)
    assert (np.isnan(back) == np.isnan(values)).all()
    assert_allclose(back, values, rtol=0.0, atol=0.5001 * step, equal_nan=True)
