"""Batteries: charge within its limits, energy exact, ramps kept, droop booked once."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pydantic import ValidationError

from cosim.core.component import Context, DroopOffer
from cosim.core.errors import ScenarioError
from cosim.testing import check_component
from datacenters.battery import Battery, BatteryParams
from datacenters.converter import Converter
from datacenters.orders import Order

PLAIN = BatteryParams(p_rated_mw=50.0, e_rated_mwh=100.0)
DROOPY = BatteryParams(p_rated_mw=20.0, e_rated_mwh=5.0, droop_mw_per_hz=100.0)


def inputs(battery: Battery, **given_values: object) -> dict[str, np.ndarray]:
    units = len(battery._of)
    return {p.name: np.full(units, given_values.get(p.name, p.default), dtype=float) for p in battery.inputs}


def smoother(limit: float, **changes: object) -> BatteryParams:
    given_values = {"p_rated_mw": 40.0, "e_rated_mwh": 40.0, **changes}
    return BatteryParams(
        mode="ramp_smoothing", smooths=("hall",), ramp_limit_mw_per_min=limit, **given_values
    )


@pytest.mark.parametrize("dt_s", [0.5, 1.0, 60.0])
@pytest.mark.parametrize("levels", [{"p_order_mw": 8.0, "p_droop_mw": 0.2}, {"p_order_mw": -3.0}])
def test_a_battery_that_follows_orders_keeps_the_contract(dt_s, levels):
    large = DROOPY.model_copy(update={"e_rated_mwh": 50.0})
    assert list(check_component(Battery, [PLAIN, large], dt_s=dt_s, levels=levels)) == []


@pytest.mark.parametrize("dt_s", [0.5, 1.0, 10.0])
def test_a_battery_that_smooths_keeps_the_contract(dt_s):
    levels = {"p_site_mw": 100.0}
    assert list(check_component(Battery, [smoother(10.0), smoother(100.0)], dt_s=dt_s, levels=levels)) == []


def test_without_voltage_a_battery_exchanges_nothing_and_ramps_from_zero_when_it_returns():
    slow = DROOPY.model_copy(update={"e_rated_mwh": 50.0, "ramp_pu_per_s": 0.1})
    battery = Battery([slow])
    lit = inputs(battery, p_order_mw=10.0, q_order_mvar=1.0)
    charged = battery.step(0.0, 1.0, lit)["e_stored_mwh"][0]
    for t_s in (1.0, 2.0):
        dead = battery.step(t_s, 1.0, {**lit, "vm_pu": np.zeros(1)})
        for port in (
            "p_mw",
            "q_mvar",
            "p_cells_mw",
            "loss_mw",
            "droop_mw_per_hz",
            "droop_up_mw",
            "droop_down_mw",
        ):
            assert dead[port][0] == 0.0
        assert (dead["p_unmet_mw"][0], dead["e_stored_mwh"][0]) == (10.0, charged)
    back = battery.step(3.0, 1.0, lit)
    assert_allclose(back["p_mw"], 0.1 * 20.0 + 0.002 * 20.0, rtol=1e-12)  # ramp and standby


@pytest.mark.parametrize("dt_s", [0.5, 60.0])
def test_energy_closes_without_voltage(dt_s):
    levels = {"p_order_mw": 8.0, "p_droop_mw": 0.2, "vm_pu": 0.0}
    large = DROOPY.model_copy(update={"e_rated_mwh": 50.0})
    assert list(check_component(Battery, [PLAIN, large, smoother(10.0)], dt_s=dt_s, levels=levels)) == []


powers = st.floats(-80.0, 80.0)
lengths = st.sampled_from([0.1, 1.0, 60.0, 600.0])
shares = st.floats(-1.0, 1.0)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(powers, lengths, shares), min_size=1, max_size=40))
def test_charge_stays_within_its_limits_under_any_order_and_any_use_of_the_offer(history):
    # the grid takes any mean within what was offered; 1e-12 of the energy is rounding
    battery = Battery([PLAIN, DROOPY])
    low = np.array([p.soc_min_pu for p in (PLAIN, DROOPY)])
    high = np.array([p.soc_max_pu for p in (PLAIN, DROOPY)])
    stored = np.array([p.soc_initial_pu * p.e_rated_mwh for p in (PLAIN, DROOPY)])
    up = down = np.zeros(2)
    for order_mw, dt_s, share in history:
        droop_mw = up * max(share, 0.0) + down * min(share, 0.0)
        out = battery.step(0.0, dt_s, inputs(battery, p_order_mw=order_mw, p_droop_mw=droop_mw))
        assert np.all(out["soc_pu"] >= low - 1e-12)
        assert np.all(out["soc_pu"] <= high + 1e-12)
        drawn_mwh = (out["p_mw"] + out["p_droop_booked_mw"] - out["loss_mw"]) * dt_s / 3600.0
        assert_allclose(out["e_stored_mwh"] - stored, drawn_mwh, rtol=1e-9, atol=1e-12)
        up, down, stored = out["droop_up_mw"], out["droop_down_mw"], out["e_stored_mwh"]
        assert np.all(up >= 0.0)
        assert np.all(down >= 0.0)
        standby = np.array([0.1, 0.04])
        assert np.all(np.abs(out["p_mw"] - standby) <= [50.0, 20.0])
        assert np.all(out["p_mw"] - standby + up <= np.array([50.0, 20.0]) + 1e-9)
        assert np.all(out["p_mw"] - standby - down >= -np.array([50.0, 20.0]) - 1e-9)


def test_a_round_trip_returns_the_product_of_both_efficiencies():
    params = PLAIN.model_copy(update={"soc_initial_pu": 0.2, "standby_pu": 0.0})
    battery = Battery([params])
    drawn_mwh = sum(
        battery.step(t, 60.0, inputs(battery, p_order_mw=30.0))["p_mw"][0] / 60.0 for t in range(60)
    )
    given_mwh = 0.0
    for t in range(60, 240):
        out = battery.step(t, 60.0, inputs(battery, p_order_mw=-50.0))
        if out["soc_pu"][0] < 0.2:
            break
        given_mwh -= out["p_mw"][0] / 60.0
        charge = out["e_stored_mwh"][0]
    given_mwh += (charge - 20.0) * params.eta_discharge_pu  # the last part of a minute
    assert given_mwh / drawn_mwh == pytest.approx(0.94 * 0.94, rel=1e-9)


def test_standby_is_drawn_beside_the_order_and_never_from_the_cells():
    battery = Battery([PLAIN])
    for t in range(10):
        out = battery.step(t, 60.0, inputs(battery))
    assert out["p_mw"][0] == pytest.approx(0.002 * 50.0)
    assert out["loss_mw"][0] == pytest.approx(0.002 * 50.0)
    assert out["soc_pu"][0] == 0.5


def test_what_the_order_cannot_get_is_told():
    nearly_full = BatteryParams(p_rated_mw=50.0, e_rated_mwh=100.0, soc_initial_pu=0.949)
    battery = Battery([nearly_full])
    out = battery.step(0.0, 60.0, inputs(battery, p_order_mw=70.0))
    room_mw = 0.1 / 0.94 * 60.0
    assert out["p_unmet_mw"][0] == pytest.approx(70.0 - room_mw)
    assert out["soc_pu"][0] == pytest.approx(0.95)


def test_converter_ramp_holds_between_steps_and_not_at_the_start():
    slow = BatteryParams(p_rated_mw=50.0, e_rated_mwh=100.0, ramp_pu_per_s=0.02, standby_pu=0.0)
    battery = Battery([slow])
    powers_mw = [
        battery.step(t, 2.0, inputs(battery, p_order_mw=p))["p_mw"][0]
        for t, p in enumerate((30.0, -30.0, -30.0))
    ]
    assert powers_mw == pytest.approx([30.0, 28.0, 26.0])


def test_active_power_has_precedence_and_reactive_power_takes_what_is_left():
    battery = Battery([PLAIN])
    out = battery.step(0.0, 1.0, inputs(battery, p_order_mw=50.0, q_order_mvar=-40.0))
    assert out["q_mvar"][0] == pytest.approx(-math.sqrt(55.0**2 - 50.0**2))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(60.0, 100.0), min_size=5, max_size=60),
    st.floats(1.0, 60.0),
    st.sampled_from([1.0, 10.0, 60.0]),
)
def test_site_and_battery_together_never_ramp_faster_than_the_limit(site_mw, limit, dt_s):
    # 40 MW swing, 45 MW of battery and energy to spare: nothing but the limit can bind
    battery = Battery([smoother(limit, p_rated_mw=45.0, e_rated_mwh=4000.0)])
    together = [
        battery.step(k * dt_s, dt_s, inputs(battery, p_site_mw=p))["p_together_mw"][0]
        for k, p in enumerate(site_mw)
    ]
    assert np.all(np.abs(np.diff(together)) <= limit / 60.0 * dt_s + 1e-9)


def test_smoothing_a_drop_needs_the_energy_of_the_triangle():
    # a drop D held to ramp R is a triangle of D²/2R: 40 MW at 10 MW/min is 1.333 MWh at the terminals
    params = smoother(10.0, p_rated_mw=45.0, standby_pu=0.0, return_h=168.0)
    battery = Battery([params])
    site_mw = [100.0] * 5 + [60.0] * 300
    drawn = [battery.step(k, 1.0, inputs(battery, p_site_mw=p))["p_mw"][0] for k, p in enumerate(site_mw)]
    assert sum(drawn) / 3600.0 == pytest.approx(40.0**2 / (2 * 10.0) / 60.0, rel=0.01)  # half a step of 1 s


def test_smoothing_brings_the_charge_back_slowly():
    params = smoother(10.0, soc_initial_pu=0.3, soc_target_pu=0.5, return_h=1.0)
    battery = Battery([params])
    charge = [battery.step(k * 60.0, 60.0, inputs(battery, p_site_mw=80.0))["soc_pu"][0] for k in range(300)]
    assert charge[60] == pytest.approx(0.5 - 0.2 * math.exp(-0.94), abs=0.01)
    assert charge[-1] == pytest.approx(0.5, abs=0.005)


def test_droop_of_the_last_exchange_is_booked_with_the_power_it_came_on_top_of():
    params = BatteryParams(p_rated_mw=20.0, e_rated_mwh=40.0, droop_mw_per_hz=50.0, standby_pu=0.0)
    battery = Battery([params])
    first = battery.step(0.0, 60.0, inputs(battery, p_order_mw=-10.0))
    second = battery.step(60.0, 1.0, inputs(battery, p_droop_mw=4.0))
    assert second["p_droop_booked_mw"][0] == pytest.approx(4.0 * 60.0)  # a minute's energy in one second
    gained_mwh = second["e_stored_mwh"][0] - first["e_stored_mwh"][0]
    # -10 MW discharge became -6 MW for a minute: the cells kept 4 MW over the discharge efficiency
    assert gained_mwh == pytest.approx(4.0 / 0.94 / 60.0, rel=1e-12)
    assert second["p_mw"][0] == 0.0


def test_droop_that_was_never_offered_is_not_booked():
    battery = Battery([PLAIN])
    battery.step(0.0, 1.0, inputs(battery))
    out = battery.step(1.0, 1.0, inputs(battery, p_droop_mw=5.0))
    assert out["p_droop_booked_mw"][0] == 0.0


def test_only_batteries_with_a_gain_hand_the_grid_a_device():
    assert Battery([PLAIN, DROOPY]).devices() == ((), (DroopOffer(0.033, 0.2),))
    out = (battery := Battery([PLAIN, DROOPY])).step(0.0, 1.0, inputs(battery))
    assert_allclose(out["droop_mw_per_hz"], [0.0, 100.0])
    assert_allclose(out["droop_up_mw"], [0.0, 20.0])


def test_a_battery_too_small_for_one_step_is_refused_with_all_numbers():
    small = BatteryParams(p_rated_mw=60.0, e_rated_mwh=1.0)
    battery = Battery([PLAIN, small])
    battery.reset(Context(names=("big", "tiny")))
    battery.step(0.0, 1.0, inputs(battery))
    text = "tiny: e_rated_mwh=1 cannot feed p_rated_mw=60 for one step of 60 s: 0.846 MWh are usable"
    with pytest.raises(ScenarioError, match=text):
        battery.step(1.0, 60.0, inputs(battery))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"e_rated_mwh": -1.0}, "greater than 0"),
        ({"soc_initial_pu": 0.99}, "soc_initial_pu=0.99 is not between soc_min_pu=0.05 and soc_max_pu=0.95"),
        ({"soc_min_pu": 0.6, "soc_max_pu": 0.5}, "soc_min_pu=0.6 is not below soc_max_pu=0.5"),
        ({"soc_target_pu": 0.96}, "soc_target_pu=0.96 is outside"),
        ({"s_rated_mva": 40.0}, "s_rated_mva=40 is less than p_rated_mw=50"),
        ({"mode": "ramp_smoothing"}, "needs smooths .* and ramp_limit_mw_per_min"),
        ({"smooths": ["hall"]}, "mode is follow_order"),
        ({"mode": "follow_orders"}, "follow_order"),
        ({"capacity_mwh": 4.0}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_a_battery_is_refused_with_numbers(changes, text):
    with pytest.raises(ValidationError, match=text):
        BatteryParams(**{"p_rated_mw": 50.0, "e_rated_mwh": 100.0, **changes})


def numpy_step(p: BatteryParams, energy: float, order_mw: float, dt_s: float) -> tuple[float, float]:
    """Return energy and power after one step of a battery without ramp and droop, in plain Python."""
    hours = dt_s / 3600.0
    most = (p.soc_max_pu * p.e_rated_mwh - energy) / hours / p.eta_charge_pu
    least = (p.soc_min_pu * p.e_rated_mwh - energy) / hours * p.eta_discharge_pu
    power = max(min(order_mw, p.p_rated_mw, most), -p.p_rated_mw, least)
    into = power * p.eta_charge_pu if power > 0 else power / p.eta_discharge_pu
    return energy + into * hours, power + p.standby_pu * p.p_rated_mw


@pytest.mark.parametrize("seed", range(3))
def test_kernel_equals_plain_python_on_random_orders(seed):
    rng = np.random.default_rng(seed)
    params = PLAIN.model_copy(update={"ramp_pu_per_s": 1e6})
    battery = Battery([params])
    energy = 50.0
    for order_mw in rng.uniform(-90.0, 90.0, 300):
        dt_s = float(rng.choice([1.0, 60.0, 900.0]))
        out = battery.step(0.0, dt_s, inputs(battery, p_order_mw=order_mw))
        energy, p_mw = numpy_step(params, energy, order_mw, dt_s)
        assert out["e_stored_mwh"][0] == pytest.approx(energy, rel=1e-12)
        assert out["p_mw"][0] == pytest.approx(p_mw, rel=1e-12, abs=1e-9)


def test_an_order_by_event_adds_to_what_is_wired_and_smoothing_refuses_it():
    battery = Battery([PLAIN, DROOPY])
    battery.command(0.0, 1, "order", Order(p_mw=-5.0, q_mvar=2.0))
    out = battery.step(0.0, 60.0, inputs(battery, p_order_mw=-1.0))
    assert_allclose(out["p_mw"], [-1.0 + 0.1, -6.0 + 0.04])
    assert_allclose(out["q_mvar"], [0.0, 2.0])
    battery.reset(Context())
    assert_allclose(battery.step(0.0, 60.0, inputs(battery))["p_mw"], [0.1, 0.04])
    with pytest.raises(ScenarioError, match=r"battery 0: mode is ramp_smoothing, p_mw = 1 needs"):
        Battery([smoother(10.0)]).command(0.0, 0, "order", Order(p_mw=1.0))


def test_a_battery_with_a_converter_books_what_its_model_drew():
    told = BatteryParams(p_rated_mw=50.0, e_rated_mwh=100.0, converter=Converter(control="forming_droop"))
    battery = Battery([told])
    first = battery.step(0.0, 1.0, inputs(battery, p_order_mw=10.0))
    drawn_mw = first["p_mw"][0] + 25.0
    then = battery.step(1.0, 1.0, inputs(battery, p_order_mw=10.0, p_drawn_mw=drawn_mw))
    assert then["p_droop_booked_mw"][0] == pytest.approx(25.0)
    gained = then["e_stored_mwh"][0] - first["e_stored_mwh"][0]
    assert gained == pytest.approx((10.0 + 25.0) * 0.94 / 3600.0)


def test_a_mean_the_grid_reports_counts_before_what_was_drawn_at_the_end():
    both = BatteryParams(
        p_rated_mw=50.0, e_rated_mwh=100.0, droop_mw_per_hz=100.0, converter=Converter(control="following")
    )
    battery = Battery([both])
    first = battery.step(0.0, 60.0, inputs(battery, p_order_mw=10.0))
    told = {"p_drawn_mw": first["p_mw"][0] + 25.0, "p_droop_mw": 4.0}
    assert battery.step(60.0, 60.0, inputs(battery, p_order_mw=10.0, **told))["p_droop_booked_mw"][0] == 4.0


@pytest.mark.parametrize(
    ("control", "models"),
    [
        ("following", {"regc_a", "reec_c", "repc_a"}),
        ("forming_droop", {"regfm_a1"}),
        ("forming_vsm", {"regfm_b1"}),
    ],
)
def test_droop_of_the_battery_is_that_of_its_converter(control, models):
    droopy = DROOPY.model_copy(update={"converter": Converter(control=control)})
    offers = Battery([droopy]).devices()[0]
    assert offers[0] == DroopOffer(0.033, 0.2)
    assert set(offers[1].models) == models
    rated_mva, per_power = droopy.rated_mva(), 1.0 / (100.0 * 50.0 / droopy.rated_mva())
    stated = {**offers[1].models.get("repc_a", {}), **next(iter(offers[1].models.values()))}
    assert stated["sn_mva"] == rated_mva
    assert stated.get("mp_pu", 1.0 / stated.get("dup_pu", 1.0)) == pytest.approx(per_power)
