"""What answers without a rotating machine: converters with a droop, relays that switch once."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose

from grids.case import load_case
from grids.fleet import GOVERNORS, AreaTable, Fleet, areas_from_case, fleet_from_case, offers_from_devices
from grids.frequency import AreaFrequency

NONE = np.zeros(0)
NOBODY = offers_from_devices([], np.zeros(0, dtype=np.int64))


def beside_anhui(**row) -> tuple[Fleet, AreaTable]:
    """Machines of the Anhui case and its rest, with one more row of the rest; no AGC."""
    case = load_case("anhui")
    rest = case.net["rest_fleet"]
    rest.loc[len(rest)] = {"area": "East China", "p_mw": 0.0, "responding_pu": 1.0, **row}
    areas = dataclasses.replace(areas_from_case(case), agc_bias_mw_per_hz=np.zeros(1))
    return fleet_from_case(case), areas


def run(area: AreaFrequency, imbalance_mw: float, seconds: int, start_s: int = 0):
    return [area.step(start_s + k, 1.0, np.array([imbalance_mw]), NONE, NONE, NONE) for k in range(seconds)]


def alone(kind: str, rated_mw: float, **columns: float) -> AreaFrequency:
    """Inertia of 10 GW s and one response."""
    rows = {
        "sn_mva": [2500.0, rated_mw], "h_s": [4.0, 0.0],
        "p_rated_mw": [2500.0, rated_mw], "p0_mw": [0.0, 0.0],
        "min_p_mw": [0.0, -rated_mw], "max_p_mw": [0.0, rated_mw], "responding_pu": [0.0, 1.0],
        "agc_share_pu": [0.0, 0.0],
    }  # fmt: skip
    other = {"droop_pu": 0.0, "deadband_hz": 0.3, "limit_up_pu": 1.0, "limit_down_pu": 0.0, "t_delay_s": 1.0,
             "rate_pu_per_s": 1.0, **columns}  # fmt: skip
    names = [field.name for field in dataclasses.fields(Fleet)]
    arrays = {name: np.array(rows.get(name, [other.get(name, 0.0)] * 2)) for name in names[3:]}
    arrays["governor_code"] = np.array([0, GOVERNORS.index(kind)])
    fleet = Fleet(name=("inertia", kind), area=np.zeros(2, dtype=np.int64), online=np.ones(2, dtype=np.bool_),
                  **{k: v for k, v in arrays.items() if k not in {"area", "online"}})  # fmt: skip
    one = np.ones(1)
    return AreaFrequency(fleet, AreaTable(("a",), 50.0 * one, 0.0 * one, 0.0 * one), NOBODY)


def test_a_relay_gives_all_of_it_after_trigger_delay_and_ramp_and_keeps_it():
    """A straight fall of 0.25 Hz/s passes 0.3 Hz at 1.2 s; a delay of 1 s, then a ramp of 1 s."""
    area = alone("relay", 100.0)
    given = np.array(
        [area.step(0.1 * k, 0.1, 100.0 * np.ones(1), NONE, NONE, NONE).p_governor_mw[1] for k in range(40)]
    )
    t_s = 0.1 * np.arange(1, 41)
    assert_allclose(given, 100.0 * np.clip(t_s - 2.2, 0.0, 1.0), atol=100.0 * 0.04)
    returned = run(area, -900.0, 3, start_s=4)
    assert returned[-1].f_hz[0] > 50.0
    assert returned[-1].p_governor_mw[1] == 100.0


def test_a_relay_waits_in_one_piece():
    """Frequency that comes back before the delay is over starts it anew."""
    area = alone("relay", 100.0, t_delay_s=2.0)
    for start_s, imbalance_mw in ((0, 100.0), (2, -100.0), (4, 100.0), (6, -100.0)):
        last = run(area, imbalance_mw, 2, start_s)[-1]
    assert last.p_governor_mw[1] == 0.0


def test_halved_steps_change_the_nadir_under_eight_gigawatts_of_relays_by_a_third_of_a_per_cent():
    """A relay acts in the inner step that finds it due, so its time is known to one inner step."""

    def dip_hz(step_s: float) -> float:
        fleet, areas = beside_anhui(plant_type="static_response", sn_mva=8000.0)
        area = AreaFrequency(fleet, areas, NOBODY, step_s)
        return 50.0 - min(r.f_min_hz[0] for r in run(area, 25_000.0, 30))

    assert dip_hz(0.02) == pytest.approx(dip_hz(0.01), rel=0.0035)


@pytest.mark.parametrize(
    ("kind", "down_mw", "up_mw"), [("wind_fast", -1000.0, 0.0), ("storage_fast", -2000.0, 2000.0)]
)
def test_converters_answer_within_what_they_hold(kind: str, down_mw: float, up_mw: float):
    for imbalance_mw, expected_mw in ((-25_000.0, down_mw), (25_000.0, up_mw)):
        fleet, areas = beside_anhui(plant_type=kind, sn_mva=10_000.0, p_mw=5000.0)
        last = run(AreaFrequency(fleet, areas, NOBODY), imbalance_mw, 30)[-1]
        assert abs(last.f_hz[0] - 50.0) > 0.2
        assert last.p_governor_mw[-1] == pytest.approx(expected_mw, abs=1.0)


def test_storage_that_charges_can_stop_and_turn_round():
    fleet, areas = beside_anhui(plant_type="storage_fast", sn_mva=10_000.0, p_mw=-1500.0)
    last = run(AreaFrequency(fleet, areas, NOBODY), 25_000.0, 30)[-1]
    assert last.p_governor_mw[-1] == pytest.approx(2000.0, abs=1.0)


def test_what_answers_without_a_machine_has_no_inertia_and_is_in_the_balance():
    fleet, areas = beside_anhui(plant_type="static_response", sn_mva=3000.0)
    plain = fleet_from_case(load_case("anhui"))
    assert (fleet.h_s * fleet.sn_mva).sum() == (plain.h_s * plain.sn_mva).sum()
    for result in run(AreaFrequency(fleet, areas, NOBODY), 20_000.0, 20):
        answer = result.p_governor_mw.sum() + result.p_inertia_mw.sum() + result.p_damping_mw.sum()
        assert answer == pytest.approx(20_000.0, abs=1e-6)
    assert result.p_governor_mw[-1] == 3000.0
