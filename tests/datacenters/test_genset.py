"""Gen-sets: start, load steps, fuel; nothing delivered that was not accepted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pydantic import ValidationError

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.testing import check_component
from datacenters.genset import Genset, Start, Stop
from datacenters.genset_params import GensetParams
from datacenters.orders import Order

DIESEL = GensetParams(p_rated_mw=2.0, tank_mwh=40.0)
GAS = GensetParams(kind="gas", p_rated_mw=4.0)
FAST = GensetParams(kind="gas_fast", p_rated_mw=2.5)
KEPT = GAS.model_copy(update={"starts_by": "command", "on_at_start": True, "p_min_pu": 0.0})


def step(genset, dt_s, order_mw, vm_pu=1.0, t_s=0.0, **told):
    rest = {port.name: port.default for port in genset.inputs}
    values = {**rest, "p_order_mw": order_mw, "vm_pu": vm_pu, **told}
    out = genset.step(t_s, dt_s, {name: np.array([value]) for name, value in values.items()})
    return {name: value[0] for name, value in out.items()}


@pytest.mark.parametrize("dt_s", [0.1, 1.0, 7.0])
@pytest.mark.parametrize("order_mw", [0.0, 1.5, 9.0])
@pytest.mark.parametrize("vm_pu", [1.0, 0.0])
def test_gensets_keep_the_contract(dt_s, order_mw, vm_pu):
    units = [DIESEL, GAS, FAST, KEPT]
    levels = {"p_order_mw": order_mw, "q_order_mvar": 0.3, "vm_pu": vm_pu}
    assert list(check_component(Genset, units, dt_s=dt_s, levels=levels)) == []


@pytest.mark.parametrize(("params", "ready_s"), [(DIESEL, 10.0), (FAST, 10.0), (GAS, 60.0)])
def test_a_genset_accepts_load_after_its_start_delay(params, ready_s):
    genset = Genset([params])
    step(genset, 1.0, 0.0)
    delivered = [step(genset, 1.0, params.p_rated_mw)["p_delivered_mw"] for _ in range(80)]
    assert np.flatnonzero(delivered)[0] == ready_s
    assert delivered[-1] > 0.0


def test_a_fast_gas_engine_takes_its_whole_rating_at_once():
    genset = Genset([FAST])
    step(genset, 1.0, 0.0)
    for _ in range(10):
        assert step(genset, 1.0, 2.5)["state_code"] in {1.0, 2.0}
    assert step(genset, 1.0, 2.5)["p_delivered_mw"] == 2.5


def test_a_gas_engine_climbs_its_published_steps_in_about_100_s():
    """CG260-16: 16 % at once, then 13, 10, 9, ... % in 10 s each; full load after ~100 s."""
    genset = Genset([KEPT])
    step(genset, 1.0, 0.0)
    taken = np.array([step(genset, 0.5, 4.0)["p_delivered_mw"] for _ in range(240)]) / 4.0
    assert taken[0] == pytest.approx(0.16, abs=0.13 / 10.0 * 0.5)
    by_tens = [taken[20 * k] for k in range(1, 9)]
    assert_allclose(
        by_tens, np.cumsum([0.16, 0.13, 0.10, 0.09, 0.09, 0.09, 0.09, 0.09, 0.09])[1:], atol=0.004
    )
    full_s = 0.5 * np.argmax(taken == 1.0)
    assert full_s == pytest.approx(100.0, rel=0.15)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.floats(0.0, 5.0), st.integers(1, 40)), min_size=1, max_size=8),
    st.sampled_from([2, 5]),
)
def test_means_do_not_depend_on_the_step(orders, parts):
    whole, split = Genset([KEPT]), Genset([KEPT])
    for order_mw, dt_s in orders:
        expected = step(whole, dt_s, order_mw)
        got = [step(split, dt_s / parts, order_mw) for _ in range(parts)]
        for name in ("p_delivered_mw", "p_fuel_mw"):
            mean = np.mean([row[name] for row in got])
            assert mean == pytest.approx(expected[name], rel=1e-9, abs=1e-9)
        assert got[-1]["p_accepted_mw"] == pytest.approx(expected["p_accepted_mw"], rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0.0, 5.0), min_size=2, max_size=60))
def test_load_never_rises_by_more_than_was_accepted_and_the_rest_is_told(orders):
    genset = Genset([KEPT])
    accepted_mw, before_mw = 4.0, orders[0]
    for order_mw in orders:
        out = step(genset, 0.01, order_mw)
        in_a_step_mw = 0.16 / 10.0 * 4.0 * 0.01
        assert out["p_delivered_mw"] <= max(accepted_mw, min(before_mw, 4.0)) + in_a_step_mw
        assert out["p_unmet_mw"] == pytest.approx(order_mw - out["p_delivered_mw"], abs=1e-12)
        accepted_mw, before_mw = out["p_accepted_mw"], out["p_delivered_mw"]


def test_fuel_at_full_and_half_load_is_what_the_efficiencies_say():
    genset = Genset([GAS])
    assert step(genset, 60.0, 4.0)["p_fuel_mw"] == pytest.approx(4.0 / 0.434)
    assert step(genset, 60.0, 2.0)["p_fuel_mw"] == pytest.approx(2.0 / 0.40)
    assert step(genset, 60.0, 2.0)["e_tank_mwh"] == 0.0


def test_an_engine_stops_when_its_tank_is_empty_and_says_so():
    told = []
    genset = Genset([DIESEL.model_copy(update={"tank_mwh": 1.0})])
    genset.reset(Context(names=("backup",), emit=lambda *row: told.append(row)))
    rows = [step(genset, 60.0, 2.0, t_s=60.0 * k) for k in range(20)]
    delivered_mwh = sum(row["p_delivered_mw"] for row in rows) / 60.0
    assert delivered_mwh == pytest.approx(0.4)  # full load throughout: 0.40 of 1 MWh
    assert (rows[-1]["e_tank_mwh"], rows[-1]["state_code"], rows[-1]["p_mw"]) == (0.0, 0.0, 0.0)
    assert [row[1:3] for row in told] == [("backup", "out of fuel")]


def test_without_an_order_an_engine_cools_then_stops_and_starts_anew():
    genset = Genset([DIESEL.model_copy(update={"cooling_s": 30.0, "start_s": 4.0})])
    step(genset, 10.0, 1.0)
    cooling = step(genset, 10.0, 0.0)
    assert (cooling["state_code"], cooling["p_delivered_mw"]) == (3.0, 0.0)
    assert cooling["p_fuel_mw"] == pytest.approx(2.0 * (1 / 0.37 - 1 / 0.40))
    assert step(genset, 10.0, 1.0)["p_delivered_mw"] == 1.0  # still warm: no start, one block
    for _ in range(3):
        stopped = step(genset, 10.0, 0.0)
    assert stopped["state_code"] == 0.0
    assert step(genset, 10.0, 1.0)["p_delivered_mw"] == pytest.approx(1.0 * 6.0 / 10.0)


def test_commands_start_and_stop_an_engine():
    genset = Genset([GAS.model_copy(update={"starts_by": "command", "start_s": 20.0})])
    assert step(genset, 10.0, 0.5)["p_delivered_mw"] == 0.0
    genset.command(10.0, 0, "start", Start())
    assert [step(genset, 10.0, 1.6)["state_code"] for _ in range(3)] == [1.0, 2.0, 2.0]
    genset.command(40.0, 0, "stop", Stop())
    dropped = step(genset, 10.0, 1.6)
    assert (dropped["state_code"], dropped["p_delivered_mw"], dropped["p_unmet_mw"]) == (3.0, 0.0, 1.6)
    with pytest.raises(ScenarioError, match="genset 0: starts_by is order"):
        Genset([GAS]).command(0.0, 0, "stop", Stop())


def test_an_order_by_event_starts_an_engine_and_loads_it():
    genset = Genset([FAST])
    step(genset, 10.0, 0.0)
    genset.command(10.0, 0, "order", Order(p_mw=2.0, q_mvar=-0.5))
    rows = [step(genset, 10.0, 0.0) for _ in range(2)]
    assert [row["p_delivered_mw"] for row in rows] == [0.0, 2.0]
    assert rows[1]["q_mvar"] == -0.5


def test_without_voltage_a_genset_starts_but_delivers_nothing_until_it_returns():
    genset = Genset([DIESEL])
    step(genset, 1.0, 0.0)
    for _ in range(12):
        dead = step(genset, 1.0, 2.0, vm_pu=0.0)
        assert (dead["p_mw"], dead["q_mvar"], dead["p_accepted_mw"]) == (0.0, 0.0, 0.0)
    assert dead["state_code"] == 2.0
    assert dead["p_fuel_mw"] > 0.0
    back = step(genset, 0.001, 2.0)
    assert back["p_delivered_mw"] == pytest.approx(0.5 * 2.0, rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"p_min_pu": 1.2}, r"p_min_pu=1.2 puts the lowest load, 2.4 MW, not below p_rated_mw=2"),
        ({"load_steps_pu": (0.5, 0.4)}, "adds up to 0.9"),
        ({"load_steps_pu": (1.5, -0.5)}, "steps above 0"),
        ({"eta_half_pu": 0.45}, "eta_half_pu=0.45 is above eta_full_pu=0.4"),
        ({"eta_half_pu": 0.24}, "need less fuel than it is power"),
        ({"on_at_start": True}, "needs starts_by: command"),
        ({"kind": "petrol"}, "diesel"),
    ],
)
def test_what_cannot_be_a_genset_is_refused_with_numbers(changes, text):
    with pytest.raises(ValidationError, match=text):
        GensetParams(**{"p_rated_mw": 2.0, **changes})


ENGINE = GensetParams(p_rated_mw=4.0, engine={}, tank_mwh=10.0)


def test_the_breaker_of_its_machine_closes_when_the_engine_is_ready():
    genset = Genset([ENGINE])
    step(genset, 1.0, 0.0)
    codes = [step(genset, 1.0, 2.0, closed_code=0.0) for _ in range(12)]
    assert [out["breaker_code"] for out in codes] == [0.0] * 10 + [1.0, 1.0]
    assert [out["p_setpoint_mw"] for out in codes[-2:]] == [2.0, 2.0]
    assert codes[-1]["p_delivered_mw"] == 0.0  # not before the synchroniser has closed it
    assert step(genset, 1.0, 0.0, closed_code=1.0)["breaker_code"] == 0.0


def test_a_set_with_a_machine_burns_for_what_that_machine_delivers():
    genset = Genset([ENGINE])
    step(genset, 1.0, 0.0)
    for _ in range(11):
        step(genset, 1.0, 2.0, closed_code=0.0)
    told = step(genset, 1.0, 2.0, closed_code=1.0, p_drawn_mw=-1.5, q_drawn_mvar=-0.7)
    assert (told["p_mw"], told["q_mvar"]) == (-1.5, -0.7)
    idle_mw = 4.0 * ENGINE.no_load_pu()
    assert told["p_fuel_mw"] == pytest.approx(idle_mw + 1.5 * (1.0 / 0.40 - idle_mw / 4.0))
    assert told["p_unmet_mw"] == pytest.approx(0.5)


def test_the_ceiling_of_its_torque_climbs_with_what_the_machine_carries():
    """Gas: 16 % at once; at rest under that load, one block above it after its recovery time."""
    genset = Genset([GensetParams(kind="gas", p_rated_mw=4.0, start_s=0.0, engine={})])
    step(genset, 1.0, 0.0)
    out = step(genset, 1.0, 4.0, closed_code=0.0)
    assert out["p_setpoint_mw"] == pytest.approx(0.64)
    for _ in range(40):
        out = step(genset, 1.0, 4.0, closed_code=1.0, p_drawn_mw=-0.64)
    assert out["p_accepted_mw"] == pytest.approx(4.0 * (0.16 + 0.13))


def test_a_gas_engine_has_the_inertia_and_governor_of_its_kind():
    (offer,) = Genset([GensetParams(kind="gas", p_rated_mw=4.3, engine={"droop_pu": 0.05})]).devices()
    assert offer.models["gensal"]["h_s"] == pytest.approx(
        0.5 * 710 * (2 * np.pi * 1000 / 60) ** 2 / 5.4e6, rel=0.01
    )
    assert offer.models["degov1"]["r_pu"] == 0.05
    assert Genset([DIESEL]).devices() == (None,)


def test_load_steps_of_a_scenario_are_a_list_and_strict_for_a_kind_with_its_own():
    text = '{"kind": "gas", "p_rated_mw": 2, "load_steps_pu": %s}'
    given_ = GensetParams.model_validate_json(text % "[0.5, 0.5]", strict=True)
    assert given_.load_steps_pu == (0.5, 0.5)
    with pytest.raises(ValidationError, match=r"adds up to 0\.8"):
        GensetParams.model_validate_json(text % "[0.5, 0.3]", strict=True)
    with pytest.raises(ValidationError, match="valid number"):
        GensetParams.model_validate_json(text % '[0.5, "0.5"]', strict=True)
