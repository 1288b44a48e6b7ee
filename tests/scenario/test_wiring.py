"""Who is wired to whom: each test draws the wires it asserts."""

import pytest

from cosim.assemble import assemble, prepare
from cosim.core.component import DroopOffer
from cosim.core.errors import ComponentError, ScenarioError
from cosim.core.grid import GridEvent
from cosim.plan import Wire
from cosim.scenario import load


def drawn(plan) -> set[str]:
    """Return wires as text: `hall.p_mw[0,1] -> grid.p_mw[0,1]`, `~>` for one exchange late."""
    return {drawing(wire) for wire in plan.wires}


def drawing(wire: Wire) -> str:
    def end(kind, port, index):
        return f"{kind}.{port}[{','.join(map(str, index))}]"

    arrow = "~>" if wire.delayed else "->"
    source = end(wire.source, wire.source_port, wire.source_index)
    return f"{source} {arrow} {end(wire.target, wire.target_port, wire.target_index)}"


def test_a_hall_at_a_bus_draws_power_and_sees_its_voltage_one_exchange_later(write, models):
    """
    work --work_gpu--> hefei --p_mw, q_mvar--> grid
                         ^                      |
                         +~~~~~~~~ vm_pu ~~~~~~~+
    """
    plan = prepare(
        write("""
units:
  work: {component: demand, mean_gpu: 60000, serves: hefei}
  hefei: {component: hall, at: hefei_220, it_rated_mw: 120}
"""),
        **models,
    )
    assert drawn(plan) == {
        "demand.work_gpu[0] -> hall.work_gpu[0]",
        "hall.p_mw[0] -> grid.p_mw[0]",
        "hall.q_mvar[0] -> grid.q_mvar[0]",
        "grid.vm_pu[0] ~> hall.vm_pu[0]",
    }
    assert plan.stages == (("demand",), ("hall",))
    assert plan.connections.units == ("hefei",)
    assert plan.connections.points == ("hefei_220",)


def test_indices_follow_the_kind_at_components_and_the_connections_at_the_grid(write, models):
    """
    connections      hall units      battery units
    0 huaibei   <--  0 huaibei
    1 cells     <--                  0 cells
    2 hefei     <--  1 hefei
    """
    plan = prepare(
        write("""
units:
  huaibei: {component: hall, at: huaibei_220, it_rated_mw: 80}
  cells: {component: battery, at: hefei_220, p_rated_mw: 10, e_rated_mwh: 20}
  hefei: {component: hall, at: hefei_220, it_rated_mw: 120}
  work: {component: demand, mean_gpu: 60000, serves: [hefei, huaibei]}
"""),
        **models,
    )
    assert plan.connections.units == ("huaibei", "cells", "hefei")
    assert {
        "hall.p_mw[0,1] -> grid.p_mw[0,2]",
        "battery.p_mw[0] -> grid.p_mw[1]",
        "grid.vm_pu[0,2] ~> hall.vm_pu[0,1]",
        "grid.vm_pu[1] ~> battery.vm_pu[0]",
        "demand.work_gpu[0,0] -> hall.work_gpu[1,0]",
    } <= drawn(plan)


def test_wires_into_one_port_add_up(write, models):
    """
    day   --+
            +--> hefei.work_gpu
    night --+
    """
    plan = prepare(
        write("""
units:
  day: {component: demand, mean_gpu: 40000, serves: hefei}
  night: {component: demand, mean_gpu: 20000}
  hefei: {component: hall, at: hefei_220, it_rated_mw: 120, inputs: {work_gpu: [night.work_gpu]}}
"""),
        **models,
    )
    wires = [wire for wire in plan.into("hall") if wire.target_port == "work_gpu"]
    assert [drawing(wire) for wire in wires] == ["demand.work_gpu[0,1] -> hall.work_gpu[0,0]"]


def test_only_a_unit_that_offers_droop_is_wired_for_it(write, models):
    """
    fast --p_mw, droop_*--> grid --p_droop_mw~~> fast
    slow --p_mw-----------> grid --p_droop_mw~~> slow   (always 0)
    """
    plan = prepare(
        write("""
units:
  slow: {component: battery, at: hefei_220, p_rated_mw: 10, e_rated_mwh: 20}
  fast: {component: battery, at: huaibei_220, p_rated_mw: 10, e_rated_mwh: 20, fast: true}
"""),
        **models,
    )
    assert plan.connections.devices == (None, DroopOffer())
    assert {
        "battery.p_mw[0,1] -> grid.p_mw[0,1]",
        "battery.droop_mw_per_hz[1] -> grid.droop_mw_per_hz[1]",
        "battery.droop_up_mw[1] -> grid.droop_up_mw[1]",
        "battery.droop_down_mw[1] -> grid.droop_down_mw[1]",
        "grid.p_droop_mw[0,1] ~> battery.p_droop_mw[0,1]",
    } <= drawn(plan)


def test_a_profile_drives_what_it_names_and_only_then(write, models):
    """
    night --scale_pu--> grid (driver 0: prefecture)
    idle  (drives nothing)
    noon  --scale_pu--> grid (driver 1: pv)
    """
    plan = prepare(
        write("""
units:
  night: {component: profile, drives: prefecture}
  idle: {component: profile}
  noon: {component: profile, drives: pv}
"""),
        **models,
    )
    assert (plan.connections.drivers, plan.connections.driven) == (("night", "noon"), ("prefecture", "pv"))
    assert drawn(plan) == {"profile.scale_pu[0,2] -> grid.scale_pu[0,1]"}


CIRCLE = """
units:
  cells:
    {component: battery, at: hefei_220, p_rated_mw: 1, e_rated_mwh: 2, %s: {p_order_mw: boss.p_order_mw}}
  boss: {component: control, inputs: {soc_pu: cells.soc_pu}}
"""


def test_a_late_wire_opens_a_loop(write, models):
    """
    cells --soc_pu--> boss
      ^                 |
      +~~ p_order_mw ~~~+     steps: battery, then control
    """
    plan = prepare(write(CIRCLE % "late"), **models)
    assert {
        "battery.soc_pu[0] -> control.soc_pu[0]",
        "control.p_order_mw[0] ~> battery.p_order_mw[0]",
    } <= drawn(plan)
    assert plan.stages == (("battery",), ("control",))
    with pytest.raises(ScenarioError, match="a loop without delay"):
        prepare(write(CIRCLE % "inputs"), **models)


def test_units_of_one_kind_cannot_feed_each_other_within_an_exchange(write, models):
    """
    a --p_mw--> b     both are batteries, and batteries step together
    """
    body = """
units:
  a: {component: battery, at: hefei_220, p_rated_mw: 10, e_rated_mwh: 20}
  b: {component: battery, at: hefei_220, p_rated_mw: 10, e_rated_mwh: 20, inputs: {p_site_mw: a.p_mw}}
"""
    with pytest.raises(ScenarioError, match=r"a loop without delay: a\.p_mw -> b\.p_site_mw"):
        prepare(write(body), **models)
    plan = prepare(write(body.replace("inputs:", "late:")), **models)
    assert "battery.p_mw[0] ~> battery.p_site_mw[1]" in drawn(plan)


def test_kinds_that_do_not_feed_each_other_share_a_simulator_and_a_process_has_its_own(write, models):
    """
    weather --+
    demand  --+--> hall --> battery        1: weather, demand   2: hall   3: battery
    """
    body = """
units:
  sky: {component: weather%s}
  work: {component: demand, mean_gpu: 60000, serves: hefei}
  hefei: {component: hall, at: hefei_220, it_rated_mw: 120, sky: sky}
  cells: {component: battery, at: hefei_220, p_rated_mw: 10, e_rated_mwh: 20, follows: hefei}
"""
    plan = prepare(write(body % ""), **models)
    assert plan.stages == (("weather", "demand"), ("hall",), ("battery",))
    assert [part.kind for part in plan.kinds] == ["weather", "demand", "hall", "battery"]
    apart = prepare(write(body % ", process: true"), **models)
    assert apart.stages == (("demand",), ("weather",), ("hall",), ("battery",))
    assert apart.kind("weather").process
    assert not apart.kind("hall").process


def test_every_wire_within_an_exchange_points_to_a_later_stage(write, models):
    plan = prepare(
        write("""
units:
  cells: {component: battery, at: hefei_220, p_rated_mw: 10, e_rated_mwh: 20, follows: hefei}
  hefei: {component: hall, at: hefei_220, it_rated_mw: 120, sky: sky}
  boss: {component: control, inputs: {soc_pu: cells.soc_pu}}
  work: {component: demand, mean_gpu: 60000, serves: hefei}
  sky: {component: weather}
"""),
        **models,
    )
    stage = {kind: number for number, kinds in enumerate(plan.stages) for kind in kinds}
    inside = [w for w in plan.wires if not w.delayed and "grid" not in (w.source, w.target)]
    assert inside
    for wire in inside:
        assert stage[wire.source] < stage[wire.target], drawing(wire)


def test_events_become_commands_settings_and_switching_in_order_of_time(write, models):
    plan = prepare(
        write("""
units:
  early: {component: demand, mean_gpu: 1}
  work: {component: demand, mean_gpu: 60000, serves: hefei}
  hefei: {component: hall, at: hefei_220, it_rated_mw: 120}
events:
  - {at_s: 305, spike: {unit: work, factor_pu: 3}}
  - {at_s: 100, spike: {unit: work, factor_pu: 2, over_s: 30}}
  - {at_s: 50, set: {unit: hefei, p_cap_mw: 60, temp_outdoor_degc: 35}}
  - {at_s: 20, close: {element: suixi_xiangjian_1}}
  - {at_s: 10, trip: {element: suixi_xiangjian_1}}
"""),
        **models,
    )
    commands = plan.kind("demand").commands
    assert [(c.t_s, c.unit_index, c.name, c.params.factor_pu, c.params.over_s) for c in commands] == [
        (100.0, 1, "spike", 2.0, 30.0),
        (305.0, 1, "spike", 3.0, 60.0),
    ]
    assert [(s.t_s, s.unit_index, s.port, s.value) for s in plan.kind("hall").sets] == [
        (50.0, 0, "p_cap_mw", 60.0),
        (50.0, 0, "temp_outdoor_degc", 35.0),
    ]
    assert plan.grid_events == (
        GridEvent(10.0, "trip", "suixi_xiangjian_1"),
        GridEvent(20.0, "close", "suixi_xiangjian_1"),
    )


def test_assembling_a_loaded_scenario_gives_the_plan_of_its_file(write, models):
    name = write(CIRCLE % "late")
    scenario = load(name, **models)
    plan, again = assemble(scenario, **models), prepare(name, **models)
    assert (plan.wires, plan.stages, plan.connections) == (again.wires, again.stages, again.connections)
    assert plan.scenario.hash == again.scenario.hash == scenario.hash
    assert len(plan.clock) == len(again.clock) == 150


def test_a_class_that_is_no_component_is_its_authors_error(write, models):
    models["kinds"].add("half", type("Half", (), {"params_type": None, "inputs": ()}))
    try:
        with pytest.raises(ComponentError, match="component half: class Half has no outputs"):
            prepare(write("units:\n  a: {component: half}\n"), **models)
    finally:
        models["kinds"].remove("half")


def test_a_component_that_fails_when_built_is_its_authors_error(write, models):
    class Broken(models["kinds"].get("weather")):
        def __init__(self, params):
            raise ZeroDivisionError

    models["kinds"].add("broken", Broken)
    try:
        with pytest.raises(ComponentError, match="component broken: cannot be built: ZeroDivisionError"):
            prepare(write("units:\n  a: {component: broken}\n"), **models)
    finally:
        models["kinds"].remove("broken")


def test_a_grid_that_fails_when_built_is_its_authors_error_unless_the_scenario_is_wrong(write, models):
    class Broken(models["engines"].get("powerflow")):
        def __init__(self, params, connections):
            raise ZeroDivisionError

    models["engines"].add("broken", Broken)
    try:
        grid = {"grid": {"engine": "broken", "case": "three"}}
        with pytest.raises(ComponentError, match="grid engine Broken cannot be built: ZeroDivisionError"):
            prepare(write("units: {sky: {component: weather}}\n"), changes=grid, **models)
        with pytest.raises(ScenarioError, match="unknown component"):
            prepare(write("units: {sky: {component: wether}}\n"), changes=grid, **models)
    finally:
        models["engines"].remove("broken")


def test_the_plan_tells_what_will_run(write, models):
    plan = prepare(
        write("""
units:
  sky: {component: weather, process: true}
  work: {component: demand, mean_gpu: 60000, serves: hefei}
  hefei: {component: hall, at: hefei_220, it_rated_mw: 120, sky: sky}
  cells: {component: battery, at: huaibei_220, p_rated_mw: 10, e_rated_mwh: 20, fast: true}
  curve: {component: profile, drives: prefecture}
events:
  - {at_s: 100, trip: {element: suixi_xiangjian_1}}
  - {at_s: 50, set: {unit: hefei, p_cap_mw: 60}}
  - {at_s: 305, spike: {unit: work, factor_pu: 3}}
"""),
        **models,
    )
    text = plan.describe()
    assert "start 2025-08-06T20:00:00+08:00, seed 1, hash " + plan.scenario.hash[:8] in text
    assert "grid: powerflow (case: three): 3 buses, 2 lines, 1 generator" in text
    words = {" ".join(line.split()) for line in text.splitlines()}
    assert {
        "cells connected, fast droop huaibei_220",
        "curve scales prefecture",
        "clock: 150 exchanges, tick 1 s:",
        "300 400 1",
        "simulators, in the order they step (5 of at most 8):",
        "2 weather TCP process 1 sky",
        "3 hall in process 1 hefei",
        "4 grid in process powerflow",
        "weather.temp_outdoor_degc hall.temp_outdoor_degc same exchange sky -> hefei",
        "grid.vm_pu hall.vm_pu one exchange late grid -> hefei",
        "50 hefei set p_cap_mw: 60",
        "100 grid trip suixi_xiangjian_1",
        "305 work spike factor_pu: 3, over_s: 60",
    } <= words
    assert max(len(line) for line in text.splitlines()) <= 130
