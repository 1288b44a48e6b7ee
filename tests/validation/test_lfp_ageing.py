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


@pytest.fixture(scope="module")
def losses() -> tuple[np.ndarray, np.ndarray]:
    """Ten years held at the mean charge, day by day; and as many half cycles as ten years have."""
    held = fresh(SOC_PU)
    for _ in range(DAYS):
        calendar_pu, none_pu = held.advance(86_400.0, SOC_PU, SOC_PU, TEMP_DEGC)
    assert_allclose(none_pu, 0.0)
    high, low = SOC_PU + 0.5 * DEPTH_PU, SOC_PU - 0.5 * DEPTH_PU
    lasts_s = np.where(RATE_PER_H > 0.0, DEPTH_PU / np.maximum(RATE_PER_H, 1e-9), 1.0) * 3600.0
    cycled = fresh(high)
    halves = np.rint(2.0 * DAYS * FULL_PER_DAY / np.maximum(DEPTH_PU, 1e-9)).astype(int)
    cycle_pu = np.zeros(len(POINTS))
    for half in range(halves.max()):
        ends = (high, low) if half % 2 == 0 else (low, high)
        _, now_pu = cycled.advance(lasts_s, *ends, TEMP_DEGC)
        cycle_pu = np.where(half < halves, now_pu, cycle_pu)
    return calendar_pu, cycle_pu


def test_remaining_capacity_is_that_of_the_published_model(losses):
    assert_allclose(1.0 - losses[0] - losses[1], REMAINING_PU, atol=BAR_PU)


def test_calendar_and_cycle_losses_are_each_those_of_the_published_model(losses):
    assert_allclose(losses[0], CALENDAR_PU, atol=1e-4)
    assert_allclose(losses[1], CYCLE_PU, atol=1e-4)
