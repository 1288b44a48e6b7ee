"""Supercapacitors: energy of the field, resistance, voltage window."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pydantic import ValidationError
from scipy.integrate import solve_ivp

from cosim.core.component import Context
from cosim.testing import check_component
from datacenters.orders import Order
from datacenters.supercapacitor import Supercapacitor, SupercapacitorParams

BANK = SupercapacitorParams(
    p_rated_mw=2.0, capacitance_farad=200.0, esr_ohm=0.005, v_max_kv=1.0, v_min_kv=0.5, soc_initial_pu=0.6
)
SMALL = SupercapacitorParams(
    p_rated_mw=0.5, capacitance_farad=40.0, esr_ohm=0.0, v_max_kv=1.2, v_min_kv=0.4, soc_initial_pu=0.5
)
BARE = BANK.model_copy(update={"eta_converter_pu": 1.0, "standby_pu": 0.0})


def step(bank, dt_s, order_mw, vm_pu=1.0, q_mvar=0.0):
    values = {"p_order_mw": order_mw, "q_order_mvar": q_mvar, "vm_pu": vm_pu}
    out = bank.step(0.0, dt_s, {name: np.array([value]) for name, value in values.items()})
    return {name: value[0] for name, value in out.items()}


@pytest.mark.parametrize("dt_s", [0.02, 0.5])
@pytest.mark.parametrize("levels", [{"p_order_mw": 1.0}, {"p_order_mw": -1.0}, {"vm_pu": 0.0}])
def test_a_bank_keeps_the_contract(dt_s, levels):
    assert list(check_component(Supercapacitor, [BANK, SMALL], dt_s=dt_s, levels=levels)) == []


@pytest.mark.parametrize("power_mw", [1.7, -1.7])
def test_voltage_at_constant_power_is_that_of_the_circuit(power_mw):
    """C du/dt = i with u i + R i² = P, integrated by somebody else."""

    def slope(_, u):
        return ((-u + np.sqrt(u * u + 4.0 * 0.005 * power_mw)) / (2.0 * 0.005)) / 200.0

    bank = Supercapacitor([BARE])
    u0 = np.sqrt(0.25 + 0.6 * 0.75)
    u1 = solve_ivp(slope, (0.0, 10.0), [u0], rtol=1e-11, atol=1e-12).y[0, -1]
    out = step(bank, 10.0, power_mw)
    assert out["p_mw"] == power_mw
    assert out["e_stored_mwh"] * 3600.0 == pytest.approx(0.5 * 200.0 * u1**2, rel=1e-8)
    assert out["v_terminal_kv"] == pytest.approx(0.5 * (u1 + np.sqrt(u1**2 + 0.02 * power_mw)), rel=1e-8)


@settings(deadline=None, max_examples=60)
@given(st.floats(-1.9, 1.9), st.floats(0.001, 8.0), st.integers(2, 9))
def test_many_short_steps_equal_one_long_step(power_mw, dt_s, parts):
    whole, split = Supercapacitor([BARE]), Supercapacitor([BARE])
    expected = step(whole, dt_s, power_mw)
    for _ in range(parts):
        got = step(split, dt_s / parts, power_mw)
    assert got["e_stored_mwh"] == pytest.approx(expected["e_stored_mwh"], rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(-4.0, 4.0), st.sampled_from([0.02, 1.0, 20.0])), min_size=1, max_size=30))
def test_terminals_stay_in_their_window_and_energy_closes_under_any_order(orders):
    bank, stored_mj = Supercapacitor([BANK]), 0.5 * 200.0 * (0.25 + 0.6 * 0.75)
    for order_mw, dt_s in orders:
        out = step(bank, dt_s, order_mw)
        assert 0.5 - 1e-9 <= out["v_terminal_kv"] <= 1.0 + 1e-9
        assert abs(out["p_mw"] - 0.004) <= 2.0
        now_mj = out["e_stored_mwh"] * 3600.0
        assert_allclose(now_mj - stored_mj, (out["p_mw"] - out["loss_mw"]) * dt_s, rtol=1e-9, atol=1e-12)
        assert out["loss_mw"] >= 0.004 - 1e-9
        stored_mj = now_mj


def test_a_bank_without_resistance_gives_the_energy_between_its_voltages():
    ideal = SMALL.model_copy(update={"eta_converter_pu": 1.0, "standby_pu": 0.0})
    bank = Supercapacitor([ideal])
    given_mj = -sum(step(bank, 5.0, -0.5)["p_mw"] * 5.0 for _ in range(20))
    assert given_mj == pytest.approx(0.5 * 40.0 * 0.5 * (1.2**2 - 0.4**2), rel=1e-12)
    assert step(bank, 5.0, -0.5)["p_unmet_mw"] == pytest.approx(-0.5, rel=1e-12)


def test_resistance_keeps_a_bank_from_being_filled_at_full_power():
    bank = Supercapacitor([BARE])
    filled = step(bank, 1000.0, 2.0)
    assert filled["v_terminal_kv"] == pytest.approx(1.0, rel=1e-12)
    assert 0.0 < filled["p_mw"] < 2.0
    assert filled["soc_pu"] < 1.0


def test_without_voltage_nothing_flows_and_charge_stays():
    bank = Supercapacitor([BANK])
    before = step(bank, 1.0, 0.0)
    dead = step(bank, 1.0, 2.0, vm_pu=0.0, q_mvar=1.0)
    assert (dead["p_mw"], dead["q_mvar"], dead["loss_mw"]) == (0.0, 0.0, 0.0)
    assert dead["e_stored_mwh"] == before["e_stored_mwh"]
    assert dead["p_unmet_mw"] == 2.0


def test_an_order_by_event_adds_to_what_is_wired():
    bank = Supercapacitor([BARE])
    bank.command(0.0, 0, "order", Order(p_mw=-1.0, q_mvar=0.5))
    out = step(bank, 1.0, 0.25)
    assert (out["p_mw"], out["q_mvar"]) == (-0.75, 0.5)
    bank.reset(Context())
    assert step(bank, 1.0, 0.25)["p_mw"] == 0.25


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"v_min_kv": 1.0}, "v_min_kv=1 is not below v_max_kv=1"),
        ({"esr_ohm": 0.2}, "esr_ohm=0.2 passes less than 1.225 MW at v_min_kv=0.5, p_rated_mw=2"),
        ({"soc_initial_pu": 1.1}, "less than or equal to 1"),
    ],
)
def test_what_cannot_be_a_bank_is_refused_with_numbers(changes, text):
    with pytest.raises(ValidationError, match=text):
        SupercapacitorParams(**{**BANK.model_dump(), **changes})
