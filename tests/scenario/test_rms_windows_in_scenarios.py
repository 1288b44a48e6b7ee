"""Scenarios may name the rms engine, give it windows of a run, and ask of the grid what it can do."""

import pytest

from cosim.assemble import prepare
from cosim.core.errors import ScenarioError

HEAD = """\
title: a test
start: 2025-08-06T20:00:00+08:00
until_s: 600
seed: 1
clock: {step_s: 10}
"""
WINDOWED = """\
grid:
  case: ieee39
  windows:
    - {name: trip, from_s: 60, to_s: 80, exchange_s: 0.02, loads: impedance}
    - {name: late, from_s: 300, to_s: 310}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def _write(body: str) -> str:
        (tmp_path / "study.yaml").write_text(HEAD + body, encoding="utf-8")
        return "study.yaml"

    return _write


def told(path: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        prepare(path)
    return [line.partition(": ")[2] for line in str(caught.value).splitlines()]


def test_windows_of_the_grid_are_windows_of_the_clock(write):
    events = """\
events:
  - {at_s: 60.5, fault: {bus: bus_16, clear_after_s: 0.055}}
  - {at_s: 61, load_step: {element: bus_4, p_mw: 50}}
  - {at_s: 100, trip: {element: gen_38}}
"""
    plan = prepare(write(WINDOWED + events))
    assert [plan.clock.step_at(t) for t in (50.0, 60.0, 79.99, 80.0, 300.0)] == [10.0, 0.02, 0.02, 10.0, 10.0]
    assert [(e.at_s, e.action, e.element) for e in plan.grid_events] == [
        (60.5, "fault", "bus_16"),
        (61.0, "load_step", "bus_4"),
        (100.0, "trip", "gen_38"),
    ]
    assert plan.grid_events[0].params.clear_after_s == 0.055
    assert {"delta_degree", "speed_pu"} <= set(plan.grid.columns["gen"])
    assert "trip: rms from 60 to 80 s, loads: impedance" in plan.describe()


def test_every_mistake_about_windows_and_events_of_the_grid_is_told_at_once(write):
    body = """\
grid:
  case: ieee39
  windows:
    - {name: trip, from_s: 60, to_s: 85, exchange_s: 0.03}
    - {name: trip, from_s: 70, to_s: 90, engine: powerflow}
    - {name: third, from_s: 200, to_s: 210, lods: power}
events:
  - {at_s: 100, fault: {bus: bus_16, clear_after_s: 0.055}}
  - {at_s: 200, fault: {bus: bus_16, clear_after_s: 0}}
  - {at_s: 200, falt: {bus: bus_16, clear_after_s: 0.1}}
"""
    lines = "\n".join(told(write(body)))
    for words in (
        "step_s=0.03 does not divide the base step of 10 s",
        "overlaps with window 'trip'",
        "is the name of an earlier window",
        "engine = powerflow: unknown engine for windows; allowed: rms",
        "lods = power: unknown key",
        "Did you mean 'loads'",
        "the engine that runs at 100 s cannot do this; allowed: within the windows 60 to 85 s, 200 to 210 s",
        "clear_after_s = 0: must be > 0",
        "falt = {bus, clear_after_s}: unknown action",
        "Did you mean 'fault'",
    ):
        assert words in lines, f"{words!r} is not in\n{lines}"


def test_an_event_only_rms_can_do_names_it_when_the_power_flow_runs_alone(write):
    body = "grid: {case: ieee39}\nevents:\n  - {at_s: 10, fault: {bus: bus_16, clear_after_s: 0.1}}\n"
    (line,) = told(write(body))
    assert "only engine rms can do this, as `grid.engine` or in a window of `grid.windows`" in line


def test_what_an_event_acts_on_must_be_there_and_be_able_to(write):
    body = """\
grid: {engine: rms, case: ieee39}
events:
  - {at_s: 10, fault: {bus: bus_61, clear_after_s: 0.1}}
  - {at_s: 20, load_step: {element: laod_8, p_mw: 10}}
"""
    lines = told(write(body))
    assert "Did you mean 'bus_6'" in lines[0]
    assert "Did you mean 'load_8'" in lines[1]
    assert lines[0].startswith("events[0].fault.bus = bus_61: unknown bus")
    body = "grid: {engine: rms, case: ieee39}\nevents:\n  - {at_s: 10, close: {element: gen_38}}\n"
    (line,) = told(write(body))
    assert line.startswith(
        "events[0].close = {element}: 'gen_38': the dynamic model cannot synchronise a machine"
    )


def test_a_case_without_dynamic_models_is_refused_with_the_machines_that_lack_one(write):
    (line,) = told(write("grid: {engine: rms, case: two_bus}\n"))
    assert line.startswith("grid.case = two_bus: case 'two_bus' has no dynamic model for ")
    assert "genrou.csv" in line


def test_a_step_the_machines_do_not_allow_is_refused_before_the_run(write):
    (line,) = told(write("grid: {engine: rms, case: ieee39, inner_step_s: 0.03}\n"))
    assert line.startswith("grid.inner_step_s = 0.03: inner_step_s=0.03 is too large for gen_30 (genrou)")
    late = WINDOWED.replace("to_s: 310}", "to_s: 310, inner_step_s: 0.012, method: heun}")
    (line,) = told(write(late))
    assert line.startswith("grid.windows[1]")
    assert "window 'late': inner_step_s=0.012 is too large" in line


def test_a_converter_per_unit_of_another_frequency_is_refused(write):
    battery = "component: battery, at: bus_16, p_rated_mw: 50, e_rated_mwh: 100"
    unit = f"units:\n  store: {{{battery}, droop_mw_per_hz: 20, converter: {{f_nominal_hz: 50}}}}\n"
    (line,) = told(write("grid: {engine: rms, case: ieee39}\n" + unit))
    assert line.endswith("unit 'store': f_nominal_hz=50, but the grid's is 60")
