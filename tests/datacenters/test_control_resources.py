"""Controllers on real halls, batteries and sites: what is ordered is what the meter shows."""

import json
from typing import Any

import numpy as np
import pytest

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.core.flexibility import Activate
from datacenters.battery import Battery, BatteryParams
from datacenters.control import Controller
from datacenters.control_params import ControllerParams, Shed
from datacenters.fleet import FleetParams
from datacenters.hall import GpuHall, GpuHallParams
from datacenters.site import Site, SiteParams
from datacenters.ups import Ups
from datacenters.workload import Population

SCENARIO = """
title: Two controllers
start: 2025-08-06T20:00:00+08:00
until_s: 60
seed: 1
clock: {{step_s: 5}}
grid: {{case: ieee39}}
units:
  hall: {{component: gpu_hall, at: bus_16, it_rated_mw: 60}}
  work: {{component: demand, service: steady, mean_gpu: 30000, serves: hall}}
  frequency:
    component: controller
    at: bus_16
    hall: hall
    it_rated_mw: 60
    down_mw: 20
    laws: [{{law: fast_response, p_mw: 20}}]
{more}
"""


CELLS = """
  cells: {component: battery, at: bus_16, p_rated_mw: 9, e_rated_mwh: 20}
  other:
    component: controller
    battery: cells
    down_mw: 9
    inputs: {watched_mw: cells.p_mw}
    laws: [{law: peak_reduction, limit_mw: 9}]
"""


SECOND = """
  second:
    component: gpu_hall
    at: bus_16
    it_rated_mw: 6
    late: {cap_pu: [frequency.cap_pu, frequency.cap_pu]}
"""


def controller(*laws: dict[str, Any], **params: Any) -> Controller:
    """Return a controller at the start of a run."""
    given = json.dumps({"down_mw": 20.0, **params, "laws": list(laws)})
    model = Controller([ControllerParams.model_validate_json(given, strict=True)])
    model.reset(Context(names=("control",)))
    return model


def loop(model: Controller, unit: Any, dt_s: float, heard: list[Any], wires: dict[str, Any]) -> list[Any]:
    """Step both; return a row of each a step. What the controller takes of the unit comes one step late.

    `heard` has what the grid says, or events; `wires` inputs of the unit: controller's outputs, or values.
    """
    mine = {port.name: port.default for port in model.inputs}
    theirs = {port.name: np.array([port.default]) for port in unit.inputs}
    late: dict[str, float] = {}
    rows = []
    for step, says in enumerate(heard):
        t_s = step * dt_s
        if isinstance(says, tuple):
            model.command(t_s, 0, *says)
        known = {**mine, "f_hz": 50.0, "vm_pu": 1.0, **late, **(says if isinstance(says, dict) else {})}
        out = model.step(t_s, dt_s, {name: np.array([float(v)]) for name, v in known.items()})
        values = {port: v(step) if callable(v) else v for port, v in wires.items()}
        fed = {port: np.array(out[v] if isinstance(v, str) else [v]) for port, v in values.items()}
        drawn = unit.step(t_s, dt_s, {**theirs, **fed})
        heard_as = {"work_gpu": "work_done_gpu"}
        sources = {port: heard_as.get(port, port) for port in mine}
        late = {port: float(drawn[name][0]) for port, name in sources.items() if name in drawn}
        rows.append(tuple({name: float(v[0]) for name, v in each.items()} for each in (out, drawn)))
    return rows


def hall_loop(model: Controller, dt_s: float, heard: list[Any], **fed: float) -> Any:
    """A hall of 60 MW with 70 % of its work."""
    params = GpuHallParams(it_rated_mw=60.0, tau_power_s=0.02)
    hall = GpuHall([params])
    hall.reset(Context(names=("hall",)))
    wires = {"cap_pu": "cap_pu", "temp_offset_k": "temp_offset_k", "work_gpu": 0.7 * params.size().gpus_count}
    return loop(model, hall, dt_s, heard, wires | fed)


CALM, LOW = {}, {"f_hz": 49.7}
ON_HALL = {"hall": "hall", "it_rated_mw": 60.0, "tau_power_s": 0.02}


def test_a_capped_hall_gives_up_what_it_sold_within_the_published_reaction_time():
    """Frequency falls before the fourth exchange of 50 ms; 97.2 ms later 10 MW are off the meter."""
    law = {"law": "fast_response", "p_mw": 10.0}
    rows = hall_loop(controller(law, **ON_HALL), 0.05, [CALM] * 3 + [LOW] * 7)
    before = rows[2][1]["p_mw"]
    given = [before - drawn["p_mw"] for _, drawn in rows[3:]]
    assert given[0] == pytest.approx(0.0, abs=0.05)  # the reaction time is not over
    assert given[3] == pytest.approx(10.0, rel=0.1)
    assert given[-1] == pytest.approx(10.0, rel=0.03)


def test_thirty_percent_in_thirty_seconds_as_in_london():
    law = {"law": "fast_response", "p_mw": 15.0, "reaction_s": 0.0, "ramp_s": 30.0}
    rows = hall_loop(controller(law, **ON_HALL), 1.0, [CALM] * 5 + [LOW] * 40)
    before = rows[4][1]["p_mw"]
    given = np.array([before - drawn["p_mw"] for _, drawn in rows[5:]])
    assert given[14] == pytest.approx(15.0 * 14.5 / 30.0, rel=0.05)
    assert given[30:] == pytest.approx(15.0, rel=0.02)
    assert rows[40][0]["short_mw"] < 0.3


def test_a_hall_is_kept_under_a_limit_and_an_unreachable_one_says_what_lacks():
    kept = hall_loop(controller({"law": "peak_reduction", "limit_mw": 40.0}, **ON_HALL), 5.0, [CALM] * 20)
    assert kept[0][1]["p_mw"] > 45.0
    assert max(drawn["p_mw"] for _, drawn in kept[3:]) == pytest.approx(40.0, rel=0.005)
    lacks = hall_loop(controller({"law": "peak_reduction", "limit_mw": 20.0}, **ON_HALL), 5.0, [CALM] * 20)
    last, drawn = lacks[-1]
    assert drawn["p_mw"] == pytest.approx(last["baseline_mw"] - 20.0, rel=0.01)
    assert -last["refused_mw"] == pytest.approx(last["baseline_mw"] - 20.0 - 20.0, rel=0.02)


@pytest.mark.parametrize("dt_s", [1.0, 5.0, 60.0])
def test_a_limit_of_a_hall_holds_while_its_work_doubles_and_halves(dt_s):
    """Work of 40, 80, 100, then 30 % against 50 MW: what fits is drawn, within 1 % once settled."""
    params = GpuHallParams(it_rated_mw=60.0)
    hall, model = GpuHall([params]), controller({"law": "peak_reduction", "limit_mw": 50.0}, **ON_HALL)
    work = np.repeat([0.4, 0.8, 1.0, 0.3], 30) * params.size().gpus_count
    found = loop(model, hall, dt_s, [CALM] * 120, {"cap_pu": "cap_pu", "work_gpu": lambda step: work[step]})
    meter = np.array([drawn["p_mw"] for _, drawn in found])
    assert meter[10:30].max() < 40.0
    assert meter[45:60] == pytest.approx(50.0, rel=0.01)
    assert meter[75:90] == pytest.approx(50.0, rel=0.01)
    assert meter[105:].max() < 35.0


def test_set_points_of_a_hall_cool_in_advance_and_spare_power_in_the_peak():
    law = {
        "law": "precooling",
        "peak_from_h": 21,
        "peak_to_h": 22,
        "ahead_h": 0.5,
        "colder_k": 3,
        "warmer_k": 3,
    }
    rows = hall_loop(controller(law, **ON_HALL), 60.0, [CALM] * 100, temp_outdoor_degc=33.0)
    chillers = np.array([drawn["cooling_mw"] for _, drawn in rows])
    assert chillers[32:40].mean() > 1.02 * chillers[10:29].mean()
    assert chillers[62:70].mean() < 0.98 * chillers[10:29].mean()


def test_a_battery_gives_the_power_of_an_emergency_in_full_within_its_time():
    cells = Battery([BatteryParams(p_rated_mw=30.0, e_rated_mwh=60.0)])
    model = controller({"law": "emergency", "p_mw": 20.0}, battery="cells")
    wires = {"p_order_mw": "p_order_mw", "q_order_mvar": "q_order_mvar"}

    heard = [CALM, CALM, ("shed", Shed()), *[CALM] * 9]
    rows = loop(model, cells, 0.1, heard, wires)
    before = rows[1][1]["p_mw"]
    given = [before - drawn["p_mw"] for _, drawn in rows[2:]]
    assert given[:6] == pytest.approx([0.0, 0.0, 20 / 6, 20 / 2, 20 * 5 / 6, 20.0])  # 0.2 s, then 0.3 s
    assert [row["short_mw"] for row, _ in rows[2:]] == pytest.approx([0.0] * 10, abs=1e-9)


def test_reactive_power_by_droop_meets_the_closed_form_behind_a_reactance():
    r"""Behind a reactance with short-circuit power S, :math:`V = V_0 - q/S`; with slope k the voltage ends at
    :math:`(V_0 + (V_{ref} - d) k/S)/(1 + k/S)`, below the dead-band d.
    """
    law = {"law": "voltage_support", "q_most_mvar": 40.0, "droop_pu": 0.04, "deadband_pu": 0.01, "lag_s": 2.0}
    model, strength_mva, v = controller(law, battery="cells"), 2000.0, 0.96
    cells = Battery([BatteryParams(p_rated_mw=30.0, e_rated_mwh=60.0, s_rated_mva=50.0)])
    calm = {p.name: np.array([p.default]) for p in cells.inputs}
    for step in range(60):
        known = {**{p.name: p.default for p in model.inputs}, "vm_pu": v, "f_hz": 50.0}
        out = model.step(step * 1.0, 1.0, {name: np.array([value]) for name, value in known.items()})
        drawn = cells.step(step * 1.0, 1.0, {**calm, "q_order_mvar": np.array(out["q_order_mvar"])})
        v = 0.96 - float(drawn["q_mvar"][0]) / strength_mva
    slope = 40.0 / 0.04 / strength_mva
    assert v == pytest.approx((0.96 + 0.99 * slope) / (1.0 + slope), abs=1e-9)


def test_the_supply_of_a_hall_supports_the_voltage_beside_its_power():
    """A voltage 2 % below the dead-band takes half of 40 Mvar; the hall draws what it drew."""
    law = {"law": "voltage_support", "q_most_mvar": 40.0, "droop_pu": 0.04, "lag_s": 0.0}
    hall = GpuHall([GpuHallParams(it_rated_mw=60.0, ups=Ups())])
    wires = {"q_order_mvar": "q_order_mvar", "work_gpu": 20_000.0}
    rows = loop(controller(law, **ON_HALL), hall, 1.0, [CALM, {"vm_pu": 0.97}], wires)
    (_, before), (_, after) = rows
    assert after["q_mvar"] == pytest.approx(before["q_mvar"] - 20.0, rel=1e-3)
    assert after["p_mw"] == pytest.approx(before["p_mw"], rel=1e-3)


def test_jobs_of_a_site_are_held_in_the_peak_and_go_on_after_it():
    """At 20:00 jobs that draw 2 MW are saved; at 21:00 they go on, and no work is lost."""
    jobs = Population(
        name="train", kind="training", jobs_count=20, gpus_median_gpu=500, gpus_sigma_pu=0,
        duration_median_h=9, duration_sigma_pu=0, busy_pu=0.8, checkpoint_every_s=None,
    )  # fmt: skip
    fleet = FleetParams(jobs=(jobs,), jobs_over_h=0.001, tick_s=10.0)
    sites = Site([SiteParams(place="hefei", gpus_count=10_000, fleet=fleet)])
    sites.reset(Context(names=("hefei",)))
    law = {"law": "valley_filling", "peak_from_h": 20.5, "peak_to_h": 21.5, "hold_mw": 2.0, "ramp_s": 0.0}
    model = controller(law, site="hefei", meter="hall", down_mw=4.0)

    class Metered:
        """The site with the power of what it does."""

        inputs = sites.inputs

        @staticmethod
        def step(t_s: float, dt_s: float, inputs: Any) -> dict[str, Any]:
            out = sites.step(t_s, dt_s, inputs)
            return {**out, "p_mw": 5.0 + out["work_gpu"] / 1e3}

    rows = loop(model, Metered, 60.0, [CALM] * 120, {"limit_gpu": "limit_gpu"})
    meter = np.array([drawn["p_mw"] for _, drawn in rows])
    assert meter[28] == pytest.approx(13.0, rel=1e-6)
    assert meter[35:90] == pytest.approx(11.0, rel=0.01)
    assert meter[-1] == pytest.approx(13.0, rel=1e-6)
    assert sum(drawn["lost_gpu"] for _, drawn in rows) == 0.0


def test_an_order_to_a_controller_is_settled_at_the_meter_of_its_hall():
    model = controller({"law": "demand_response", "p_mw": 15.0, "ramp_mw_per_s": 1.0}, **ON_HALL)

    order = ("activate", Activate(p_mw=-12.0, duration_s=60.0))
    rows = hall_loop(model, 5.0, [*[CALM] * 3, order, *[CALM] * 20])
    before = rows[2][1]["p_mw"]
    held = [before - drawn["p_mw"] for _, drawn in rows[7:16]]
    assert held == pytest.approx([12.0] * 9, rel=0.02)
    assert rows[-1][1]["p_mw"] == pytest.approx(before, rel=0.04)  # dies are cooler and leak less for a while


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            CELLS.replace("battery: cells", "hall: hall").replace("down_mw", "it_rated_mw: 60\n    down_mw"),
            "frequency and other both govern hall",
        ),
        (
            CELLS,
            "a loop without delay: .*other.p_order_mw -> cells.p_order_mw",
        ),
        (
            SECOND,
            "second.cap_pu already comes from frequency.cap_pu",
        ),
        (
            "events:\n  - {at_s: 10, activate: {unit: frequency, p_mw: -5, duration_s: 10}}",
            "frequency has no law demand_response",
        ),
    ],
)
def test_conflicts_and_loops_are_found_before_the_run(tmp_path, more, told):
    from cosim.assemble import prepare

    path = tmp_path / "two.yaml"
    path.write_text(SCENARIO.format(more=more))
    with pytest.raises(ScenarioError, match=told):
        prepare(path)
