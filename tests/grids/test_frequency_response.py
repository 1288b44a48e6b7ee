"""Who answers, how much and how fast: limits, droop offers, AGC, trips, and one documented event."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cosim.core.component import DroopOffer
from cosim.core.errors import ScenarioError, SolveError
from grids.case import load_case
from grids.fleet import AreaTable, Fleet, Offers, areas_from_case, fleet_from_case, offers_from_devices
from grids.frequency import AgcParams, AreaFrequency

NONE = np.zeros(0)
NO_OFFERS = offers_from_devices([], np.zeros(0, dtype=np.int64))


@pytest.fixture(scope="module")
def england() -> tuple[Fleet, AreaTable]:
    """The 39 buses with the governors of their plant types instead of those of their dynamic tables."""
    case = dataclasses.replace(load_case("ieee39"), folder=None)
    return fleet_from_case(case), areas_from_case(case)


def run(area, imbalance_mw, seconds, start_s=0.0):
    values = np.array([imbalance_mw])
    return [area.step(start_s + k, 1.0, values, NONE, NONE, NONE) for k in range(seconds)]


def test_kinetic_energy_of_the_39_bus_case_is_the_published_sum(england):
    """The ten machines hold 782.7 s on 100 MVA (Pai 1989)."""
    fleet, _ = england
    assert_allclose((fleet.h_s * fleet.sn_mva).sum(), 78_270.0, rtol=1e-5)


@settings(deadline=None, max_examples=25)
@given(st.floats(-3000, 3000), st.floats(0.0, 1.0))
def test_primary_response_keeps_its_limits_and_machines_their_ratings(imbalance_mw, loading_pu):
    case = load_case("ieee39")
    fleet, areas = fleet_from_case(case), areas_from_case(case)
    p0 = fleet.min_p_mw + loading_pu * (fleet.max_p_mw - fleet.min_p_mw)
    fleet = dataclasses.replace(fleet, p0_mw=p0)
    area = AreaFrequency(fleet, areas, NO_OFFERS)
    steam = fleet.t_reheat_s > 0.0  # hydro power may pass its limit for a moment: water hammer
    for result in run(area, imbalance_mw, 40):
        governor = result.p_governor_mw[steam]
        limit = (fleet.limit_up_pu * fleet.p_rated_mw)[steam]
        assert np.all(np.abs(governor) <= limit + 1e-9)
        total = (p0 + result.p_governor_mw + result.p_agc_mw)[steam]
        assert np.all(total <= fleet.max_p_mw[steam] + 1e-6)
        assert np.all(total >= fleet.min_p_mw[steam] - 1e-6)


def test_nobody_answers_within_the_deadband(england):
    fleet, areas = england
    areas = dataclasses.replace(areas, damping_mw_per_hz=np.array([1000.0]), agc_bias_mw_per_hz=np.zeros(1))
    area = AreaFrequency(fleet, areas, NO_OFFERS)
    result = run(area, 30.0, 200)[-1]
    assert_allclose(result.f_hz, 60.0 - 0.03, atol=1e-6)  # load damping alone, 3 mHz short of any governor
    assert_array_equal(result.p_governor_mw, 0.0)


def test_agc_brings_frequency_back_and_relieves_the_governors(england):
    fleet, areas = england
    area = AreaFrequency(fleet, areas, NO_OFFERS)
    results = run(area, 300.0, 900)
    assert results[60].f_hz[0] < 59.95
    assert abs(results[-1].f_hz[0] - 60.0) <= AgcParams().deadband_hz + 1e-4  # where AGC rests
    assert_allclose(results[-1].p_governor_mw, 0.0, atol=0.5)
    assert_allclose(results[-1].p_agc_mw.sum(), 300.0, atol=2.0)  # the rest is load damping within 5 mHz
    room_mw, given_mw = fleet.max_p_mw - fleet.p0_mw, results[-1].p_agc_mw
    full = given_mw >= room_mw - 1e-6
    shares = (given_mw / fleet.p_rated_mw)[~full]
    assert_allclose(shares, shares[0], rtol=1e-6)  # by capacity, except who is full
    assert np.all((given_mw / fleet.p_rated_mw)[full] <= shares[0])


def test_agc_moves_no_faster_than_its_machines(england):
    fleet, areas = england
    before = np.zeros(fleet.size)
    for result in run(AreaFrequency(fleet, areas, NO_OFFERS), 800.0, 120):
        assert np.all(np.abs(result.p_agc_mw - before) <= fleet.agc_rate_pu_per_s * fleet.p_rated_mw + 1e-9)
        before = result.p_agc_mw


def test_hydro_answers_the_wrong_way_first(england):
    """Water hammer: opening the gate lowers power until the water column has followed."""
    fleet, areas = england
    hydro = int(np.flatnonzero(fleet.t_water_s > 0)[0])
    area = AreaFrequency(fleet, areas, NO_OFFERS)
    early = [
        area.step(0.1 * k, 0.1, np.array([800.0]), NONE, NONE, NONE).p_governor_mw[hydro] for k in range(10)
    ]
    assert min(early) < 0.0
    assert run(area, 800.0, 30, 1.0)[-1].p_governor_mw[hydro] > 0.0


@settings(deadline=None, max_examples=25)
@given(
    st.floats(-3000, 3000),
    st.floats(0, 2000),
    st.lists(st.tuples(st.floats(0, 300), st.floats(0, 300)), min_size=3, max_size=8),
)
def test_droop_offers_are_never_exceeded(imbalance_mw, gain, limits):
    """Not at the end of an exchange, nor in its mean, also when the offer shrinks between two."""
    case = load_case("ieee39")
    offers = offers_from_devices([DroopOffer(), None], np.zeros(2, dtype=np.int64))
    area = AreaFrequency(fleet_from_case(case), areas_from_case(case), offers)
    for k, (up_mw, down_mw) in enumerate(limits):
        up, down = np.array([up_mw, 0.0]), np.array([down_mw, 0.0])
        r = area.step(k, 1.0, np.array([imbalance_mw]), np.array([gain, 0.0]), up, down)
        for p_mw in (r.p_droop_mw, r.p_droop_mean_mw):
            assert np.all(p_mw <= up + 1e-9)
            assert np.all(p_mw >= -down - 1e-9)
        assert r.p_droop_mw[1] == 0.0


def test_a_droop_offer_lifts_the_nadir_and_settles_on_its_line(england):
    fleet, areas = england
    areas = dataclasses.replace(areas, agc_bias_mw_per_hz=np.zeros(1))
    offers = offers_from_devices(
        [DroopOffer(deadband_hz=0.033, time_constant_s=0.2)], np.zeros(1, dtype=np.int64)
    )
    helped, gain, room = AreaFrequency(fleet, areas, offers), np.array([800.0]), np.array([200.0])
    results = [helped.step(k, 1.0, np.array([400.0]), gain, room, room) for k in range(120)]
    without = run(AreaFrequency(fleet, areas, NO_OFFERS), 400.0, 120)
    assert min(r.f_min_hz[0] for r in results) > min(r.f_min_hz[0] for r in without) + 0.1
    below = 60.0 - results[-1].f_hz[0] - 0.033
    assert_allclose(results[-1].p_droop_mw, -800.0 * below, rtol=1e-3)


@pytest.mark.parametrize("lag_s", [0.0, 0.05, 0.5])
def test_strong_offers_shorten_the_inner_step_instead_of_ringing(england, lag_s):
    """200 GW/Hz on 2.6 GW s/Hz: with 20 ms steps this would blow up; it must settle and keep its balance."""
    fleet, areas = england
    area = AreaFrequency(fleet, areas, Offers(np.zeros(1, np.int64), np.zeros(1), np.array([lag_s])))
    strong, room = np.array([200_000.0]), np.array([5000.0])
    results = [area.step(0.1 * k, 0.1, np.array([300.0]), strong, room, room) for k in range(100)]
    late = [r.f_hz[0] for r in results[-20:]]
    assert_allclose(late, 60.0 - 300.0 / 200_000.0, atol=2e-3)


def test_a_tripped_machine_takes_its_inertia_and_response_with_it(england):
    fleet, areas = england
    area = AreaFrequency(fleet, areas, NO_OFFERS)
    run(area, 200.0, 30)
    area.trip(3)
    lost = 200.0 + fleet.p0_mw[3]
    result = run(area, lost, 1, 30.0)[0]
    assert result.p_governor_mw[3] == result.p_agc_mw[3] == result.p_inertia_mw[3] == 0.0
    kinetic = 2.0 * (fleet.h_s * fleet.sn_mva)[np.arange(fleet.size) != 3].sum() / 60.0
    slope = -result.p_inertia_mw.sum() / kinetic
    assert_allclose(result.p_inertia_mw[0], -slope * 2.0 * fleet.h_s[0] * fleet.sn_mva[0] / 60.0, rtol=1e-9)
    area.close(3)
    again = run(area, 200.0, 5, 31.0)[-1]
    assert again.p_inertia_mw[3] != 0.0


def test_headroom_follows_redispatch(england):
    """Machines scheduled at their limit cannot give more; after redispatch they can."""
    fleet, areas = england
    area = AreaFrequency(fleet, areas, NO_OFFERS)
    area.set_schedule(fleet.max_p_mw)
    assert_allclose(run(area, 300.0, 10)[-1].p_governor_mw, 0.0, atol=1e-9)
    area.set_schedule(fleet.max_p_mw - 50.0)
    assert run(area, 300.0, 10, 10.0)[-1].p_governor_mw.sum() > 100.0


def test_an_area_without_machines_has_no_frequency(england):
    fleet, areas = england
    area = AreaFrequency(fleet, areas, NO_OFFERS)
    for machine in range(fleet.size):
        area.trip(machine)
    with pytest.raises(SolveError, match="area 'ne' has no rotating machine left"):
        run(area, 0.0, 1)


def test_an_imbalance_that_is_no_number_is_refused(england):
    with pytest.raises(SolveError, match="imbalance of area 'ne' is nan"):
        run(AreaFrequency(*england, NO_OFFERS), float("nan"), 1)


def test_an_inner_step_must_be_positive(england):
    with pytest.raises(ScenarioError, match="inner_step_s=0"):
        AreaFrequency(*england, NO_OFFERS, 0.0)


def test_the_east_china_event_of_2015_is_of_the_right_size(england):
    """4.9 GW lost at 138 GW; reported: 49.97 -> 49.56 Hz after about 12 s (all unconfirmed, no gate).

    One coal machine stands for 125 GVA, H = 4 s, 40 % of it responding, load damping 2.5 %/%: sets like
    this were chosen to fit the one number, so the bounds only ask for plausibility.
    """
    row = england[0]
    coal = dataclasses.replace(
        row,
        **{f.name: getattr(row, f.name)[1:2] for f in dataclasses.fields(Fleet) if f.name != "name"},
        name=("east",),
    )
    rated = np.array([112_500.0])
    coal = dataclasses.replace(
        coal, sn_mva=np.array([125_000.0]), h_s=np.array([4.0]), p_rated_mw=rated, max_p_mw=rated,
        p0_mw=0.85 * rated, min_p_mw=0.4 * rated, responding_pu=np.array([0.4]),
    )  # fmt: skip
    table = AreaTable(("east",), np.array([50.0]), np.array([2.5 * 138_000 / 50.0]), np.zeros(1))
    results = run(AreaFrequency(coal, table, NO_OFFERS), 4900.0, 60)
    f_hz = np.array([r.f_min_hz[0] for r in results]) - 0.03  # it began at 49.97 Hz
    assert 49.3 < f_hz.min() < 49.75
    assert 3 < int(f_hz.argmin()) < 20
    assert results[-1].f_hz[0] - 0.03 > f_hz.min() + 0.05
