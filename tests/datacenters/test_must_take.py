"""Must-take sources: what is available, ramps, limits, trip and restart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pydantic import ValidationError

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.testing import check_component
from datacenters.must_take import Limit, MustTake, MustTakeParams

SUN = MustTakeParams(p_rated_mw=100.0)
WIND = MustTakeParams(kind="wind", p_rated_mw=50.0)
REACTOR = MustTakeParams(kind="nuclear", p_rated_mw=80.0)


def step(source, dt_s, t_s=0.0, **given_values):
    values = {p.name: given_values.get(p.name, p.default) for p in source.inputs}
    out = source.step(t_s, dt_s, {name: np.array([float(value)]) for name, value in values.items()})
    return {name: value[0] for name, value in out.items()}


@pytest.mark.parametrize("dt_s", [0.1, 1.0, 60.0])
@pytest.mark.parametrize(
    "levels", [{}, {"p_limit_mw": 20.0}, {"p_limit_mw": 45.0, "q_order_mvar": -30.0}, {"vm_pu": 0.0}]
)
def test_sources_keep_the_contract(dt_s, levels):
    excited = {"scale_pu": 0.7, **levels}
    assert list(check_component(MustTake, [SUN, WIND, REACTOR], dt_s=dt_s, levels=excited)) == []


def test_without_a_limit_all_that_is_available_is_delivered_and_falls_with_it():
    sun = MustTake([SUN])
    assert step(sun, 1.0, scale_pu=0.8)["p_mw"] == -80.0
    cloud = step(sun, 1.0, scale_pu=0.2)
    assert (cloud["p_mw"], cloud["p_curtailed_mw"]) == (-20.0, 0.0)
    clear = step(sun, 1.0, scale_pu=0.8)
    assert clear["p_delivered_mw"] == pytest.approx(20.0 + 0.5 * 10.0)  # 6 a minute: 10 MW/s
    assert clear["p_curtailed_mw"] == pytest.approx(55.0)


def test_a_reactor_follows_a_limit_at_its_ramp_down_to_its_lowest_power():
    reactor = MustTake([REACTOR])
    step(reactor, 60.0)
    powers = [step(reactor, 60.0, p_limit_mw=20.0) for _ in range(14)]
    ends = 80.0 - 4.0 * np.arange(1, 11)
    assert_allclose([row["p_delivered_mw"] for row in powers[:10]], ends + 2.0)
    assert_allclose([row["p_delivered_mw"] for row in powers[10:]], 40.0)
    assert_allclose([row["p_above_limit_mw"] for row in powers], [r["p_delivered_mw"] - 20.0 for r in powers])
    risen = [step(reactor, 60.0)["p_delivered_mw"] for _ in range(11)]
    assert_allclose(risen, [*(42.0 + 4.0 * np.arange(10)), 80.0])


def test_a_limit_by_event_holds_until_it_is_lifted():
    wind = MustTake([WIND])
    step(wind, 60.0)
    wind.command(60.0, 0, "limit", Limit(p_mw=10.0))
    limited = [step(wind, 60.0, p_limit_mw=30.0) for _ in range(2)]
    assert limited[1]["p_mw"] == -10.0
    wind.command(180.0, 0, "limit", Limit())
    assert [step(wind, 60.0, p_limit_mw=30.0)["p_mw"] for _ in range(2)][1] == -30.0


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 90.0), st.integers(1, 900), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([2, 5]),
    st.sampled_from([SUN, WIND, REACTOR.model_copy(update={"restart_s": 700.0})]),
)
def test_means_do_not_depend_on_the_step_and_nothing_is_made_of_nothing(history, parts, params):
    whole, split = MustTake([params]), MustTake([params])
    for scale_pu, limit_mw, dt_s, live in history:
        given_values = {"scale_pu": scale_pu, "p_limit_mw": limit_mw, "vm_pu": float(live)}
        expected = step(whole, float(dt_s), **given_values)
        got = [step(split, dt_s / parts, **given_values) for _ in range(parts)]
        for name in ("p_delivered_mw", "p_above_limit_mw", "p_auxiliary_mw"):
            assert np.mean([row[name] for row in got]) == pytest.approx(expected[name], rel=1e-9, abs=1e-9)
        assert -1e-12 <= expected["p_delivered_mw"] <= expected["p_available_mw"] + 1e-12
        over_mw = expected["p_delivered_mw"] - limit_mw
        assert expected["p_above_limit_mw"] >= over_mw - 1e-9


def test_without_voltage_a_source_trips_and_comes_back_after_its_restart():
    reactor = MustTake([REACTOR.model_copy(update={"restart_s": 600.0})])
    step(reactor, 60.0)
    dead = step(reactor, 60.0, vm_pu=0.0, q_order_mvar=5.0)
    assert (dead["p_mw"], dead["q_mvar"], dead["p_auxiliary_mw"], dead["state_code"]) == (0.0, 0.0, 0.0, 0.0)
    waiting = [step(reactor, 60.0) for _ in range(10)]
    assert {row["p_mw"] for row in waiting} == {4.0}
    assert step(reactor, 60.0)["p_delivered_mw"] == pytest.approx(40.0 + 2.0)


@pytest.mark.parametrize("scale_pu", [1.2, -0.1])
def test_more_than_all_and_less_than_nothing_are_refused_with_the_unit(scale_pu):
    sun = MustTake([SUN])
    sun.reset(Context(names=("roof",)))
    with pytest.raises(ScenarioError, match=f"roof: scale_pu = {scale_pu} at t_s = 30; .* relative_to: peak"):
        step(sun, 1.0, t_s=30.0, scale_pu=scale_pu)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"p_min_pu": 1.0}, "p_min_pu=1 puts the lowest power, 80 MW, not below p_rated_mw=80"),
        ({"s_rated_mva": 70.0}, "s_rated_mva=70 is less than p_rated_mw=80"),
        ({"ramp_up_pu_per_min": 0.0}, "greater than 0"),
        ({"kind": "tidal"}, "nuclear"),
    ],
)
def test_what_cannot_be_a_source_is_refused_with_numbers(changes, text):
    with pytest.raises(ValidationError, match=text):
        MustTakeParams(**{"kind": "nuclear", "p_rated_mw": 80.0, **changes})
