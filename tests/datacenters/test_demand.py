"""Demand: one realisation for every step length, independent streams, spikes of known size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pydantic import ValidationError

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.core.streams import Streams
from cosim.testing import check_component
from datacenters.demand import Demand, DemandParams, Spike
from datacenters.requests import Modulation


def demand(*params, seed=1, names=None, emit=None):
    unit = Demand([DemandParams(**p) for p in params])
    names = names or tuple(f"chat{i}" for i in range(len(params)))
    extra = {} if emit is None else {"emit": emit}
    unit.reset(Context(streams=Streams(seed), names=names, **extra))
    return unit


def series(unit, steps_s, orders=()):
    """Return outputs over `steps_s` from 0, of shape (steps, units), with (at_s, Spike) orders."""
    t_s, rows, waiting = 0.0, [], list(orders)
    for dt_s in steps_s:
        while waiting and waiting[0][0] <= t_s:
            unit.command(t_s, 0, "spike", waiting.pop(0)[1])
        rows.append(unit.step(t_s, dt_s, {}))
        t_s += dt_s
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


CHAT = {"service": "conversation", "mean_gpu": 1000.0}
CODE = {"service": "code", "mean_gpu": 200.0}


def test_demand_keeps_the_contract():
    units = [DemandParams(**CHAT), DemandParams(**CODE), DemandParams(service="steady", mean_gpu=5.0)]
    assert list(check_component(Demand, units, dt_s=10.0)) == []


def test_steps_of_a_minute_and_of_a_second_see_the_same_requests():
    minutes, seconds = (series(demand(CHAT, CODE), [dt_s] * int(1800 / dt_s)) for dt_s in (60.0, 1.0))
    for name, values in minutes.items():
        assert_allclose(seconds[name].reshape(30, 60, 2).mean(axis=1), values, rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(
    steps=st.lists(st.sampled_from([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 60.0, 100.0]), min_size=1, max_size=30)
)
def test_any_steps_sum_to_one_long_step(steps):
    parts = series(demand(CHAT), steps)
    whole = series(demand(CHAT), [sum(steps)])
    for name in parts:
        total = np.sum(parts[name][:, 0] * steps)
        assert total == pytest.approx(whole[name][0, 0] * sum(steps), rel=1e-9, abs=1e-6)


def test_seconds_cut_into_tenths_by_rounded_instants_lose_nothing():
    # 0.1 has no exact float: instants as the clock hands them over, i / 10
    unit = demand(CHAT)
    fine = [unit.step(i / 10, (i + 1) / 10 - i / 10, {})["work_gpu"][0] for i in range(3000)]
    coarse = series(demand(CHAT), [1.0] * 300)["work_gpu"][:, 0]
    assert_allclose(np.reshape(fine, (300, 10)).mean(axis=1), coarse, rtol=1e-9)


def test_a_seed_gives_one_series_another_seed_another():
    first, again = (series(demand(CHAT, seed=7), [10.0] * 30)["work_gpu"] for _ in range(2))
    other = series(demand(CHAT, seed=8), [10.0] * 30)["work_gpu"]
    assert np.array_equal(first, again)
    assert not np.any(first == other)


def test_units_are_independent_and_named_not_numbered():
    pair = series(demand(CHAT, CHAT, names=("east", "west")), [60.0] * 400)["work_gpu"]
    # 400 correlated minutes of independent series: |r| beyond 0.3 would be three standard errors
    assert abs(np.corrcoef(pair.T)[0, 1]) < 0.3
    alone = series(demand(CHAT, names=("west",)), [60.0] * 400)["work_gpu"]
    assert np.array_equal(alone[:, 0], pair[:, 1])


@pytest.mark.parametrize("service", ["conversation", "code"])
def test_work_averages_what_was_asked_for(service):
    unit = demand({"service": service, "mean_gpu": 100.0})
    # a day of code holds about 660 bursts that vary by a third: the mean is known within 3 %
    assert unit.step(0.0, 86_400.0, {})["work_gpu"][0] == pytest.approx(100.0, rel=0.06)


def test_many_services_are_smoother_by_the_square_root_of_their_number():
    one, many = (
        series(demand({**CODE, "services_count": n}), [60.0] * 600)["work_gpu"].std() for n in (1, 100)
    )
    assert one / many == pytest.approx(10.0, rel=0.3)  # a spread of correlated samples, within 30 %


def test_code_needs_hundreds_of_services_to_stay_within_a_tenth():
    # Fano 160 at one minute: a standard deviation of one service's minute is as large as its mean
    work = series(demand({**CODE, "services_count": 100}), [60.0] * 600)["work_gpu"] / 200.0
    assert 0.05 < work.std() < 0.2


def test_steady_demand_is_flat():
    out = series(demand({"service": "steady", "mean_gpu": 300.0}), [1.0, 60.0, 0.1])
    assert np.all(out["work_gpu"] == 300.0)


def test_a_spike_has_the_height_and_the_area_of_its_order():
    spike = Spike(factor_pu=4.2, ramp_s=60.0, hold_s=600.0)
    told: list = []
    unit = demand({"service": "steady", "mean_gpu": 100.0}, emit=lambda *event: told.append(event))
    work = series(unit, [1.0] * 1200, [(120.0, spike)])["work_gpu"][:, 0]
    assert work[119] == 100.0
    assert_allclose(work[180:780], 420.0, rtol=1e-12)
    assert work[1000] == 100.0
    # each half-cosine ramp is worth half its length
    assert np.sum(work - 100.0) == pytest.approx(320.0 * (600.0 + 60.0), rel=1e-9)
    assert np.max(np.abs(np.diff(work))) < 320.0 * np.pi / 2 / 60.0  # steepest slope of the half cosine
    assert told[0][:3] == (120.0, "chat0", "spike")


def test_a_spike_is_the_same_in_long_steps_and_leaves_the_noise_alone():
    orders = [(60.0, Spike(factor_pu=3.0, ramp_s=30.0, hold_s=100.0))]
    long, short = (series(demand(CHAT), [dt_s] * int(600 / dt_s), orders) for dt_s in (60.0, 1.0))
    calm = series(demand(CHAT), [60.0] * 10)
    assert_allclose(short["work_gpu"].reshape(10, 60).mean(axis=1), long["work_gpu"][:, 0], rtol=1e-9)
    extra = (long["work_gpu"] - calm["work_gpu"])[:, 0] * 60.0
    assert extra.sum() == pytest.approx(2000.0 * 130.0, rel=1e-9)
    more = (long["requests_per_s"] - calm["requests_per_s"])[:, 0] * 60.0
    assert more.sum() == pytest.approx(2.0 * 5.53 * 130.0, rel=1e-9)


def test_spikes_add_up():
    orders = [
        (0.0, Spike(factor_pu=2.0, ramp_s=0.0, hold_s=60.0)),
        (30.0, Spike(factor_pu=3.0, ramp_s=0.0, hold_s=60.0)),
    ]
    work = series(demand({"service": "steady", "mean_gpu": 10.0}), [30.0] * 4, orders)["work_gpu"][:, 0]
    assert_allclose(work, [20.0, 40.0, 30.0, 10.0], rtol=1e-12)


def test_reset_forgets_spikes():
    unit = demand({"service": "steady", "mean_gpu": 10.0})
    unit.command(0.0, 0, "spike", Spike(factor_pu=2.0))
    unit.reset(Context())
    assert unit.step(0.0, 600.0, {})["work_gpu"][0] == 10.0


def trace(folder, text):
    file = folder / "mine.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_trace_is_scaled_to_its_mean_or_taken_in_gpus(tmp_path):
    file = trace(tmp_path, "t_s,requests,busy_gpu\n0,10,40\n60,30,80\n")
    scaled = demand({"trace": file, "value_column": "requests", "mean_gpu": 500.0})
    taken = demand({"trace": file, "value_column": "busy_gpu"})
    assert_allclose(series(scaled, [60.0, 60.0])["work_gpu"][:, 0], [250.0, 750.0])
    assert_allclose(series(taken, [60.0, 60.0])["work_gpu"][:, 0], [40.0, 80.0])


def test_a_trace_that_ends_too_early_or_is_negative_is_refused(tmp_path):
    unit = demand({"trace": trace(tmp_path, "t_s,work_pu\n0,1\n60,2\n"), "mean_gpu": 5.0})
    assert "covers t_s = 0 to 120" in unit.uncovered(600.0)[0]
    with pytest.raises(ScenarioError, match="covers t_s = 0 to 120, but the run needs 120 to 180"):
        series(unit, [60.0] * 3)
    with pytest.raises(ScenarioError, match="must not be negative, but row 2 holds -2"):
        demand({"trace": trace(tmp_path, "t_s,work_pu\n0,1\n60,-2\n"), "mean_gpu": 5.0})


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"service": "conversation"}, "give `mean_gpu`"),
        ({"service": "custom", "mean_gpu": 1.0}, "a custom service needs it"),
        (
            {"mean_gpu": 1.0, "modulation": Modulation(rate_per_s=1.0)},
            "`modulation` belongs to service `custom`",
        ),
        ({"mean_gpu": -1.0}, "greater than 0"),
    ],
)
def test_incomplete_parameters_are_refused(params, says):
    with pytest.raises(ValidationError, match=says):
        DemandParams(**params)
