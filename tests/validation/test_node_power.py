"""Power of a measured node, and what power caps cost, against published measurements.

Node: 8 x H100 HGX, nameplate 10.2 kW: at most 8.4-8.48 kW (arXiv 2412.08602). Heavy training draws 76 % of
the nameplate, and the best published model is off by 11.4 % in the mean of absolute errors (arXiv
2506.14551): relative, 67.3 to 84.7 %. That is no bound of what nodes do; no model is expected to be nearer.
Caps: llmgarage.ai 2026-02 (RTX 3090, prefill), inventivehq.com (RTX 5060 Ti, decode), factryze.ai (H100,
inference; secondary), arXiv 2605.11999 (H200, decode).
"""

import numpy as np
import pytest

from cosim.core.component import Context
from cosim.core.streams import Streams
from datacenters.gpu import H100_NODE
from datacenters.hall import GpuHall, GpuHallParams
from datacenters.training import Training, TrainingParams

NAMEPLATE_KW, NODES = 10.2, 400.0
H100 = GpuHallParams(rack="h100_hgx_air", racks_count=NODES / 4.0)


def calm(hall, **levels):
    return {port.name: np.array([levels.get(port.name, port.default)]) for port in hall.inputs}


def at_rest(params, **levels):
    hall = GpuHall([params])
    return hall.step(0.0, 1.0, calm(hall, **levels))


def done_pu(idle_pu, memory_bound_pu, cap_pu):
    """Return work done under a cap, of that without, by a hall that has nothing but accelerators."""
    own = {"like": "h100_hgx_air", "leak_pu": 0.0, "idle_pu": idle_pu}
    params = GpuHallParams(rack=own, racks_count=100.0, memory_bound_pu=memory_bound_pu)
    gpus = params.size().gpus_count
    return at_rest(params, work_gpu=gpus, cap_pu=cap_pu)["work_done_gpu"][0] / gpus


def test_a_node_draws_at_most_what_was_measured():
    full = at_rest(H100, work_gpu=NODES * 8.0, temp_outdoor_degc=20.0)
    assert 8.4 <= full["it_mw"][0] * 1e3 / NODES <= 8.48


def test_the_parts_of_a_node_draw_at_most_what_was_measured():
    assert 8.4 <= H100_NODE.p_kw(1.0, 1.0) <= 8.48


def test_heavy_training_draws_its_published_share_of_the_nameplate():
    hall = GpuHall([H100])
    job = Training([TrainingParams(gpus_count=NODES * 8.0)])  # duty and low level as shipped, nothing fitted
    job.reset(Context(streams=Streams(1), names=("job",)))
    drawn_kw = []
    for n in range(1200):
        work = job.step(0.1 * n, 0.1, {})["work_gpu"][0]
        drawn_kw.append(hall.step(0.1 * n, 0.1, calm(hall, work_gpu=work))["it_mw"][0] * 1e3 / NODES)
    mean_pu = float(np.mean(drawn_kw)) / NAMEPLATE_KW
    assert mean_pu == pytest.approx(0.76, rel=0.114)  # 0.673 to 0.847; the model has 0.695
    assert max(drawn_kw) <= 8.48


@pytest.mark.parametrize(("cap_w", "tokens_per_s"), [(300, 9326), (250, 8436)])
def test_prefill_under_a_cap_slows_as_measured(cap_w, tokens_per_s):
    measured = tokens_per_s / 9893  # at 350 W
    assert done_pu(30 / 350, 0.0, cap_w / 350) == pytest.approx(measured, abs=0.02)  # idle 30 W (unconfirmed)


def test_far_below_the_range_of_validity_real_work_slows_more_than_the_model():
    # 200 of 350 W, prefill: 0.60 measured; the exponent of power over clock falls near the lowest voltage
    assert done_pu(30 / 350, 0.0, 200 / 350) > 5941 / 9893 + 0.1


@pytest.mark.parametrize(("drawn_w", "tokens_per_s"), [(159.3, 81.4), (147.2, 80.4)])
def test_decode_bound_by_memory_loses_a_percent_at_most(drawn_w, tokens_per_s):
    # memory share fitted to the lower cap; the other one is told within the scatter of the measurement
    assert done_pu(0.1, 0.865, drawn_w / 172.7) == pytest.approx(tokens_per_s / 81.2, abs=0.01)


def test_inference_at_600_of_700_watt_loses_5_to_8_percent():
    assert 0.92 <= done_pu(0.2, 0.3, 600 / 700) <= 0.95


def test_no_cap_above_its_draw_touches_decode():
    # 300 of 700 W each, 75 W idle (unconfirmed): 0.36 of the dynamic power; capped at 300 W beside the hosts
    intensity_pu, cap_pu = 225.0 / 625.0, (8 * 0.3 + 8.475 - 5.6) / 8.475
    params = H100.model_copy(update={"work_intensity_pu": intensity_pu})
    free, capped, less = (at_rest(params, work_gpu=NODES * 8.0, cap_pu=cap) for cap in (1.0, cap_pu, 0.4))
    assert free["it_mw"][0] * 1e3 / NODES < cap_pu * 8.475
    assert capped["it_mw"] == free["it_mw"]
    assert capped["work_done_gpu"] == free["work_done_gpu"]
    assert less["work_done_gpu"] < free["work_done_gpu"]
