"""The cooling plant: what each part takes, draws and never exceeds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pydantic import ValidationError
from scipy.optimize import brentq

from datacenters.kernels import plant as kernel
from datacenters.kernels import psychrometrics as air
from datacenters.plant import Cdu, HeatRejection, cdu_row, rejection_row

SEA_LEVEL_BAR = 1.01325
ROWS = {kind: rejection_row(HeatRejection(kind=kind), 2.0, 10.0) for kind in ("dry", "evaporative", "tower")}
kinds = st.sampled_from(sorted(ROWS))
wants = st.floats(0.01, 4.0)
returns = st.floats(15.0, 60.0)
airs = st.floats(-25.0, 42.0)
dryness = st.floats(0.0, 15.0)


def reject(kind, want_mw, return_degc, outdoor_degc, wetbulb_degc, *, service_pu=1.0):
    return kernel.reject(
        ROWS[kind], want_mw, 1.0, service_pu, return_degc, outdoor_degc, wetbulb_degc, SEA_LEVEL_BAR
    )


@settings(deadline=None)  # the first example compiles
@given(st.floats(0.0, 20.0))
def test_counter_flow_has_no_jump_where_both_streams_are_equal(ntu):
    near = kernel.counterflow_effectiveness(ntu, 1.0 - 2e-6)
    assert near == pytest.approx(kernel.counterflow_effectiveness(ntu, 1.0), abs=1e-5)


@settings(deadline=None)
@given(st.floats(0.01, 20.0), st.floats(0.0, 1.0))
def test_cross_flow_takes_no_more_than_counter_flow(ntu, ratio):
    cross, counter = (
        f(ntu, ratio) for f in (kernel.crossflow_effectiveness, kernel.counterflow_effectiveness)
    )
    assert 0.0 < cross <= counter + 1e-3  # the formula is an approximation, good to about 1e-3
    assert counter <= 1.0


def test_a_film_with_half_its_flow_has_the_conductance_of_dittus_and_boelter():
    assert kernel.series_ua(1.0, 1.0, 0.5, 1.0) == pytest.approx(0.5**0.8)
    assert kernel.series_ua(1.0, 0.5, 0.5, 0.5) == pytest.approx(0.5**0.8)
    assert kernel.series_ua(1.0, 0.5, 0.0, 1.0) == 0.0


@settings(deadline=None)
@given(st.floats(0.2, 1.2), st.floats(0.2, 1.2))
def test_what_a_cdu_takes_leaves_both_streams_within_their_inlets(secondary, facility):
    row = cdu_row(Cdu(), 2.0, 16.3)
    taken = kernel.cdu_mw_per_k(row, secondary, facility)
    least = min(secondary * row[kernel.CDU_SECONDARY_MW_PER_K], facility * row[kernel.CDU_FACILITY_MW_PER_K])
    assert 0.0 < taken < least


@settings(deadline=None)
@given(kinds, st.floats(0.0, 4.0), returns, airs, dryness)
def test_heat_rejection_takes_what_is_wanted_as_far_as_air_is_colder(kind, want, back, outdoor, dry):
    heat, fan, water = reject(kind, want, back, outdoor, outdoor - dry)
    assert 0.0 <= heat <= want * (1.0 + 1e-12)
    assert 0.0 <= fan <= ROWS[kind][kernel.FAN_MW] * (1.0 + 1e-9)
    assert water >= 0.0
    if back <= outdoor - dry:
        assert (heat, fan, water) == (0.0, 0.0, 0.0)


@settings(deadline=None)
@given(kinds, wants, returns, airs, dryness)
def test_more_heat_never_takes_less_fan_power(kind, want, back, outdoor, dry):
    less, more = (reject(kind, q, back, outdoor, outdoor - dry) for q in (0.9 * want, want))
    assert less[1] <= more[1] + 1e-9
    assert less[2] <= more[2] + 1e-6


@pytest.mark.parametrize(("kind", "sink"), [("dry", "air"), ("evaporative", "pads"), ("tower", "wet bulb")])
def test_at_rated_heat_full_speed_leaves_the_approach(kind, sink):
    model = HeatRejection(kind=kind)
    outdoor, wetbulb = 35.0, model.wetbulb_rated_degc
    entering = {
        "air": outdoor,
        "pads": outdoor - model.pad_effectiveness_pu * (outdoor - wetbulb),
        "wet bulb": wetbulb,
    }[sink]
    heat, fan, _ = reject(kind, 9.0, entering + model.approach_k + 10.0, outdoor, wetbulb)
    assert heat == pytest.approx(2.0, rel=1e-6)
    assert fan == pytest.approx(2.0 * model.fan_pu)


def test_fan_power_is_the_cube_of_the_speed_that_takes_the_heat():
    row = ROWS["dry"]
    heat, fan, _ = reject("dry", 0.8, 42.0, 25.0, 18.0)
    speed = np.cbrt(fan / row[kernel.FAN_MW])
    assert kernel.coil_mw_per_k(row, speed, 1.0) * 17.0 == pytest.approx(
        heat, rel=2e-3
    )  # lines between nodes


@settings(deadline=None)
@given(wants, st.floats(25.0, 50.0), st.floats(-5.0, 24.0))
def test_the_state_of_a_tower_solves_merkels_equations(want, back, wetbulb):
    row = ROWS["tower"]
    heat, fan, _ = reject("tower", want, back, wetbulb + 5.0, wetbulb)
    speed = np.cbrt(fan / row[kernel.FAN_MW])

    def saturated(temp_degc):
        return air.enthalpy_mj_per_kg(temp_degc, air.saturated_humidity(temp_degc, SEA_LEVEL_BAR))

    dry_air = speed * row[kernel.AIR_MW_PER_K]
    gained = heat / (dry_air / air.CP_AIR_MJ_PER_KG_K)
    leaving = brentq(lambda t: saturated(t) - saturated(wetbulb) - gained, wetbulb, 70.0, xtol=1e-12)
    capacity = gained / (leaving - wetbulb) / air.CP_AIR_MJ_PER_KG_K
    factor = (1.0 + 0.0081 * min(25.6 - wetbulb, 25.0)) * 1.0039 * (1.3 - 0.3 * speed) * speed
    streams = np.array([row[kernel.WATER_MW_PER_K], dry_air * capacity])
    ntu, ratio = row[kernel.UA_MW_PER_K] * factor * capacity / streams.min(), streams.min() / streams.max()
    left = np.exp(-ntu * (1.0 - ratio))
    effectiveness = (1.0 - left) / (1.0 - ratio * left)
    assert effectiveness * streams.min() * (back - wetbulb) == pytest.approx(heat, rel=1e-6)


def test_water_of_a_tower_carries_most_of_its_heat_and_all_of_it_in_hot_dry_air():
    def latent(outdoor, wetbulb):
        heat, _, water = reject("tower", 2.0, 39.5, outdoor, wetbulb)
        return water * kernel.LATENT_MJ_PER_KG / heat

    assert 0.5 < latent(10.0, 8.0) < 0.8
    assert 0.75 < latent(25.0, 20.0) < 1.0
    assert 1.0 < latent(40.0, 20.0) < 1.4  # the air leaves colder than it came: water takes its heat, too


def test_pads_are_wetted_only_when_fans_at_full_speed_are_not_enough():
    full = ROWS["evaporative"][kernel.FULL_MW_PER_K]
    assert reject("evaporative", full * 10.0, 40.0, 30.0, 20.0)[2] == 0.0
    heat, fan, water = reject("evaporative", full * 14.0, 40.0, 30.0, 20.0)
    assert heat == pytest.approx(full * 14.0)
    assert fan == ROWS["evaporative"][kernel.FAN_MW]
    assert_allclose(water * kernel.LATENT_MJ_PER_KG, ROWS["evaporative"][kernel.AIR_MW_PER_K] * 4.0)


@settings(deadline=None)
@given(kinds, st.floats(0.1, 1.0))
def test_half_of_the_cells_take_half_of_the_heat(kind, service):
    some, whole = (
        reject(kind, 3.0 * service, 45.0, 30.0, 20.0, service_pu=service),
        reject(kind, 3.0, 45.0, 30.0, 20.0),
    )
    assert_allclose(some, np.array(whole) * service)


def test_make_up_water_keeps_the_basin_as_thin_as_wanted():
    row = ROWS["tower"]
    evaporated = 0.6
    drift = row[kernel.DRIFT_PU] * row[kernel.WATER_MW_PER_K] / kernel.CP_WATER_MJ_PER_KG_K
    makeup = kernel.makeup_kg_per_s(row, evaporated, 1.0)
    blowdown = makeup - evaporated - drift
    # solids in = solids out: what is drifted and blown down is 3 times as thick as fresh water
    assert makeup == pytest.approx(3.0 * (blowdown + drift))
    assert kernel.makeup_kg_per_s(row, 0.0, 1.0) == 0.0


def test_a_pump_follows_the_cube_of_flow_above_its_standing_head():
    assert kernel.pump_mw(0.08, 0.0, 0.5) == pytest.approx(0.01)
    assert kernel.pump_mw(0.08, 0.2, 0.5) == pytest.approx(0.08 * (0.2 + 0.8 / 8.0))
    assert kernel.pump_mw(0.08, 0.2, 0.0) == 0.0


def test_an_approach_no_exchanger_reaches_is_refused_with_the_numbers():
    with pytest.raises(
        ValueError, match=r"rated heat needs 0\.1992 MW for each K.* takes more than 0\.06667"
    ):
        cdu_row(Cdu(approach_k=0.04, facility_rise_k=30.0), 2.0, 10.0)


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"kind": "dry", "pad_effectiveness_pu": 0.7}, "kind dry has no pads"),
        ({"kind": "evaporative", "pad_effectiveness_pu": 0}, "pads that cool nothing"),
        ({"kind": "pond"}, "'dry', 'evaporative' or 'tower'"),
    ],
)
def test_a_kind_that_is_wrong_is_refused(given_, words):
    with pytest.raises(ValidationError, match=words):
        HeatRejection(**given_)
