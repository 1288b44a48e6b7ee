"""Inference fleets: every request is read, written and answered; power follows the batch."""

import numpy as np
import pytest
from pydantic import ValidationError

from cosim.core.component import Context
from cosim.core.streams import Streams
from cosim.testing import check_component
from datacenters.demand import Demand, DemandParams
from datacenters.hall import GpuHall, GpuHallParams
from datacenters.inference import FULL_KW, IDLE_KW, Inference, InferenceParams, server

APART = {"model": "llama31_70b_apart", "servers_count": 20.0, "prefill_gpu": 30.0}


def served(params, requests_per_s, dt_s=1.0):
    """Return outputs over time for a series of requests a second."""
    fleet = Inference([params])
    rows = [
        fleet.step(n * dt_s, dt_s, {"requests_per_s": np.array([r])}) for n, r in enumerate(requests_per_s)
    ]
    return {name: np.array([row[name][0] for row in rows]) for name in rows[0]}


def test_the_contract_holds():
    fleets = [InferenceParams(servers_count=10.0), InferenceParams(**APART)]
    assert list(check_component(Inference, fleets, dt_s=10.0, levels={"requests_per_s": 20.0})) == []


def test_as_much_is_written_as_is_asked_for_and_the_batch_is_that_of_the_curve():
    out = served(InferenceParams(servers_count=10.0), [60.0] * 60)
    assert out["tokens_per_s"] == pytest.approx(60.0 * 211.0, rel=1e-6)
    batch = out["batch_count"][-1]
    assert 10.0 * server("llama31_70b").tokens(batch) == pytest.approx(60.0 * 211.0, rel=1e-6)
    assert out["work_gpu"][-1] == pytest.approx(10.0 * server("llama31_70b").dynamic_gpu(batch), rel=1e-6)


@pytest.mark.parametrize("params", [{"servers_count": 20.0}, APART])
def test_no_request_is_lost(params):
    rng = np.random.default_rng(1)
    arriving = rng.gamma(2.0, 40.0, 600)
    out = served(InferenceParams(**params), arriving)
    kept = out["running_count"] + out["waiting_count"]
    flows = np.cumsum(arriving - out["answers_per_s"])
    assert kept[1:] - kept[0] == pytest.approx(flows[1:] - flows[0], rel=1e-9, abs=1e-6)


def test_a_fleet_that_is_too_small_makes_requests_wait_and_draws_all_it_can():
    params = InferenceParams(servers_count=5.0, batch_most_count=64.0)
    out = served(params, [100.0] * 300)
    assert np.diff(out["waiting_count"])[-1] > 0.0
    assert out["batch_count"][-1] == 64.0
    assert out["work_gpu"][-1] == pytest.approx(5.0 * server("llama31_70b").dynamic_gpu(64.0))


def test_reading_draws_full_power_and_waits_for_its_accelerators():
    calm = served(InferenceParams(**APART), [40.0] * 30)
    assert calm["reading_gpu"][-1] == pytest.approx(40.0 * 1155.0 / 2800.0)
    flood = served(InferenceParams(**APART), [40.0] * 10 + [200.0] * 10)
    assert flood["reading_gpu"][-1] == pytest.approx(30.0)
    assert flood["waiting_count"][-1] == pytest.approx(10.0 * (200.0 - 30.0 * 2800.0 / 1155.0), rel=1e-6)


@pytest.mark.parametrize("dt_s", [0.5, 10.0])
def test_the_step_hardly_matters(dt_s):
    params = InferenceParams(servers_count=10.0)
    wave = np.repeat([30.0, 90.0, 30.0], 40)
    fine = served(params, wave)["work_gpu"]
    repeats = np.repeat(wave, 2) if dt_s < 1.0 else wave[:: int(dt_s)]
    other = served(params, repeats, dt_s)["work_gpu"]
    assert other.mean() == pytest.approx(fine.mean(), rel=1e-4)


def test_a_hall_draws_what_reading_and_writing_draw_together():
    gpus = 20.0 * 4.0 + 30.0
    own = {"like": "h100_hgx_air", "gpus_count": 10, "full_load_kw": 10 * FULL_KW, "leak_pu": 0.0}
    own |= {"idle_pu": IDLE_KW / FULL_KW, "gpu_heat_pu": 0.9}
    hall = GpuHall([GpuHallParams(rack=own, gpus_count=gpus)])
    out = served(InferenceParams(**APART), [50.0] * 5)
    calm = {port.name: np.array([port.default]) for port in hall.inputs}
    it_mw = hall.step(0.0, 1.0, {**calm, "work_gpu": out["work_gpu"][-1:]})["it_mw"][0]
    writing_mw = 20.0 * server("llama31_70b_apart").power_w.at(out["batch_count"][-1]) / 1e6
    reading = out["reading_gpu"][-1]
    reading_mw = (reading * FULL_KW + (30.0 - reading) * IDLE_KW) / 1e3
    assert it_mw == pytest.approx(writing_mw + reading_mw, rel=1e-6)


def test_requests_of_a_demand_with_bursts_make_power_that_bursts_less():
    demand = Demand([DemandParams(service="code", mean_gpu=1.0, services_count=20)])
    demand.reset(Context(streams=Streams(4), names=("code",)))
    arriving = np.array([demand.step(float(n), 1.0, {})["requests_per_s"][0] for n in range(1200)])
    fleet = InferenceParams(servers_count=4.0, context_tokens_count=2048.0, generated_tokens_count=28.0)
    out = served(fleet, arriving)
    assert out["answers_per_s"].mean() == pytest.approx(arriving.mean(), rel=0.01)
    assert np.std(out["work_gpu"]) / out["work_gpu"].mean() < np.std(arriving) / arriving.mean()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"model": "llama"}, "'llama' is not in the table: llama31_8b"),
        ({"prefill_gpu": 5.0}, "prefill_gpu=5: model llama31_70b reads within its servers"),
        ({"model": "llama31_70b_apart"}, "prefill_gpu=0: .* needs accelerators that read"),
    ],
)
def test_what_cannot_be_a_fleet_is_refused(given, text):
    with pytest.raises(ValidationError, match=text):
        InferenceParams(servers_count=1.0, **given)
