"""Capacity after ten years, at the stresses of the published model's closed form.

Points: NREL BLAST-Lite `lfp_gr_250AhPrismatic_2019` evaluated at constant stress; bar 0.002 of new capacity.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from datacenters.ageing import LfpAgeing

BAR_PU = 0.002
DAYS = 3650

# degC, mean charge, depth, rate [1/h], cycles a day; calendar loss, cycle loss, remaining capacity
POINTS = np.array(
    [
        [25, 0.5, 0.8, 0.25, 0.8, 0.0370, 0.1126, 0.8504],
        [25, 0.5, 0.8, 0.50, 0.8, 0.0370, 0.1607, 0.8023],
        [25, 0.5, 0.9, 0.50, 1.8, 0.0370, 0.3180, 0.6450],
        [35, 0.5, 0.8, 0.50, 0.8, 0.0684, 0.1266, 0.8050],
        [25, 0.9, 0.0, 0.00, 0.0, 0.0563, 0.0000, 0.9437],
        [15, 0.5, 0.8, 0.50, 0.8, 0.0192, 0.2074, 0.7734],
    ]
)
TEMP_DEGC, SOC_PU, DEPTH_PU, RATE_PER_H, FULL_PER_DAY, CALENDAR_PU, CYCLE_PU, REMAINING_PU = POINTS.T


def fresh(soc_pu: np.ndarray) -> LfpAgeing:
    return LfpAgeing(np.zeros_like(soc_pu), np.zeros_like(soc_pu), soc_pu)


def lost_after(days: int) -> tuple[np.ndarray, np.ndarray]:
    """Days held at the mean charge, one by one; and as many half cycles as they have."""
    held = fresh(SOC_PU)
    for _ in range(days):
        calendar_pu, none_pu = held.advance(86_400.0, SOC_PU, SOC_PU, TEMP_DEGC)
    assert_allclose(none_pu, 0.0)
    high, low = SOC_PU + 0.5 * DEPTH_PU, SOC_PU - 0.5 * DEPTH_PU
    lasts_s = np.where(RATE_PER_H > 0.0, DEPTH_PU / np.maximum(RATE_PER_H, 1e-9), 1.0) * 3600.0
    cycled = fresh(high)
    halves = np.rint(2.0 * days * FULL_PER_DAY / np.maximum(DEPTH_PU, 1e-9)).astype(int)
    cycle_pu = np.zeros(len(POINTS))
    for half in range(halves.max()):
        ends = (high, low) if half % 2 == 0 else (low, high)
        _, now_pu = cycled.advance(lasts_s, *ends, TEMP_DEGC)
        cycle_pu = np.where(half < halves, now_pu, cycle_pu)
    return calendar_pu, cycle_pu


@pytest.fixture(scope="module")
def losses() -> tuple[np.ndarray, np.ndarray]:
    """Ten years."""
    return lost_after(DAYS)


def test_remaining_capacity_is_that_of_the_published_model(losses):
    assert_allclose(1.0 - losses[0] - losses[1], REMAINING_PU, atol=BAR_PU)


def test_calendar_and_cycle_losses_are_each_those_of_the_published_model(losses):
    assert_allclose(losses[0], CALENDAR_PU, atol=1e-4)
    assert_allclose(losses[1], CYCLE_PU, atol=1e-4)


def test_two_years_of_changing_temperature_and_depth_are_those_of_blast_lite_itself():
    """BLAST-Lite's own code, one update for each cycle of 64 samples: 0.01799 by time, 0.08416 by cycles.

    25 °C with a season of 10 K; cycles at C/4, of depth 0.8 in the first year and 0.9 in the second.
    """
    shape = np.interp(np.arange(1, 9) / 8, [0.0, 0.25, 0.75, 1.0], [0.0, 1.0, -1.0, 0.0])
    cells, held_pu, soc_pu, hour = fresh(np.array([0.5])), np.ones(1), np.array([0.5]), 0.0
    while hour < 2 * 8760.0:
        half_depth = 0.4 if hour < 8760.0 else 0.45
        step_h = 2.0 * half_depth / 0.25 * 2.0 / 8
        for to in 0.5 + half_depth * shape:
            temp_degc = 25.0 + 10.0 * np.sin(2 * np.pi * (hour + 0.5 * step_h) / 8760.0)
            after_pu = np.array([to])
            lost = cells.advance(step_h * 3600.0, soc_pu, after_pu, np.array([temp_degc]), held_pu)
            held_pu, soc_pu, hour = 1.0 - lost[0] - lost[1], after_pu, hour + step_h
    assert lost[0] == pytest.approx(0.01799, abs=BAR_PU)
    assert lost[1] == pytest.approx(0.08416, abs=BAR_PU)
    assert held_pu == pytest.approx(1.0 - 0.01799 - 0.08416, abs=BAR_PU)
