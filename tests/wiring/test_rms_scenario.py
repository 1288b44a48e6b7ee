"""A scenario whose day is a power flow and whose fault is integrated, from the file to the report."""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import pytest
from page_data import data_of
from pydantic import Field

from cosim.assemble import prepare
from cosim.core.component import Context, DeviceInput, DeviceOffer, DeviceReport, Port
from cosim.core.params import Params, column
from cosim.core.registry import Registry
from cosim.core.types import Floats
from cosim.outcome import judged_run
from cosim.report import write_report
from datacenters.battery import Battery
from datacenters.hall import GpuHall


class ConverterHallParams(Params):
    """A hall behind a UPS."""

    p_rated_mw: float = Field(gt=0, description="what it draws")


class ResetParams(Params):
    """The operator brings the UPS back."""


class ConverterHall:
    """Draws its rating until its UPS ceases, and what is left of it from then on: it hears so."""

    params_type: ClassVar[type[Params]] = ConverterHallParams
    inputs: ClassVar[tuple[Port, ...]] = (
        Port("connected_pu", "share of the load on the grid", default=1.0),
        Port("vm_pu", "voltage", default=1.0),
    )
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("p_mw", "wanted from the grid"),
        Port("q_mvar", "none"),
        Port("reset_pu", "1 in the exchange of a reset"),
        Port("battery_mw", "what the UPS carries"),
    )
    commands: ClassVar[Mapping[str, type[Params]]] = {"reset": ResetParams}

    def __init__(self, params: Sequence[ConverterHallParams]) -> None:
        self.p_rated_mw = column(params, "p_rated_mw")

    def reset(self, context: Context) -> None:
        self.wants_reset = np.zeros(self.p_rated_mw.size)

    def devices(self) -> tuple[DeviceOffer, ...]:
        drives = {
            "p_mw": DeviceInput("p_set_pu"),
            "q_mvar": DeviceInput("q_set_pu"),
            "reset_pu": DeviceInput("reset", base=1.0),
        }
        hears = {"connected_pu": DeviceReport("connected_pu", rest=1.0)}
        models = {"electronic_load": {"sn_mva": 300.0, "nmax_count": 1}}
        return tuple(DeviceOffer(models, drives, hears) for _ in self.p_rated_mw)

    def command(self, t_s: float, unit: int, name: str, command: Params) -> None:
        self.wants_reset[unit] = 1.0

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        given, self.wants_reset = self.wants_reset, np.zeros(self.p_rated_mw.size)
        p = self.p_rated_mw.copy()
        battery = p * (1.0 - inputs["connected_pu"])
        return {"p_mw": p, "q_mvar": np.zeros_like(p), "reset_pu": given, "battery_mw": battery}


STUDY = """
title: A fault beside a hall, integrated in a window of a quiet minute
start: 2025-08-06T20:00:00+08:00
until_s: 40
seed: 1
clock: {step_s: 5}
grid:
  case: ieee39
  windows: [{name: fault, from_s: 10, to_s: 20, exchange_s: 0.05, loads: impedance}]
units:
  hall: {component: gpu_hall, at: bus_16, it_rated_mw: 50}
  ups_hall: {component: converter_hall, at: bus_16, p_rated_mw: 200}
  battery: {component: battery, at: bus_4, p_rated_mw: 50, e_rated_mwh: 50, droop_mw_per_hz: 100}
events:
  - {at_s: 12, fault: {bus: bus_16, clear_after_s: 0.055}}
  - {at_s: 17, reset: {unit: ups_hall}}
limits: [cn]
expect:
  - {kpi: f_zenith_hz, at_least: 60.05, because: "200 MW leave the grid"}
  - {kpi: no_solution_count, at_most: 0, because: "the grid survives"}
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    kinds = Registry("suandian.components")
    for name, model in (("gpu_hall", GpuHall), ("battery", Battery), ("converter_hall", ConverterHall)):
        kinds.add(name, model)
    plan = prepare(folder / "study.yaml", kinds=kinds)
    assert "ups_hall  connected, as electronic_load" in plan.describe()
    return judged_run(plan, folder / "out")


def test_the_study_runs_through_its_window_and_is_judged(outcome):
    results = outcome.results
    assert results.manifest["status"] == "complete"
    assert (results.path / "verdict.json").is_file()
    zenith = results.series("area", "f_max_hz").to_numpy().max()
    assert 60.05 < zenith < 61.0
    gen = results.series("gen", "speed_pu")
    assert gen.loc[5.0].isna().all()
    assert gen.loc[15.0].notna().all()


def test_the_hall_hears_that_its_device_ceased_and_comes_back_by_its_command(outcome):
    results = outcome.results
    drawn, battery = (
        results.series("point", "p_mw")["ups_hall"],
        results.series("converter_hall", "battery_mw"),
    )
    assert drawn.loc[11.0] == pytest.approx(200.0, abs=1e-6)
    assert drawn.loc[13.0] == pytest.approx(0.0, abs=1.0)
    assert battery.loc[13.0, "ups_hall"] == pytest.approx(200.0, abs=1.0)
    assert drawn.loc[18.5] > 20.0  # on its way back after the reset
    kinds = results.events.set_index("kind")["text"]
    assert kinds["window_begins"].startswith("fault: rms from here")
    assert list(kinds.loc[["fault"]]) == ["fault at bus_16", "fault at bus_16 cleared"]


def test_the_report_shows_the_frequency_and_the_machines(outcome, tmp_path):
    write_report(outcome.results, outcome.verdict, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Rotor angles" in json.dumps(data_of(text))
    assert "fault at bus_16" in text
