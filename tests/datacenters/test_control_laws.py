"""Laws of controllers against closed forms, and the range they share."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.core.flexibility import Activate
from cosim.testing import check_component
from datacenters.control import Controller
from datacenters.control_params import ControllerParams, Restore, Shed

FAST = {"law": "fast_response", "p_mw": 20.0, "hold_s": 10.0, "return_s": 0.0}
PEAK = {"law": "peak_reduction", "limit_mw": 90.0, "return_s": 0.0}
ORDER = {"law": "demand_response", "p_mw": 30.0, "ramp_mw_per_s": 1e6}
DAY = {"law": "valley_filling", "peak_from_h": 18, "peak_to_h": 22, "hold_mw": 10.0, "fill_mw": 5.0}


def controller(*laws: dict[str, Any], **params: Any) -> ControllerParams:
    given_ = {"battery": "cells", "down_mw": 50.0, "up_mw": 50.0, **params, "laws": list(laws)}
    return ControllerParams.model_validate_json(json.dumps(given_), strict=True)


class Run:
    """Controllers with what they told; whoever calls is grid and resource."""

    def __init__(self, *params: ControllerParams) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.model = Controller(params)
        names = tuple(f"c{i}" for i in range(len(params)))
        self.model.reset(Context(names=names, emit=lambda *event: self.events.append(event)))
        self.count, self.t_s = len(params), 0.0

    def begin(self, dt_s: float = 1.0, **heard: Any) -> "Run":
        """Take the first exchange, in which no power was measured yet."""
        self.step(dt_s, p_mw=np.nan, **heard)
        return self

    def calm(self, **heard: Any) -> dict[str, Any]:
        """Return inputs in which nothing happens, but for what is given."""
        rest = {port.name: port.default for port in self.model.inputs}
        known = {**rest, "f_hz": 50.0, "vm_pu": 1.0, "p_mw": 100.0, **heard}
        return {name: np.broadcast_to(np.asarray(v, dtype=float), (self.count,)) for name, v in known.items()}

    def step(self, dt_s: float = 1.0, **heard: Any) -> dict[str, Any]:
        out = self.model.step(self.t_s, dt_s, self.calm(**heard))
        self.t_s += dt_s
        return {name: float(values[0]) for name, values in out.items()}

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [json.loads(data) if data else {} for _, _, what, _, data in self.events if what == kind]


def test_controllers_keep_the_contract():
    several = [controller(PEAK), controller(PEAK | {"limit_mw": 95.0}, DAY, battery="other")]
    levels = {"f_hz": 50.0, "vm_pu": 1.0, "p_mw": 80.0}
    assert list(check_component(Controller, several, levels=levels)) == []


@given(dt_s=st.floats(0.01, 2.0), reaction_s=st.floats(0.0, 1.0), ramp_s=st.floats(0.0, 30.0))
def test_a_fast_response_has_the_area_of_its_closed_form(dt_s, reaction_s, ramp_s):
    """The energy given up after the trigger is that of a dead time and a ramp, whatever the step."""
    run = Run(controller(FAST | {"reaction_s": reaction_s, "ramp_s": ramp_s, "hold_s": 1e6}))
    run.begin(dt_s)
    given_up = sum(-run.step(dt_s, f_hz=49.7)["promised_mw"] * dt_s for _ in range(60))
    t_s = max(60 * dt_s - reaction_s, 0.0)
    rises_s = min(t_s, ramp_s)
    area_s = t_s - rises_s + (rises_s**2 / (2.0 * ramp_s) if ramp_s > 0.0 else 0.0)
    assert given_up == pytest.approx(20.0 * area_s, rel=1e-9, abs=1e-9)


def test_a_fast_response_is_whole_after_its_reaction_time_and_lets_go_when_the_frequency_is_back():
    run = Run(controller(FAST))
    run.begin(0.05)
    steps = [run.step(0.05, f_hz=49.7) for _ in range(4)]
    assert [s["promised_mw"] for s in steps] == pytest.approx([0.0, -20.0 * 0.0028 / 0.05, -20.0, -20.0])
    while run.t_s < 12.0:
        last = run.step(0.05, f_hz=49.9)
    assert last["promised_mw"] == -20.0  # held longer than hold_s, as the frequency is not yet back
    assert run.step(0.05, f_hz=49.96)["promised_mw"] == 0.0


@given(dt_s=st.floats(0.05, 1.0))
def test_a_reaction_time_counts_from_the_crossing_of_the_threshold_not_from_its_hearing(dt_s):
    """0.1 Hz/s below 50 Hz crosses 49.8 Hz after 2 s: with a reaction of 1 s, 20 MW are off from 3 s on."""
    run = Run(controller(FAST | {"reaction_s": 1.0, "hold_s": 1e6}))
    run.begin(dt_s)
    t0_s, given_up = run.t_s, 0.0
    while run.t_s < t0_s + 6.0:
        given_up -= run.step(dt_s, f_hz=50.0 - 0.1 * (run.t_s - t0_s))["promised_mw"] * dt_s
    assert given_up == pytest.approx(20.0 * (run.t_s - t0_s - 3.0), rel=1e-6)


def test_an_emergency_hears_of_a_blocked_link_and_counts_from_the_block():
    """Poles block with the exchange that begins at 1 s; heard at 1.1 s, the cut begins at 1.2 s."""
    run = Run(controller({"law": "emergency", "p_mw": 20.0, "ramp_s": 0.0, "hold_s": 1.0, "return_s": 0.0}))
    run.begin(0.1, blocked_pu=0.5)
    steps = [run.step(0.1, blocked_pu=0.5 if run.t_s < 1.05 else 1.0)["promised_mw"] for _ in range(30)]
    assert np.flatnonzero(steps).tolist() == list(range(11, 21))  # 1.2 to 2.2 s: as long as it holds
    assert set(steps) == {0.0, -20.0}


@given(
    laws=st.permutations([FAST, PEAK, ORDER, DAY | {"ramp_s": 0.0}]),
    asked=st.lists(st.tuples(*[st.floats(0.0, 80.0)] * 2, st.floats(49.5, 50.1)), min_size=3, max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_no_more_is_promised_than_the_resource_says_it_can_hold(laws, asked):
    run = Run(controller(*laws, asks_over_s=900.0)).begin()
    if run.model.refusal(0, Activate(p_mw=-20.0, duration_s=600.0)) is None:
        run.model.command(1.0, 0, "activate", Activate(p_mw=-20.0, duration_s=600.0))
    for down_mw, up_mw, f_hz in asked:
        row = run.step(600.0, f_hz=f_hz, lowest_mw=100.0 - down_mw, highest_mw=100.0 + up_mw)
        assert -min(down_mw, 50.0) - 1e-9 <= row["promised_mw"] <= min(up_mw, 50.0) + 1e-9
        assert (row["range_mw"], row["range_up_mw"]) == pytest.approx((min(down_mw, 50.0), min(up_mw, 50.0)))


def test_a_limit_is_kept_as_far_as_the_range_allows_and_what_lacks_is_told():
    """A gate of 100, then 150, then 80 MW against a limit of 90 MW and a battery that gives up to 50 MW."""
    run, order_mw, rows = Run(controller(PEAK, watches=["gate"])).begin(), 0.0, []
    for load_mw in [100.0] * 4 + [150.0] * 4 + [80.0] * 3:
        rows.append(run.step(p_mw=order_mw, watched_mw=load_mw + order_mw))
        order_mw = rows[-1]["p_order_mw"]
        rows[-1]["gate"] = load_mw + order_mw
    assert [row["gate"] for row in rows[:4]] == [90.0] * 4
    assert [(row["gate"], row["refused_mw"]) for row in rows[5:8]] == [(100.0, -10.0)] * 3
    assert rows[-1]["p_order_mw"] == 0.0


def test_a_limit_behind_another_law_asks_for_what_that_leaves():
    run = Run(controller(FAST | {"reaction_s": 0.0}, PEAK)).begin()
    row = run.step(f_hz=49.7, p_mw=125.0)
    assert row["promised_mw"] == pytest.approx(-35.0)
    assert [account.granted_mw for account in run.model._desks[0].accounts] == pytest.approx([-20.0, -15.0])


def test_a_limit_lets_go_at_its_ramp_where_another_at_the_meter_gives():
    """10 MW given up for a load of 100 MW go back over 10 s once the load is 50 MW, not at once."""
    run = Run(controller(PEAK | {"return_s": 10.0}, watches=["gate"])).begin()
    orders = [0.0]
    for load_mw in (100.0, 50.0, 50.0, 50.0):
        orders.append(run.step(p_mw=orders[-1], watched_mw=load_mw + orders[-1])["p_order_mw"])
    assert orders == pytest.approx([0.0, -10.0, -9.0, -8.0, -7.0])


def test_an_emergency_comes_within_its_time_by_event_or_frequency_and_goes_back_when_told():
    law = {"law": "emergency", "p_mw": 40.0, "return_s": 0.0, "f_trigger_hz": 49.0}
    run = Run(controller(law))
    run.begin(0.1)
    run.model.command(run.t_s, 0, "shed", Shed())
    levels = [-run.step(0.1)["promised_mw"] for _ in range(7)]
    ramp = [40.0 * share for share in (1 / 6, 1 / 2, 5 / 6)]
    assert levels == pytest.approx([0.0, 0.0, *ramp, 40.0, 40.0])
    run.model.command(run.t_s, 0, "restore", Restore())
    assert run.step(0.1)["promised_mw"] == 0.0
    assert [run.step(0.5, f_hz=48.9)["promised_mw"] for _ in range(2)][-1] == -40.0


def test_a_cut_that_begins_with_an_exchange_does_not_begin_before_it():
    law = {"law": "emergency", "p_mw": 40.0, "reaction_s": 0.4, "ramp_s": 0.0}
    run = Run(controller(law)).begin(60.0)
    run.model.command(60.0, 0, "shed", Shed())
    levels = [run.model.step(60.0 + 0.2 * k, 0.2, run.calm())["promised_mw"][0] for k in range(3)]
    assert levels == [0.0, 0.0, -40.0]


def test_the_day_fills_the_valley_and_holds_back_in_the_peak():
    """The day of a run that starts at 20:00: hold until 22:00, nothing until midnight, fill until seven."""
    run = Run(controller(DAY | {"ramp_s": 0.0}))
    orders = [
        run.begin(3600.0).step(3600.0)["promised_mw"],
        *(run.step(3600.0)["promised_mw"] for _ in range(22)),
    ]
    assert orders == [-10.0, 0.0, 0.0, *[5.0] * 7, *[0.0] * 11, -10.0, -10.0]


def test_set_points_fall_before_a_peak_and_rise_in_it():
    law = {"law": "precooling", "peak_from_h": 22, "peak_to_h": 24, "ahead_h": 1}
    run = Run(controller(law, battery=None, hall="north", it_rated_mw=10.0, up_mw=0.0))
    assert [run.step(3600.0)["temp_offset_k"] for _ in range(5)] == [0.0, -2.0, 2.0, 2.0, 0.0]


def test_an_order_is_promised_behind_what_laws_before_it_may_want_and_settled_at_the_meter():
    run = Run(controller(FAST, ORDER))
    run.begin()
    run.model.command(1.0, 0, "activate", Activate(p_mw=-25.0, duration_s=3.0))
    orders = [run.step()["promised_mw"] for _ in range(5)]
    assert orders == pytest.approx([-25.0] * 3 + [0.0] * 2, abs=1e-3)
    (promise,) = run.told("promise")
    assert promise["promised_mw"] == -25.0
    assert [event[1] for event in run.events if event[2] == "promise"] == ["cells"]


def test_an_order_counts_from_what_other_laws_leave():
    run = Run(controller(FAST | {"reaction_s": 0.0}, ORDER)).begin()
    run.step(f_hz=49.7)
    run.model.command(run.t_s, 0, "activate", Activate(p_mw=-10.0, duration_s=3.0))
    assert run.step(f_hz=49.7, p_mw=80.0)["promised_mw"] == pytest.approx(-30.0, abs=1e-3)
    (promise,) = run.told("promise")
    assert (promise["baseline_mw"], promise["promised_mw"]) == (80.0, -10.0)


def test_an_order_beyond_what_is_left_of_the_range_is_refused_before_the_run():
    run = Run(controller(FAST | {"p_mw": 30.0}, ORDER))
    assert "-20 to 30 MW" in str(run.model.refusal(0, Activate(p_mw=-25.0, duration_s=60.0)))
    assert run.model.refusal(0, Activate(p_mw=-20.0, duration_s=60.0)) is None
    assert "no law emergency" in str(run.model.refusal(0, Shed()))
    with pytest.raises(ScenarioError, match="c0 has no law demand_response"):
        Run(controller(FAST)).model.command(0.0, 0, "activate", Activate(p_mw=-1.0, duration_s=60.0))


LAWS = st.permutations([FAST, PEAK, ORDER, DAY | {"ramp_s": 0.0}]).flatmap(
    lambda laws: st.integers(1, 4).map(lambda count: laws[:count])
)


@given(
    laws=LAWS,
    range_mw=st.floats(30.0, 60.0),
    heard=st.lists(st.tuples(st.floats(49.5, 50.2), st.floats(0.0, 300.0)), min_size=3, max_size=30),
    order_mw=st.floats(-30.0, 30.0),
)
@settings(max_examples=60, deadline=None)
def test_no_megawatt_is_sold_twice(laws, range_mw, heard, order_mw):
    """What laws sold together stays within the range, and what each delivered adds up to what was seen."""
    run = Run(controller(*laws, down_mw=range_mw, up_mw=range_mw))
    run.begin()
    if ORDER in laws and run.model.refusal(0, Activate(p_mw=order_mw, duration_s=600.0)) is None:
        run.model.command(1.0, 0, "activate", Activate(p_mw=order_mw, duration_s=600.0))
    before, seen_mwh = 0.0, 0.0
    for f_hz, p_mw in heard:
        row = run.step(600.0, f_hz=f_hz, p_mw=p_mw)
        assert -range_mw - 1e-9 <= row["promised_mw"] <= range_mw + 1e-9
        (desk,) = run.model._desks
        parts = [account.granted_mw for account in desk.accounts]
        assert sum(abs(part) for part in parts) == pytest.approx(abs(row["promised_mw"]), abs=1e-9)
        change = row["delivered_mw"] if before != 0.0 else 0.0
        seen_mwh += min(max(change / before, 0.0), 1.0) * abs(before) / 6.0 if before != 0.0 else 0.0
        before = row["promised_mw"]
    booked = sum(account.delivered_mwh for account in desk.accounts)
    assert booked <= seen_mwh + 1e-9


def test_each_megawatt_counts_for_the_first_law_that_sold_it():
    run = Run(controller(FAST | {"reaction_s": 0.0, "hold_s": 0.0}, PEAK, down_mw=50.0))
    run.begin()
    run.step(3600.0, f_hz=49.7, p_mw=120.0)
    run.step(3600.0, f_hz=50.0, p_mw=95.0)
    run.step(3600.0, f_hz=50.0, p_mw=80.0)
    first, *_ = run.told("law_over")
    assert first["law"] == "fast_response"
    assert (first["promised_mwh"], first["delivered_mwh"]) == (20.0, 20.0)
    peak = run.model._desks[0].accounts[1]
    assert (peak.promised_mwh, peak.delivered_mwh) == pytest.approx((10.0 + 30.0, 5.0 + 30.0))


@given(v=st.lists(st.floats(0.85, 1.15), min_size=1, max_size=8), dt_s=st.floats(0.1, 20.0))
def test_reactive_power_stays_within_what_the_droop_allows(v, dt_s):
    run = Run(controller({"law": "voltage_support", "q_most_mvar": 30.0}))
    orders = [run.step(dt_s, vm_pu=vm_pu)["q_order_mvar"] for vm_pu in v]
    assert max(abs(q) for q in orders) <= 30.0
    settled = Run(controller({"law": "voltage_support", "q_most_mvar": 30.0, "lag_s": 0.0}))
    assert settled.step(vm_pu=0.97)["q_order_mvar"] == pytest.approx(-30.0 * 0.02 / 0.04)


@pytest.mark.parametrize(
    ("changes", "laws", "told"),
    [
        ({}, [FAST | {"p_mw": 60.0}], "laws.0: p_mw=60 is beyond down_mw=50"),
        ({"down_mw": 0.0}, [PEAK], "down_mw=0 leaves it nothing to give up"),
        ({"up_mw": 1.0}, [DAY], "fill_mw=5 is beyond up_mw=1"),
        ({}, [ORDER, ORDER], "DemandResponse stands more than once"),
        ({"hall": "north"}, [FAST], "one of hall, battery, site; given: hall, battery"),
        ({"battery": None, "hall": "n", "up_mw": 0.0}, [FAST], "hall=n needs it_rated_mw"),
        ({"battery": None, "hall": "n", "it_rated_mw": 9.0}, [FAST], "up_mw=50 is beyond a hall"),
        ({"battery": None, "site": "n", "up_mw": 0.0}, [FAST], "site and meter"),
        (
            {"battery": None, "site": "n", "meter": "m", "up_mw": 0.0, "asks_over_s": 900.0},
            [FAST],
            "asks_over_s=900: a site does not say what it can hold",
        ),
        ({}, [FAST | {"f_release_hz": 49.0}], "f_release_hz=49 is not above f_trigger_hz=49.8"),
    ],
)
def test_what_cannot_be_is_refused_with_key_and_value(changes, laws, told):
    with pytest.raises(ValidationError, match=told.replace(".", r"\.")):
        controller(*laws, **changes)


def test_two_controllers_of_one_resource_are_found_by_name():
    with pytest.raises(ScenarioError, match="c0 and c1 both govern cells"):
        Run(controller(FAST), controller(PEAK))


def test_two_equal_limits_for_the_same_units_are_found_by_name():
    a = controller(PEAK, watches=["gate"])
    with pytest.raises(ScenarioError, match="c0 and c1 both keep gate under the same limit_mw"):
        Run(a, controller(PEAK, battery="more", watches=["gate"]))
    other = PEAK | {"limit_mw": 95.0}
    assert Run(a, controller(other, battery="more", watches=["gate"])).count == 2


def test_a_law_that_hears_no_frequency_says_so_at_the_start():
    with pytest.raises(ScenarioError, match="c0: a law listens to f_hz, but the unit is not connected"):
        Run(controller(FAST)).step(f_hz=np.nan)
