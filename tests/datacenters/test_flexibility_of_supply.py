"""Ranges of stores and sources: what is published is delivered when it is ordered, from any state."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cosim.core.component import Context
from cosim.core.flexibility import Activate
from cosim.testing.flexibility import Moment
from datacenters.battery import Battery, BatteryParams
from datacenters.genset import Genset
from datacenters.genset_params import GensetParams
from datacenters.hydrogen import Hydrogen, HydrogenParams
from datacenters.must_take import MustTake, MustTakeParams
from datacenters.supercapacitor import Supercapacitor, SupercapacitorParams

BANK = {"capacitance_farad": 200.0, "esr_ohm": 0.005, "v_max_kv": 1.0, "v_min_kv": 0.5}
PLANT = {
    "tank": {"volume_m3": 8.0, "p_max_bar": 200.0},
    "electrolyser": {"p_rated_mw": 5.0},
    "fuel_cell": {"p_rated_mw": 3.0},
}
UNITS = {
    Battery: [
        BatteryParams(p_rated_mw=20.0, e_rated_mwh=6.0),
        BatteryParams(p_rated_mw=5.0, e_rated_mwh=20.0, ageing=True, ramp_pu_per_s=0.05),
    ],
    Supercapacitor: [SupercapacitorParams(p_rated_mw=2.0, soc_initial_pu=0.6, **BANK)],
    Genset: [
        GensetParams(p_rated_mw=2.0, tank_mwh=0.8),
        GensetParams(kind="gas", p_rated_mw=4.0),
        GensetParams(kind="gas_fast", p_rated_mw=2.5, starts_by="command", on_at_start=True),
    ],
    Hydrogen: [HydrogenParams.model_validate(PLANT)],
}
MOST_MW = {Battery: 25.0, Supercapacitor: 2.5, Genset: 4.0, Hydrogen: 6.0}


def inputs_of(kind, **values):
    count = len(UNITS[kind])
    return {
        port.name: np.broadcast_to(np.asarray(values.get(port.name, port.default), dtype=float), (count,))
        for port in kind.inputs
    }


def told(kind, params, dt_s, orders_mw, events=None):
    """A component some steps on, with a list that gets its events."""
    model = kind(params)
    emit = (lambda *event: None) if events is None else (lambda *event: events.append(event))
    model.reset(Context(names=tuple(f"u{i}" for i in range(len(params))), emit=emit))
    for step, order_mw in enumerate(orders_mw):
        model.step(step * dt_s, dt_s, inputs_of(kind, p_order_mw=order_mw))
    return model


@pytest.mark.parametrize("kind", UNITS)
@given(
    shares=st.lists(st.floats(-1, 1), min_size=1, max_size=6),
    last=st.sampled_from([-0.5, 0.0, 0.5]),
    horizon_s=st.floats(40, 1200),
    share=st.sampled_from([0.3, 1.0, 1.7]),
)
@settings(max_examples=8, deadline=None)
def test_what_is_published_is_delivered(kind, shares, last, horizon_s, share):
    """Ordered a part, all or more than the range, a unit delivers that part, or the range, within 1 %."""
    dt_s = 10.0
    orders_mw = [MOST_MW[kind] * s for s in [*shares, last, last]]
    moment = Moment(
        told(kind, UNITS[kind], dt_s, orders_mw),
        len(orders_mw) * dt_s,
        dt_s,
        inputs_of(kind, p_order_mw=orders_mw[-1]),
    )
    for delivery in moment.deliveries(horizon_s, share):
        assert list(delivery.missed()) == []


@given(st.floats(0, 1), st.floats(0, 1), st.floats(30, 900))
@settings(max_examples=15, deadline=None)
def test_sources_hold_back_what_they_publish(scale_pu, limit_pu, horizon_s):
    source = MustTake([MustTakeParams(p_rated_mw=30.0), MustTakeParams(kind="nuclear", p_rated_mw=300.0)])
    inputs = {
        "scale_pu": np.full(2, scale_pu),
        "p_limit_mw": np.array([30.0, 300.0]) * limit_pu,
        "q_order_mvar": np.zeros(2),
        "vm_pu": np.ones(2),
    }
    for step in range(3):
        source.step(step * 5.0, 5.0, inputs)
    for delivery in Moment(source, 15.0, 5.0, inputs).deliveries(horizon_s):
        assert list(delivery.missed()) == []
        assert delivery.side == "up" or not delivery.promised_mw.any(), "they can only give less"


def test_a_battery_promises_its_energy_over_the_horizon():
    """Closed form: half of 20 MWh down to 5 % at 94 % efficiency lasts an hour at 8.46 MW."""
    battery = told(
        Battery,
        [BatteryParams(p_rated_mw=20.0, e_rated_mwh=20.0, standby_pu=0.0)] * 2,
        1.0,
        [0.0],
    )
    found = battery.flexibility(1.0, 3600.0, inputs_of(Battery))
    assert_allclose(found.down.p_mw, 0.45 * 20.0 * 0.94, rtol=2e-4)  # its ramps take 0.4 s of the hour
    assert_allclose(found.up.p_mw, 0.45 * 20.0 / 0.94, rtol=2e-4)
    short = battery.flexibility(1.0, 60.0, inputs_of(Battery))
    assert_allclose(short.down.p_mw, 20.0)
    assert_allclose(short.down.lasts_s, 9.0 * 0.94 / 20.0 * 3600.0, rtol=2e-3)


def test_cells_age_by_what_they_give_more():
    found = told(Battery, UNITS[Battery], 1.0, [0.0]).flexibility(1.0, 1800.0, inputs_of(Battery))
    assert found.down.costs["ageing_pu"][0] == 0.0, "its ageing is not modelled"
    assert 1e-7 < found.down.costs["ageing_pu"][1] < 1e-4


def test_an_engine_burns_what_its_willans_line_says():
    gas = told(Genset, UNITS[Genset], 1.0, [2.0, 2.0])
    side = gas.flexibility(2.0, 600.0, inputs_of(Genset, p_order_mw=2.0)).down
    slope = 1.0 / 0.434 - (1.0 / 0.40 - 1.0 / 0.434)
    ramped_s = 600.0 + side.p_mw[1] / side.ramp_mw_per_s[1]
    assert_allclose(side.p_mw[1], 2.0)
    assert_allclose(side.costs["fuel_mwh"][1], 2.0 * slope * ramped_s / 3600.0, rtol=0.01)


def test_an_engine_that_stands_asks_for_its_start_and_its_least_load():
    side = told(Genset, UNITS[Genset], 1.0, [0.0]).flexibility(1.0, 600.0, inputs_of(Genset)).down
    assert_allclose(side.delay_s[:2], [10.0, 60.0])
    assert_allclose(side.least_mw[:2], [0.6, 1.6])
    assert_allclose(side.p_mw[1], 4.0)
    assert side.p_mw[0] < 2.0, "0.8 MWh in its tank do not last for ten minutes of full load and the start"


def test_a_fuel_cell_says_what_hydrogen_it_takes():
    side = told(Hydrogen, UNITS[Hydrogen], 1.0, [0.0]).flexibility(1.0, 60.0, inputs_of(Hydrogen)).down
    mj = 3.0 / 0.50 * (60.0 + side.p_mw[0] / side.ramp_mw_per_s[0])
    assert_allclose(side.p_mw, 3.0)
    assert_allclose(side.costs["h2_kg"], mj / 119.96, rtol=0.01)


def test_an_order_beyond_the_range_is_told_with_both_numbers():
    events = []
    battery = told(Battery, UNITS[Battery], 1.0, [0.0], events)
    battery.command(1.0, 0, "activate", Activate(p_mw=-30.0, duration_s=60.0))
    battery.command(1.0, 0, "activate", Activate(p_mw=5.0, duration_s=60.0))
    battery.step(1.0, 1.0, inputs_of(Battery))
    kinds = [event[2] for event in events]
    assert kinds == ["order_clipped", "promise", "order_clipped", "promise"]
    assert "-30 MW for 60 s are asked, -20 MW are promised" in events[0][3]
    data = [json.loads(event[4]) for event in events if event[2] == "promise"]
    assert data[0]["promised_mw"] == -20.0
    assert data[1]["promised_mw"] == 0.0, "one promise at a time"


def test_an_engine_is_not_promised_below_its_least_load():
    events = []
    diesel = told(Genset, UNITS[Genset], 1.0, [0.0], events)
    diesel.command(1.0, 0, "activate", Activate(p_mw=-0.2, duration_s=60.0))
    out = diesel.step(1.0, 1.0, inputs_of(Genset))
    assert "the least it can move is 0.6" in events[0][3]
    assert out["state_code"][0] == 0.0, "it does not start for it"
