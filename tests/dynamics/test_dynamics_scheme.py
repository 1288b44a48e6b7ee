"""Lags relax exactly, however short; without lags the schemes are the classical ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grids.dynamics.scheme import coefficients


@given(st.floats(min_value=1e-4, max_value=0.02), st.floats(min_value=1e-3, max_value=0.02))
def test_a_lag_relaxes_exactly_whatever_the_step(t_s: float, h_s: float) -> None:
    lam, first, second = coefficients(np.array([-1.0 / t_s]), h_s, "heun")
    x, u = 1.0, 0.0
    k1 = (u - x) / t_s
    a = x + first * k1
    k2 = (u - a) / t_s
    assert a == pytest.approx(np.exp(-h_s / t_s), abs=1e-12)
    assert a + second * (k2 - k1 - lam * (a - x)) == pytest.approx(np.exp(-h_s / t_s), abs=1e-9)


@given(st.floats(min_value=1e-4, max_value=0.02), st.floats(min_value=1e-3, max_value=0.02))
def test_the_weights_of_the_fourth_order_scheme_sum_to_the_exact_answer(t_s: float, h_s: float) -> None:
    _, e, _, _, f1, f2, f3 = coefficients(np.array([-1.0 / t_s]), h_s, "rk4")
    exact = t_s * (1.0 - np.exp(-h_s / t_s))  # answer to a constant input of 1
    assert f1 + 4 * f2 + f3 == pytest.approx(exact, rel=1e-7)
    assert e == pytest.approx(np.exp(-h_s / t_s))


def test_without_lags_the_schemes_are_heun_and_runge_kutta() -> None:
    none = np.zeros(1)
    assert coefficients(none, 0.01, "heun")[:, 0] == pytest.approx([0, 0.01, 0.005])
    classical = [0, 1, 1, 0.005, 0.01 / 6, 0.01 / 6, 0.01 / 6]
    assert coefficients(none, 0.01, "rk4")[:, 0] == pytest.approx(classical)
