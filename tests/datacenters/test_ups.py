"""A hall behind an uninterruptible supply: carried by batteries, recharged, dark when they are empty."""

import numpy as np
import pytest

from cosim.core.component import Context
from cosim.testing import check_component
from datacenters.feeds import MechanicalFeed
from datacenters.hall import GpuHall, GpuHallParams
from datacenters.psu import Psu, RackBattery
from datacenters.ups import ResetUps, Ups

HALL = GpuHallParams(rack="gb200_nvl72", it_rated_mw=100.0, ups=Ups(battery_min=2.0))
CALM = {port.name: np.array([port.default]) for port in GpuHall.inputs}
WORK = {**CALM, "work_gpu": np.array([40_000.0]), "temp_outdoor_degc": np.array([15.0])}


def stepped(hall, t_s, connected, dt_s=1.0, vm=1.0):
    inputs = {**WORK, "cooling_pu": np.ones(1), "f_hz": np.full(1, 50.0), "vm_pu": np.array([vm])}
    return {
        name: value[0]
        for name, value in hall.step(t_s, dt_s, {**inputs, "connected_pu": np.array([connected])}).items()
    }


def test_the_contract_holds():
    eco = Ups(mode="eco", groups_count=3, shave_above_pu=0.5)
    kinds = ({}, {"psu": Psu()}, {"psu": Psu(battery=RackBattery())}, {"ups": eco})
    halls = [HALL, *(GpuHallParams(it_rated_mw=50.0, mechanical_feed=MechanicalFeed(), **k) for k in kinds)]
    assert list(check_component(GpuHall, halls, dt_s=1.0)) == []


def test_a_hall_computes_on_while_its_batteries_carry_it():
    hall = GpuHall([HALL])
    before = stepped(hall, 0.0, 1.0)
    away = stepped(hall, 1.0, 0.0)
    half = stepped(hall, 2.0, 0.5)
    assert (away["p_mw"], away["work_done_gpu"]) == (0.0, pytest.approx(before["work_done_gpu"]))
    assert away["order_mw"] == pytest.approx(before["p_mw"])
    assert half["p_mw"] == pytest.approx(0.5 * half["order_mw"])
    assert before["ups_energy_mwh"] - away["ups_energy_mwh"] == pytest.approx(away["order_mw"] / 3600.0)


def test_batteries_carry_the_rated_hall_for_their_time_and_then_it_is_dark():
    hall = GpuHall([HALL])
    done = [stepped(hall, float(t), 1.0 if t < 5 else 0.0)["work_done_gpu"] for t in range(300)]
    dark_s = next(t for t, work in enumerate(done) if t > 5 and work == 0.0) - 5
    used_mwh = 100.0 * 2.0 / 60.0
    assert dark_s == pytest.approx(used_mwh * 3600.0 / stepped(GpuHall([HALL]), 0.0, 1.0)["p_mw"], abs=2.0)


def test_an_island_without_source_is_carried_too_and_recharged_afterwards():
    hall = GpuHall([HALL])
    stepped(hall, 0.0, 1.0)
    gone = stepped(hall, 1.0, 1.0, dt_s=30.0, vm=0.0)
    assert (gone["p_mw"], gone["work_done_gpu"] > 0.0) == (0.0, True)
    back = stepped(hall, 31.0, 1.0)
    assert back["ups_mw"] == pytest.approx(-10.0 * 0.95)
    assert back["p_mw"] == pytest.approx(back["it_mw"] + back["cooling_mw"] + back["loss_mw"] + 9.5)
    for t in range(32, 2000):
        back = stepped(hall, float(t), 1.0)
    assert back["ups_energy_mwh"] == pytest.approx(100.0 * 2.0 / 60.0)
    assert back["ups_mw"] == pytest.approx(0.0, abs=1e-9)


def test_a_reset_by_hand_lasts_one_exchange_and_needs_a_supply():
    hall = GpuHall([HALL, HALL.model_copy(update={"ups": None})])
    told = []
    hall.reset(Context(names=("a", "b"), emit=lambda *event: told.append(event[1:3])))
    assert hall.refusal(1, ResetUps()) == "it has no ups"
    assert hall.refusal(0, ResetUps()) is None
    hall.command(0.0, 0, "reset_ups", ResetUps())
    inputs = {name: np.repeat(value, 2) for name, value in WORK.items()}
    rest = {
        "cooling_pu": np.ones(2),
        "vm_pu": np.ones(2),
        "connected_pu": np.ones(2),
        "f_hz": np.full(2, 50.0),
    }
    codes = [hall.step(float(t), 1.0, {**inputs, **rest})["ups_reset_code"].tolist() for t in range(2)]
    assert codes == [[1.0, 0.0], [0.0, 0.0]]
    assert told == [("a", "reset_ups")]


def test_the_grid_gets_an_electronic_load_with_the_thresholds_of_the_supply():
    with_ups, without = GpuHall([HALL, HALL.model_copy(update={"ups": None})]).devices()
    assert without is None
    assert with_ups.models["electronic_load"]["nmax_count"] == 3
    assert with_ups.models["electronic_load"]["rrecon_pu_per_s"] == pytest.approx(1.0 / 15.0)
    assert set(with_ups.inputs) <= {port.name for port in GpuHall.outputs}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"transfer_low_pu": 0.92}, "transfer_low_pu=0.92 is above good_low_pu=0.9"),
        ({"transfer_low_pu": 0.9}, "transfer_low_pu=0.9 is not below good_low_pu"),
        ({"good_high_pu": 1.3}, "good_high_pu=1.3 is above transfer_high_pu=1.2"),
    ],
)
def test_thresholds_between_which_a_hall_could_not_rest_are_refused_in_their_own_words(given, says):
    with pytest.raises(ValueError, match=says):
        Ups(**given)
