"""What is read off a trajectory is what the signal was made of, or what the eigenvalues say."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grids.case import load_case
from grids.dynamics import BusFault, begin, simulate
from grids.dynamics.linear import linearise
from grids.dynamics.measures import nadir, ring_down, rocof, settling, voltage_recovery, zenith

T_S = np.linspace(0.0, 20.0, 4001)
RATES = st.floats(min_value=0.1, max_value=0.6)
SWINGS_HZ = st.floats(min_value=0.2, max_value=2.0)


def signal(values: np.ndarray) -> "pd.Series[float]":
    return pd.Series(values, index=pd.Index(T_S, name="t_s"))


@settings(deadline=None, max_examples=25)
@given(RATES, SWINGS_HZ, st.floats(min_value=0.05, max_value=1.0))
def test_nadir_and_zenith_of_a_damped_swing(sigma: float, f_hz: float, depth_hz: float) -> None:
    omega = 2 * math.pi * f_hz
    swing = np.exp(-sigma * T_S) * np.cos(omega * T_S)
    at_s = (math.pi - math.atan(sigma / omega)) / omega
    peak = 1.0 - math.exp(-sigma * at_s) * math.cos(omega * at_s)
    low, high = (
        nadir(signal(60.0 - depth_hz * (1.0 - swing))),
        zenith(signal(60.0 + depth_hz * (1.0 - swing))),
    )
    for (t_s, value), sign in ((low, -1.0), (high, 1.0)):
        assert t_s == pytest.approx(at_s, abs=0.0026)  # half a sample
        assert value == pytest.approx(60.0 + sign * depth_hz * peak, abs=6e-4 * depth_hz)


@settings(deadline=None, max_examples=25)
@given(st.floats(min_value=0.3, max_value=5.0), st.floats(min_value=0.01, max_value=0.3))
def test_settling_steepness_and_recovery_of_an_exponential(tau_s: float, band: float) -> None:
    answer = signal(1.0 - np.exp(-T_S / tau_s))
    at_s, last = settling(answer, band)
    assert last == answer.iloc[-1]
    assert at_s == pytest.approx(-tau_s * math.log(band + math.exp(-20.0 / tau_s)), abs=0.0051)
    for window_s in (0.1, 0.5, 1.0):
        assert rocof(answer, window_s) == pytest.approx(
            (1.0 - math.exp(-window_s / tau_s)) / window_s, rel=1e-6
        )
    back_s = voltage_recovery(signal(1.0 - 0.5 * np.exp(-T_S / tau_s)), 0.9, 0.0)
    assert back_s == pytest.approx(tau_s * math.log(5.0), abs=0.0051)


def test_a_voltage_that_stays_low_never_recovers_and_one_that_was_never_low_needs_no_time() -> None:
    assert voltage_recovery(signal(np.full(T_S.size, 0.8)), 0.9, 0.0) == math.inf
    assert voltage_recovery(signal(np.full(T_S.size, 0.95)), 0.9, 0.0) == 0.0


@settings(deadline=None, max_examples=4)
@given(st.floats(min_value=0.02, max_value=0.1), st.floats(min_value=0.3, max_value=1.0))
def test_ring_down_finds_the_larger_of_two_modes(damping_pu: float, f_hz: float) -> None:
    omega = 2 * math.pi * f_hz
    slow = np.exp(-damping_pu * omega / math.sqrt(1 - damping_pu**2) * T_S) * np.cos(omega * T_S)
    fast = 0.2 * np.exp(-0.6 * T_S) * np.cos(2.7 * omega * T_S + 1.0)
    found_hz, found_pu = ring_down(signal(0.01 * (slow + fast) + 1.0), 0.5, 12.0)
    assert found_hz == pytest.approx(f_hz, rel=0.01)
    assert found_pu == pytest.approx(damping_pu, rel=0.03)


def test_ring_down_after_a_disturbance_has_the_damping_of_the_eigenvalue() -> None:
    case = load_case("kundur")
    modes = linearise(begin(case)).electromechanical()
    run = simulate(
        case, [BusFault(bus=8, at_s=0.1, clear_after_s=0.05, x_pu=0.3)], until_s=20.0, step_s=1 / 120
    )
    areas = run.speed_pu[["gen_1", "gen_2"]].mean(axis=1) - run.speed_pu[["gen_3", "gen_4"]].mean(axis=1)
    f_hz, damping_pu = ring_down(areas, 2.0, 18.0)
    assert f_hz == pytest.approx(modes.frequency_hz[0], rel=0.01)
    assert damping_pu == pytest.approx(modes.damping_pu[0], rel=0.05)
