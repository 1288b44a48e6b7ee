"""Power of inference over the batch, against published measurements.

Curves: GPU-to-Grid (arXiv 2602.05116), fits of ML.ENERGY measurements on H100 (openg2g@64578d3). Trace of
the same repository: four H100 with Llama 3.1 70B at batch 128. Anchors of ML.ENERGY v3.0 (arXiv 2601.22076):
about 300 W at batch 1, 600 W at 128, of 700 W. Decode alone, H200: 137 to 300 W of 700 W (arXiv 2605.11999).
"""

import pytest

from datacenters.data import table
from datacenters.inference import Curve, server

MEASURED = [name for name, row in table("inference_models").items() if row["status"] == "published (fit)"]


def per_gpu_w(name, batch):
    known = server(name)
    return known.power_w.at(batch) / known.gpus_count


def test_a_server_at_batch_128_draws_what_its_trace_does():
    assert server("llama31_70b").power_w.at(128.0) == pytest.approx(
        2150.0, rel=0.05
    )  # median of 10 Hz samples


@pytest.mark.parametrize("name", MEASURED)
def test_no_accelerator_draws_more_than_its_board_or_less_than_decode_alone(name):
    known = server(name)
    assert 137.0 < per_gpu_w(name, known.batch_min_count) < per_gpu_w(name, known.batch_most_count) < 700.0


def test_the_form_with_the_published_ends_meets_both_anchors():
    # 300 and 600 W as asymptotes, steepness 1 and middle 4.2 as published (secondary)
    curve = Curve(300.0, 300.0, 1.0, 4.2)
    assert curve.at(1.0) == pytest.approx(300.0, rel=0.03)
    assert curve.at(128.0) == pytest.approx(600.0, rel=0.03)


@pytest.mark.parametrize("batch", [1.0, 32.0, 2048.0])
def test_decode_alone_stays_within_a_fifth_and_two_fifths_of_board_power(batch):
    assert 0.19 <= per_gpu_w("llama31_70b_apart", batch) / 700.0 <= 0.45


@pytest.mark.parametrize("name", MEASURED)
def test_larger_batches_write_more_for_the_same_energy(name):
    known = server(name)
    batches = [8.0 * 2.0**n for n in range(7)]
    joule = [known.power_w.at(b) / known.tokens(b) for b in batches]
    assert joule == sorted(joule, reverse=True)
