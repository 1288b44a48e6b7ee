"""Closed forms and conservation laws of the area frequency model."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from grids.fleet import GOVERNORS, AreaTable, Fleet, Offers
from grids.frequency import AreaFrequency

F0 = 50.0
NO_OFFERS = Offers(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
EMPTY = np.zeros(0)


def fleet(*kinds, area=None, **columns):
    """Machines of 1000 MVA with H = 4 s; `columns` overrides whole columns."""
    n = len(kinds)
    values = {
        "sn_mva": 1000.0, "h_s": 4.0, "p_rated_mw": 900.0, "p0_mw": 500.0, "min_p_mw": 100.0,
        "max_p_mw": 900.0, "responding_pu": 1.0, "droop_pu": 0.05, "deadband_hz": 0.0,
        "limit_up_pu": 1.0, "limit_down_pu": 1.0, "rate_pu_per_s": 10.0, "t_governor_s": 0.2,
        "t_chest_s": 0.3, "f_hp_pu": 0.3, "t_reheat_s": 8.0, "t_water_s": 1.5,
        "agc_share_pu": 1.0, "agc_rate_pu_per_s": 0.01, "t_delay_s": 0.0,
    }  # fmt: skip
    arrays = {name: np.full(n, columns.get(name, value)) for name, value in values.items()}
    return Fleet(
        name=tuple(f"m{i}" for i in range(n)),
        area=np.array(area if area is not None else [0] * n, dtype=np.int64),
        online=np.ones(n, dtype=np.bool_),
        governor_code=np.array([GOVERNORS.index(kind) for kind in kinds], dtype=np.int64),
        **arrays,
    )


def areas(n=1, damping_mw_per_hz=60.0, agc_bias_mw_per_hz=0.0):
    return AreaTable(
        name=tuple(f"a{i}" for i in range(n)),
        f_nominal_hz=np.full(n, F0),
        damping_mw_per_hz=np.full(n, damping_mw_per_hz),
        agc_bias_mw_per_hz=np.full(n, agc_bias_mw_per_hz),
    )


def alone(imbalance_mw):
    """Arguments of `step` behind t and dt when nobody offers anything."""
    return np.atleast_1d(np.asarray(imbalance_mw, dtype=float)), EMPTY, EMPTY, EMPTY


def model(machines, table=None, step_s=0.02, calm_step_s=0.1):
    chosen = table if table is not None else areas()
    return AreaFrequency(machines, chosen, NO_OFFERS, step_s, calm_step_s=calm_step_s)


def test_first_rate_of_change_is_imbalance_over_twice_the_kinetic_energy():
    """RoCoF = dP f0 / (2 Ek); over half a second without governor and damping the fall is a straight line."""
    result = model(fleet("none"), areas(damping_mw_per_hz=0.0)).step(0, 0.5, *alone(100.0))
    assert_allclose(result.rocof_hz_per_s, -100.0 * F0 / (2 * 4.0 * 1000.0), rtol=1e-12)


def test_load_damping_alone_gives_an_exponential():
    """f = -dP/D (1 - exp(-t D/M)), to rounding: the integrator is exact for held power."""
    area, kinetic = model(fleet("none"), areas(damping_mw_per_hz=60.0)), 2 * 4.0 * 1000.0 / F0
    for t in range(20):
        f_hz = area.step(t, 1.0, *alone(30.0)).f_hz
        assert_allclose(f_hz - F0, -30.0 / 60.0 * (1 - np.exp(-(t + 1) * 60.0 / kinetic)), rtol=1e-11)


@pytest.mark.parametrize("kind", ["steam", "reheat_steam", "gas", "hydro"])
def test_settled_deviation_follows_droop_damping_and_deadband(kind):
    """K (|df| - db) + D |df| = dP; after 600 s every time constant has died away."""
    area = model(fleet(kind, deadband_hz=0.033))
    for k in range(10):
        result = area.step(60 * k, 60, *alone(100.0))
    gain = 900.0 / (0.05 * F0)
    expected = -(100.0 + gain * 0.033) / (gain + 60.0)
    assert_allclose(result.f_hz - F0, expected, atol=1e-9)


def test_rest_stays_at_rest_for_an_hour():
    area = model(fleet("reheat_steam", "hydro", "gas"), areas(agc_bias_mw_per_hz=300.0))
    for k in range(60):
        result = area.step(60 * k, 60, *alone(0.0))
        assert_allclose([result.f_hz, result.f_min_hz, result.f_max_hz], F0, atol=1e-12, rtol=0)
        assert_array_equal(result.rocof_hz_per_s, 0.0)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(-400, 400), min_size=1, max_size=6),
    st.sampled_from([0.013, 0.1, 1.0, 7.3]),
    st.floats(0, 400),
)
def test_power_balances_at_the_end_of_every_interval(imbalances, dt_s, offered_mw_per_hz):
    """Governors + AGC + inertia + damping - droop = imbalance, whatever happens."""
    offers = Offers(np.zeros(1, dtype=np.int64), np.array([0.01]), np.array([0.2]))
    area = AreaFrequency(fleet("reheat_steam", "hydro", "none"), areas(agc_bias_mw_per_hz=900.0), offers)
    one = np.ones(1)
    for k, imbalance in enumerate(imbalances):
        r = area.step(k * dt_s, dt_s, imbalance * one, offered_mw_per_hz * one, 50 * one, 80 * one)
        machines = (r.p_governor_mw + r.p_agc_mw + r.p_inertia_mw).sum()
        assert_allclose(machines + r.p_damping_mw[0] - r.p_droop_mw.sum(), imbalance, atol=1e-8)


def test_areas_do_not_feel_each_other():
    machines = fleet("reheat_steam", "hydro", "gas", "none", area=[1, 0, 1, 0])
    both = model(machines, areas(2))
    east = dataclasses.replace(
        machines,
        **{
            f.name: (
                tuple(np.array(machines.name)[[0, 2]])
                if f.name == "name"
                else np.zeros(2, dtype=np.int64)
                if f.name == "area"
                else getattr(machines, f.name)[[0, 2]]
            )
            for f in dataclasses.fields(Fleet)
        },
    )
    single = model(east)
    for k in range(5):
        two = both.step(k, 1, *alone([-30.0, 80.0]))
        one = single.step(k, 1, *alone([80.0]))
    assert_array_equal(two.f_hz[1], one.f_hz[0])
    assert_array_equal(two.p_governor_mw[[0, 2]], one.p_governor_mw)
    assert two.f_hz[0] > F0


def test_splitting_an_exchange_changes_nothing():
    """The same inner steps give the same bits, wherever the exchange is cut; RoCoF keeps its window."""
    whole, halves = (model(fleet("reheat_steam", "hydro"), areas(agc_bias_mw_per_hz=300)) for _ in range(2))
    for k in range(30):
        one = whole.step(k, 1.0, *alone(120.0))
        first, second = (halves.step(k + part, 0.5, *alone(120.0)) for part in (0.0, 0.5))
        assert_array_equal(one.f_hz, second.f_hz)
        assert_array_equal(one.p_agc_mw, second.p_agc_mw)
        assert_array_equal(one.f_min_hz, np.minimum(first.f_min_hz, second.f_min_hz))
        steepest = max(first.rocof_hz_per_s[0], second.rocof_hz_per_s[0], key=abs)
        assert_allclose(one.rocof_hz_per_s, steepest, rtol=1e-9, atol=1e-12)


def test_passing_over_rest_is_the_same_as_stepping_through_it():
    """One exchange of twenty minutes against 60,000 of one inner step each, none of which can be left out."""
    machines, table = fleet("steam", "gas", t_governor_s=0.1), areas(agc_bias_mw_per_hz=500.0)
    long, short = (model(machines, table, calm_step_s=0.0) for _ in range(2))
    for area in (long, short):
        area.step(0, 60, *alone(50.0))
    before = int(long._models[0].area.newest[0])
    one = long.step(60, 1200, *alone(50.0))
    assert long._models[0].area.newest[0] - before < 30_000  # at least half of it was passed over
    for k in range(60_000):
        many = short.step(60 + k * 0.02, 0.02, *alone(50.0))
    assert_allclose(one.f_hz, many.f_hz, rtol=0, atol=1e-12)
    assert_allclose(one.p_agc_mw, many.p_agc_mw, atol=1e-9)
    assert_allclose(one.p_governor_mw, many.p_governor_mw, atol=1e-9)


def test_calm_frequency_takes_long_steps_and_ends_where_short_ones_do():
    """A loss, minutes of answer, and recovery: within 0.02 mHz at the end of every exchange."""
    table = areas(agc_bias_mw_per_hz=500.0)
    kinds = ("reheat_steam", "hydro", "gas")
    quick, exact = model(fleet(*kinds), table), model(fleet(*kinds), table, calm_step_s=0.0)
    for k in range(60):
        missing = 10.0 if k < 20 else 3.0
        one, other = (area.step(10.0 * k, 10.0, *alone(missing)) for area in (quick, exact))
        assert_allclose(one.f_hz, other.f_hz, rtol=0, atol=2e-5)
        assert_allclose(one.f_min_hz, other.f_min_hz, rtol=0, atol=2e-5)
        assert_allclose(abs(one.rocof_hz_per_s), abs(other.rocof_hz_per_s), rtol=0, atol=5e-5)
    taken, all_of_them = (int(area._models[0].area.newest[0]) for area in (quick, exact))
    assert taken < all_of_them / 2


@pytest.mark.parametrize("kind", ["reheat_steam", "hydro", "gas"])
def test_halving_the_inner_step_quarters_the_error(kind):
    """The splitting is of second order: the factor is 4 up to the next order."""

    def final(step_s):
        area = model(fleet(kind), step_s=step_s)
        return [area.step(0.8 * k, 0.8, *alone(100.0)).f_hz[0] for k in range(10)][-1]

    exact = final(0.000625)
    errors = [abs(final(step_s) - exact) for step_s in (0.08, 0.04, 0.02)]
    assert 3.3 < errors[0] / errors[1] < 4.7
    assert 3.3 < errors[1] / errors[2] < 4.7
    assert errors[2] < 2e-5  # Hz at the default step


def test_nadir_and_zenith_are_found_inside_the_exchange():
    """One exchange of 30 s sees the extremes that exchanges of 0.02 s see."""
    long, short = model(fleet("reheat_steam")), model(fleet("reheat_steam"))
    one = long.step(0, 30, *alone(200.0))
    fine = np.array([short.step(0.02 * k, 0.02, *alone(200.0)).f_hz[0] for k in range(1500)])
    assert_allclose(one.f_min_hz, fine.min(), rtol=0, atol=1e-9)
    assert one.f_min_hz < one.f_hz - 0.05
    back = long.step(30, 30, *alone(0.0))
    assert back.f_max_hz > F0  # overshoot when the load is gone


def test_rate_of_change_window_reaches_across_short_exchanges():
    """With exchanges of 0.1 s the 500 ms window spans five of them."""
    area = model(fleet("none"), areas(damping_mw_per_hz=0.0))
    slope = 100.0 * F0 / 8000.0
    found = [area.step(0.1 * k, 0.1, *alone(-100.0)).rocof_hz_per_s[0] for k in range(8)]
    assert_allclose(found, slope * np.minimum(np.arange(1, 9) * 0.2, 1.0), rtol=1e-9)


def test_reset_forgets():
    area = model(fleet("reheat_steam", "hydro"), areas(agc_bias_mw_per_hz=300.0))
    first = [area.step(k, 1, *alone(100.0)).f_hz[0] for k in range(10)]
    area.trip(0)
    area.set_schedule(np.array([900.0, 900.0]))
    area.reset()
    assert [area.step(k, 1, *alone(100.0)).f_hz[0] for k in range(10)] == first
