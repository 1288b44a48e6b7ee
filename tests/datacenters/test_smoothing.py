"""Power floor, ramp limits and capacitors of a hall: what is drawn is work, ballast and charge."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cosim.testing import check_component
from datacenters.hall import GpuHall, GpuHallParams
from datacenters.smoothing import HOUR_S, Capacitors, Smoothing

STEADY = {"like": "gb300_nvl72", "leak_pu": 0.0}  # leakage moves with dies, and power with it
SIZE = {"rack": STEADY, "racks_count": 100.0, "tau_power_s": 0.02}
RATED_MW, GPUS, IDLE_MW = 13.2, 7200.0, 2.64


def made(**smoothing):
    return GpuHall([GpuHallParams(**SIZE, smoothing=Smoothing(**smoothing))])


def run(hall, work_pu, dt_s, **levels):
    """Return the outputs of every exchange as arrays; the hall starts settled at the first work."""
    calm = {port.name: np.array([levels.get(port.name, port.default)]) for port in hall.inputs}
    rows = []
    for step, share in enumerate(work_pu):
        rows.append(hall.step(step * dt_s, dt_s, {**calm, "work_gpu": np.array([share * GPUS])}))
    return {name: np.array([row[name][0] for row in rows]) for name in rows[0]}


def wave(period_s, duty_pu, dt_s, cycles, low=0.0):
    one = np.where(np.arange(round(period_s / dt_s)) < round(duty_pu * period_s / dt_s), 1.0, low)
    return np.tile(one, cycles)


def test_the_contract_holds_with_everything_on():
    params = GpuHallParams(
        **{**SIZE, "rack": "gb300_nvl72", "tau_power_s": 0.2},  # longer than steps: a ramp is a staircase
        smoothing=Smoothing(
            floor_pu=0.5, ramp_up_pu_per_s=0.2, ramp_down_pu_per_s=0.1, capacitor_j_per_gpu=65.0
        ),
    )
    levels = {"work_gpu": 5000.0}
    assert list(check_component(GpuHall, [params], dt_s=0.1, levels=levels)) == []


def test_without_smoothing_nothing_is_ballast_and_nothing_is_stored():
    work = wave(1.0, 0.5, 0.05, 4)
    plain = run(GpuHall([GpuHallParams(**SIZE)]), work, 0.05)
    off = run(made(), work, 0.05)
    for name in plain:
        assert_allclose(plain[name], off[name], rtol=0, atol=0)
    assert not plain["ballast_mw"].any()
    assert not plain["capacitor_energy_mwh"].any()


def test_a_floor_holds_power_up_and_books_what_does_no_work():
    floored = run(made(floor_pu=0.6), wave(2.0, 0.5, 0.1, 5), 0.1)
    plain = run(made(), wave(2.0, 0.5, 0.1, 5), 0.1)
    low = np.arange(100) % 20 >= 15  # the lag of the electronics is over
    assert_allclose(floored["it_mw"][low], 0.6 * RATED_MW, rtol=1e-6)
    assert_allclose(floored["ballast_mw"][low], 0.6 * RATED_MW - IDLE_MW, rtol=1e-6)
    assert_allclose(floored["work_done_gpu"], plain["work_done_gpu"], rtol=1e-12)


def test_ballast_is_exactly_what_a_hall_draws_more():
    work = wave(3.0, 0.4, 0.05, 3)
    plain, smooth = run(made(), work, 0.05), run(made(floor_pu=0.7, ramp_down_pu_per_s=0.3), work, 0.05)
    assert smooth["ballast_mw"].max() > 0.3 * RATED_MW
    assert_allclose(smooth["it_mw"] - smooth["ballast_mw"], plain["it_mw"], rtol=1e-12)
    assert_allclose(smooth["ballast_mw"].sum(), (smooth["it_mw"] - plain["it_mw"]).sum(), rtol=1e-12)


@pytest.mark.parametrize("dt_s", [0.05, 1.0])
def test_power_falls_and_rises_no_faster_than_its_limits(dt_s):
    hall = made(ramp_up_pu_per_s=0.05, ramp_down_pu_per_s=0.02)
    steps = round(60.0 / dt_s)
    out = run(hall, np.repeat([0.0, 1.0, 0.0], [1, steps, steps]), dt_s)
    rate_pu_per_s = np.diff(out["it_mw"]) / dt_s / RATED_MW
    assert rate_pu_per_s.max() == pytest.approx(0.05, rel=1e-6)
    assert rate_pu_per_s.min() == pytest.approx(-0.02, rel=1e-6)
    full_s, idle_s = (1.0 - 0.2) / 0.05, (1.0 - 0.2) / 0.02
    assert (out["it_mw"] < 0.999 * RATED_MW)[: steps + 1].sum() * dt_s == pytest.approx(full_s, abs=2 * dt_s)
    assert (out["it_mw"] > 1.01 * IDLE_MW)[steps + 1 :].sum() * dt_s == pytest.approx(idle_s, abs=2 * dt_s)


def test_a_limited_rise_costs_work_and_a_limited_fall_costs_ballast():
    steps = 400
    out = run(made(ramp_up_pu_per_s=0.1), np.repeat([0.0, 1.0], [1, steps]), 0.05)
    # P = idle + span f^2.5 rises linearly in 8 s, work goes with f: mean of s^0.4 is 1/1.4
    lost_gpu_s = out["work_unserved_gpu"].sum() * 0.05
    assert lost_gpu_s == pytest.approx(GPUS * 8.0 * (1.0 - 1.0 / 1.4), rel=0.02)
    assert not out["ballast_mw"].any()
    out = run(made(ramp_down_pu_per_s=0.1), np.repeat([1.0, 0.0], [1, steps]), 0.05)
    assert out["ballast_mw"].sum() * 0.05 == pytest.approx(0.5 * 8.0 * 0.8 * RATED_MW, rel=0.02)
    assert not out["work_unserved_gpu"].any()


def test_ramps_converge_when_the_step_is_halved():
    ends = {}
    for dt_s in (0.2, 0.1, 0.05):
        repeats = round(4.0 / dt_s)
        work = np.repeat([0.2, 0.9, 0.3], repeats)
        out = run(made(ramp_up_pu_per_s=0.3, ramp_down_pu_per_s=0.2, floor_pu=0.4), work, dt_s)
        ends[dt_s] = out["it_mw"].reshape(-1, round(1.0 / dt_s)).mean(axis=1)
    coarse, fine = np.abs(ends[0.2] - ends[0.1]).max(), np.abs(ends[0.1] - ends[0.05]).max()
    assert fine < 0.65 * coarse  # first order: a ramp is a staircase of sub-steps
    assert fine < 0.03 * RATED_MW


def test_a_cap_bounds_ballast_too():
    hall = made(floor_pu=0.8)
    out = run(hall, [0.0] * 40, 0.1, cap_pu=0.5)
    assert out["it_mw"][-1] == pytest.approx(0.5 * RATED_MW, rel=1e-3)


def test_a_hall_in_the_dark_has_no_ballast_and_keeps_its_charge():
    hall = made(floor_pu=0.5, capacitor_j_per_gpu=65.0)
    before = run(hall, [0.5] * 5, 0.1)
    dark = run(hall, [0.5] * 5, 0.1, vm_pu=0.0)
    assert not dark["p_mw"].any()
    assert not dark["ballast_mw"].any()
    assert_allclose(dark["capacitor_energy_mwh"], before["capacitor_energy_mwh"][-1])


def test_a_hall_that_returns_from_the_dark_ramps_up_from_nothing():
    at_once = {"pumps_after_s": 0.0, "racks_after_s": 0.0, "racks_within_s": 0.0}
    ramped = Smoothing(ramp_up_pu_per_s=0.05)
    hall = GpuHall([GpuHallParams(**SIZE, smoothing=ramped, cooling={"limits": at_once})])
    run(hall, [0.5] * 3, 0.1)
    run(hall, [0.5] * 3, 0.1, vm_pu=0.0)
    out = run(hall, [0.5] * 300, 0.1)
    assert np.diff(out["it_mw"]).max() / 0.1 / RATED_MW == pytest.approx(0.05, rel=1e-6)
    below_idle = out["it_mw"] < IDLE_MW
    assert not out["work_done_gpu"][below_idle].any()
    assert out["work_done_gpu"][-1] == 0.5 * GPUS


@pytest.mark.parametrize(("tau_s", "duty_pu"), list(product([0.1, 0.5, 5.0], [0.3, 0.5])))
def test_the_charge_of_a_capacitor_moves_as_a_first_order_lag_says(tau_s, duty_pu):
    period_s, swing_mw, dt_s = 0.5, 4.0, 0.01
    bank = Capacitors([Smoothing(capacitor_j_per_gpu=1e6, capacitor_tau_s=tau_s)], np.array([100.0]))
    cycles = round(20.0 * max(1.0, tau_s / period_s))
    charge = []
    for share in wave(period_s, duty_pu, dt_s, cycles):
        bank.charge(np.array([3.0 + swing_mw * share]), np.array([True]), dt_s)
        charge.append(bank.energy_mwh[0] * HOUR_S)
    last = np.array(charge[-round(period_s / dt_s) :])
    # periodic state of a first-order lag behind a square wave, in closed form
    high, low = duty_pu * period_s / tau_s, (1.0 - duty_pu) * period_s / tau_s
    ripple_mw = swing_mw * (1 - np.exp(-high)) * (1 - np.exp(-low)) / (1 - np.exp(-high - low))
    assert np.ptp(last) == pytest.approx(tau_s * ripple_mw, rel=1e-6)


def test_capacitors_give_back_what_they_take_and_never_more_than_they_hold():
    out = run(made(capacitor_j_per_gpu=65.0), wave(4.0, 0.5, 0.05, 5), 0.05)
    full_mwh = 65.0 * GPUS / 1e6 / HOUR_S
    stored = out["capacitor_energy_mwh"]
    assert stored.min() >= 0.0
    assert stored.max() <= full_mwh
    moved_mwh = np.cumsum(out["capacitor_mw"]) * 0.05 / HOUR_S
    assert_allclose(stored, full_mwh + moved_mwh, atol=1e-12)
    assert stored.min() < 0.01 * full_mwh  # a wave of 4 s empties them


def test_what_is_no_smoothing_is_refused():
    with pytest.raises(ValueError, match=r"less than or equal to 0\.9"):
        Smoothing(floor_pu=1.2)
    with pytest.raises(ValueError, match="greater than 0"):
        Smoothing(ramp_up_pu_per_s=0.0)
