"""A hall and its job together: the books of both apart, at any exchange, and the pulse handed on."""

import numpy as np
import pytest
from pydantic import ValidationError

from cosim.core.component import Context, DeviceOffer
from cosim.core.streams import Streams
from cosim.testing import check_component
from datacenters.hall import GpuHall, GpuHallParams
from datacenters.training import Stop, Training, TrainingParams
from datacenters.training_hall import TrainingHall, TrainingHallParams

HALL = {"rack": "gb300_nvl72", "racks_count": 100.0, "tau_power_s": 0.1}
JOB = {"gpus_count": 7200.0, "period_s": 2.0, "jitter_pu": 0.0}


def made(job=None, **hall):
    halls = TrainingHall([TrainingHallParams(**HALL, **hall, job=TrainingParams(**{**JOB, **(job or {})}))])
    halls.reset(Context(streams=Streams(3), names=("hall",)))
    return halls


def played(halls, dt_s, until_s, from_s=0.0):
    calm = {port.name: np.array([port.default]) for port in halls.inputs}
    times = from_s + dt_s * np.arange(round((until_s - from_s) / dt_s))
    rows = [halls.step(t, dt_s, calm) for t in times]
    return {name: np.array([row[name][0] for row in rows]) for name in rows[0]}


def test_the_contract_holds():
    job = TrainingParams(**JOB)
    floor = {"floor_pu": 0.7, "capacitor_j_per_gpu": 65.0}
    halls = [
        TrainingHallParams(**HALL, job=job),
        TrainingHallParams(**HALL, job=job.model_copy(update={"jitter_pu": 0.03}), smoothing=floor),
    ]
    # a job pulses: halving the exchange and a flat start are for halls whose job computes all the time
    found = list(check_component(TrainingHall, halls, dt_s=1.0, levels={"temp_outdoor_degc": 15.0}))
    assert [text for text in found if "balance" in text or "port" in text or "reset" in text] == []
    flat = [TrainingHallParams(**HALL, job=job.model_copy(update={"duty_pu": 1.0}))]
    assert [text for text in check_component(TrainingHall, flat, dt_s=1.0) if "halving" not in text] == []


def test_a_hall_with_its_job_draws_what_both_draw_apart():
    hall, job = GpuHall([GpuHallParams(**HALL)]), Training([TrainingParams(**JOB)])
    calm = {port.name: np.array([port.default]) for port in hall.inputs}
    apart = []
    for n in range(400):
        work = job.step(0.05 * n, 0.05, {})["work_gpu"]
        apart.append(hall.step(0.05 * n, 0.05, {**calm, "work_gpu": work})["p_mw"][0])
    assert played(made(), 0.05, 20.0)["p_mw"] == pytest.approx(np.array(apart), rel=1e-12)


@pytest.mark.parametrize("smoothing", [{"floor_pu": 0.8}, {"ramp_down_pu_per_s": 0.5}, {"floor_pu": 0.3}])
def test_a_floor_acts_on_the_pulses_however_long_the_exchange(smoothing):
    fine, coarse = (played(made(smoothing=smoothing), dt_s, 40.0) for dt_s in (0.05, 1.0))
    for name in ("it_mw", "ballast_mw", "p_mw", "work_done_gpu"):
        assert coarse[name].mean() == pytest.approx(fine[name].mean(), rel=1e-6)
    assert smoothing == {"floor_pu": 0.3} or coarse["ballast_mw"].mean() > 0.1


def test_the_pulse_it_hands_on_has_the_mean_of_its_racks():
    out = played(made(smoothing={"floor_pu": 0.6}), 0.5, 60.0)
    late = slice(20, None)
    assert out["wave_mean_mw"][late].mean() == pytest.approx(out["it_mw"][late].mean(), rel=0.01)
    assert out["wave_high_mw"].max() == pytest.approx(13.2)
    assert out["wave_low_mw"].min() == pytest.approx(0.6 * 13.2)
    assert out["wave_high_s"][0] == pytest.approx(1.4)
    assert out["wave_since_s"][:5] == pytest.approx([0.0, 0.5, 1.0, 1.5, 0.0], abs=1e-9)


def test_a_job_that_stops_pulses_no_more():
    halls = made()
    played(halls, 1.0, 5.0)
    halls.command(5.0, 0, "stop", Stop())
    out = played(halls, 1.0, 8.0, from_s=5.0)
    assert (out["wave_low_mw"] == out["wave_high_mw"]).all()
    assert out["it_mw"][-1] < 0.25 * 13.2


def test_it_hands_over_a_load_that_pulses():
    plain, supplied = (made(**hall).devices()[0] for hall in ({}, {"ups": {}}))
    for offer in (plain, supplied):
        assert isinstance(offer, DeviceOffer)
        assert "pulse" in offer.models
        assert offer.inputs["order_mw"].signal == "p_order_pu"
    assert plain.models["electronic_load"]["vcease_pu"] == 0.0
    assert supplied.reports


def test_groups_of_a_supply_share_the_pulse_and_the_mechanical_feed_has_none():
    offer = made(ups={"groups_count": 4}, mechanical_feed={}).devices()[0]
    groups = [part for part in offer.parts if "pulse" in part.models]
    assert len(groups) == 4
    assert [part.name for part in offer.parts if part not in groups] == ["plant"]
    for part in groups:
        assert part.inputs["wave_low_mw"].base == pytest.approx(4.0)
        assert part.inputs["order_racks_mw"].signal == "p_order_pu"


@pytest.mark.parametrize(
    ("job", "text"),
    [({"gpus_count": 9000.0}, "9000 is more than the hall has: 7200"), ({"runs_on": "x"}, "leave it out")],
)
def test_a_job_that_does_not_fit_is_refused_with_its_numbers(job, text):
    with pytest.raises(ValidationError, match=text):
        TrainingHallParams(**HALL, job={**JOB, **job})
