"""Frequency support of a link: both areas on one clock, against the exact solution, and in the power flow."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import expm

from cosim.core.component import Context
from cosim.core.grid import Connections
from grids.engine import PowerFlowGrid
from grids.fleet import AreaTable
from grids.frequency_arrays import area_arrays
from grids.kernels import frequency_state as state
from grids.kernels.frequency import advance
from grids.kernels.frequency_state import Agc, Droops, Machines, Model, Span
from grids.links.kernels import support as kernel
from grids.links.support import Support
from grids.params import PowerFlowParams

INERTIA_MWS_PER_HZ = (160.0, 400.0)
DAMPING_MW_PER_HZ = (20.0, 60.0)
GAIN_MW_PER_HZ = (80.0, 120.0)
TIME_S, SLOPE_PU = 0.2, 0.9


def two_models():
    """Two areas with inertia and load damping alone."""
    table = AreaTable(("west", "east"), np.full(2, 50.0), np.array(DAMPING_MW_PER_HZ), np.zeros(2))
    nothing = Machines(
        np.zeros((state.FIXED_ROWS, 0)), np.zeros((state.STATE_ROWS, 0)), np.zeros(0, dtype=np.int64)
    )
    droops = Droops(np.zeros((state.D_FIXED_ROWS, 0)), np.zeros((state.D_STATE_ROWS, 0)))
    agc = Agc(4.0, 0.1, 60.0, 0.005, 12.0)
    found = []
    for a in range(2):
        area = area_arrays(table, a, 0)
        area.agc_next_s[0], area.sample_s[0] = 4.0, -1.0
        area = area._replace(inertia_mws_per_hz=INERTIA_MWS_PER_HZ[a])
        found.append(Model(nothing, area, droops, agc))
    return found


def link(*, deadband_hz=0.0, limit_mw=1e6, gain=GAIN_MW_PER_HZ):
    fixed = np.zeros((kernel.SUPPORT_FIXED_ROWS, 1))
    fixed[:2, 0] = gain
    fixed[kernel.DEADBAND_HZ], fixed[kernel.TIME_S] = deadband_hz, TIME_S
    found = Support(fixed, np.array([0]), np.array([1]))
    found.limit(np.array([limit_mw]), np.array([limit_mw]), np.array([SLOPE_PU]))
    return found


def spans(t_s, dt_s, step_s, imbalance_mw, long_steps=1):
    steps = round(dt_s / step_s)
    return [Span(t_s, dt_s / steps, steps, long_steps, p_mw) for p_mw in imbalance_mw]


def exact(t_s, imbalance_mw):
    """Deviations and support by the matrix exponential of d/dt (df_west, df_east, s, 1)."""
    (m1, m2), (d1, d2), (k1, k2) = INERTIA_MWS_PER_HZ, DAMPING_MW_PER_HZ, GAIN_MW_PER_HZ
    a = np.array([
        [-d1 / m1, 0, -1 / m1, -imbalance_mw[0] / m1],
        [0, -d2 / m2, SLOPE_PU / m2, -imbalance_mw[1] / m2],
        [k1 / TIME_S, -k2 / TIME_S, -1 / TIME_S, 0],
        [0, 0, 0, 0],
    ])  # fmt: skip
    return (expm(a * t_s) @ np.array([0.0, 0.0, 0.0, 1.0]))[:3]


def after(t_s, step_s, imbalance_mw=(0.0, 100.0)):
    models, support = two_models(), link()
    for k in range(round(t_s)):
        support.advance(models, spans(float(k), 1.0, step_s, imbalance_mw))
    return np.array([*(m.area.df_hz[0] for m in models), support.sent_mw[0]])


def test_two_areas_and_their_link_follow_the_exact_solution_with_an_error_of_second_order():
    truth = exact(3.0, (0.0, 100.0))
    errors = [np.abs(after(3.0, step_s) - truth).max() for step_s in (0.04, 0.02, 0.01)]
    assert_allclose(after(3.0, 0.01), truth, rtol=2e-4)
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.1)


def test_within_the_dead_band_areas_are_as_without_a_link():
    models, plain, support = two_models(), two_models(), link(deadband_hz=0.1)
    for k in range(5):
        now = spans(float(k), 1.0, 0.02, (0.0, 3.0), long_steps=5)
        support.advance(models, now)
        for model, span in zip(plain, now, strict=True):
            advance(model, span)
    assert_array_equal([m.area.df_hz[0] for m in models], [m.area.df_hz[0] for m in plain])
    assert_array_equal(support.sent_mean_mw, 0.0)


def test_a_link_without_room_leaves_areas_to_themselves():
    models, plain, support = two_models(), two_models(), link(limit_mw=0.0)
    for k in range(3):
        now = spans(float(k), 1.0, 0.02, (0.0, 100.0))
        support.advance(models, now)
        for model, span in zip(plain, now, strict=True):
            advance(model, span)
    one, other = ([m.area.df_hz[0] for m in these] for these in (models, plain))
    assert_allclose(one, other, rtol=1e-12)


def run(folder, step_mw=30.0, exchanges=120, inner_step_s=0.02):
    """A load of `step_mw` comes in the east at the second exchange."""
    params = PowerFlowParams(case=str(folder), inner_step_s=inner_step_s)
    grid = PowerFlowGrid(params, Connections(("hall",), ("east b",), (None,)))
    grid.reset(Context())
    zero = np.zeros(1)
    inputs = {f"droop_{name}": zero for name in ("mw_per_hz", "up_mw", "down_mw")}
    inputs |= {"q_mvar": zero, "scale_pu": np.zeros(0)}
    return [
        grid.step(float(k), 1.0, {**inputs, "p_mw": np.array([step_mw * (k > 0)])}, ())
        for k in range(exchanges)
    ]


SUPPORT = {
    "support_from_mw_per_hz": 50,
    "support_to_mw_per_hz": 100,
    "support_deadband_hz": 0.05,
    "support_limit_mw": 40,
}


def test_support_lifts_the_nadir_of_the_receiving_area_and_the_sending_area_pays(two_areas):
    tables = run(two_areas(sent_mw=60.0, received_mw=57.48135, **SUPPORT), exchanges=20)
    without = run(two_areas(sent_mw=60.0, received_mw=57.48135, folder="plain"), exchanges=20)
    nadir = [min(t["area"]["f_min_hz"][1] for t in these) for these in (tables, without)]
    assert nadir[0] > nadir[1] + 0.05
    assert min(t["area"]["f_min_hz"][0] for t in tables) < 49.99
    assert max(t["link"]["p_support_mw"][0] for t in tables) > 5.0


def test_what_supports_carry_is_balanced_in_both_areas(two_areas):
    tables = run(two_areas(sent_mw=60.0, received_mw=57.48135, **SUPPORT))
    for t in tables:
        link_ = t["link"]
        assert_allclose(link_["p_from_mw"] - link_["p_to_mw"], link_["loss_mw"], atol=1e-9)
        assert abs(t["grid"]["slack_residual_mw"][0]) < 1e-6
    area = tables[-1]["area"]
    answer = area["p_governor_mw"] + area["p_agc_mw"] + area["p_damping_mw"]
    slope = (tables[-1]["area"]["f_hz"] - tables[-2]["area"]["f_hz"]) / 1.0
    assert_allclose(area["p_imbalance_mw"], answer, atol=0.05 + 60.0 * np.abs(slope).max())
