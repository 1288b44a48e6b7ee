"""Small components and a small grid, so that a message or a wire is the only thing under test."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from pydantic import Field

from cosim.core.component import Context, DroopOffer, Link, Port
from cosim.core.errors import CaseError, ScenarioError
from cosim.core.grid import Connections, Geography
from cosim.core.params import Params
from cosim.core.registry import Registry

BUSES = ("hefei_220", "huaibei_220", "luohe_500")
LINES = ("luohe_xiangjian_1", "suixi_xiangjian_1")


class _Component:
    inputs: ClassVar[tuple[Port, ...]] = ()
    outputs: ClassVar[tuple[Port, ...]] = ()

    def __init__(self, params):
        self.params = tuple(params)

    def reset(self, context: Context) -> None:
        pass

    def step(self, t_s, dt_s, inputs):
        return {port.name: np.zeros(len(self.params)) for port in self.outputs}


class HallParams(Params):
    """A hall."""

    it_rated_mw: float = Field(gt=0, description="IT power at full load")
    cooling: str = Field(default="chiller", description="how heat leaves")
    share_pu: float = Field(default=1.0, gt=0, le=1, description="share in use")
    sky: str | None = Field(default=None, description="weather unit")


class Hall(_Component):
    """Work in, power out."""

    params_type: ClassVar = HallParams
    inputs: ClassVar = (
        Port("work_gpu", "work to do"),
        Port("vm_pu", "voltage", 1.0),
        Port("temp_outdoor_degc", "outdoor temperature", 20.0),
        Port("p_cap_mw", "power limit", 1e9),
    )
    outputs: ClassVar = (
        Port("p_mw", "power drawn"),
        Port("q_mvar", "reactive power"),
        Port("busy_gpu", "work done"),
    )
    links: ClassVar = (Link("sky", takes={"temp_outdoor_degc": "temp_outdoor_degc"}),)


class DemandParams(Params):
    """Arriving work."""

    mean_gpu: float = Field(ge=0, description="mean work")
    serves: str | tuple[str, ...] | None = Field(default=None, description="hall, or halls")
    trace: Path | None = Field(default=None, description="file with a trace")


class SpikeParams(Params):
    """A sudden rise."""

    factor_pu: float = Field(gt=1, description="of the mean")
    over_s: float = Field(default=60.0, gt=0, description="duration")


class Demand(_Component):
    """Work that arrives."""

    params_type: ClassVar = DemandParams
    inputs: ClassVar = (Port("factor_pu", "multiplies the mean", 1.0),)
    outputs: ClassVar = (Port("work_gpu", "arriving work"),)
    links: ClassVar = (Link("serves", gives={"work_gpu": "work_gpu"}),)
    commands: ClassVar = {"spike": SpikeParams}


class WeatherParams(Params):
    """Weather."""

    temp_mean_degc: float = Field(default=30.0, ge=-60, le=60, description="daily mean")


class Weather(_Component):
    """Temperature."""

    params_type: ClassVar = WeatherParams
    outputs: ClassVar = (Port("temp_outdoor_degc", "outdoor temperature"),)


class BatteryParams(Params):
    """Battery."""

    p_rated_mw: float = Field(gt=0, description="largest power")
    e_rated_mwh: float = Field(gt=0, description="usable energy")
    fast: bool = Field(default=False, description="offers droop")
    follows: str | None = Field(default=None, description="hall whose power it smooths")


class Battery(_Component):
    """Storage."""

    params_type: ClassVar = BatteryParams
    inputs: ClassVar = (
        Port("p_order_mw", "wanted power", 0.0),
        Port("p_site_mw", "power beside it", 0.0),
        Port("vm_pu", "voltage", 1.0),
        Port("f_hz", "frequency", 50.0),
        Port("p_droop_mw", "delivered droop", 0.0),
    )
    outputs: ClassVar = (
        Port("p_mw", "power drawn"),
        Port("soc_pu", "charge"),
        Port("droop_mw_per_hz", "droop"),
        Port("droop_up_mw", "room to charge"),
        Port("droop_down_mw", "room to discharge"),
    )
    links: ClassVar = (Link("follows", takes={"p_mw": "p_site_mw"}),)

    def __init__(self, params):
        super().__init__(params)
        for place, p in enumerate(params):
            if p.e_rated_mwh * 60 < p.p_rated_mw:
                msg = f"battery {place}: e_rated_mwh={p.e_rated_mwh:g} is empty within a minute"
                raise ScenarioError(msg)

    def devices(self):
        return tuple(DroopOffer() if p.fast else None for p in self.params)


class ProfileParams(Params):
    """Profile."""

    drives: str | None = Field(default=None, description="what it scales")
    shape: str = Field(default="flat", description="which curve")


class Profile(_Component):
    """A curve that scales grid elements."""

    params_type: ClassVar = ProfileParams
    outputs: ClassVar = (Port("scale_pu", "scale"),)


class ControlParams(Params):
    """Control."""


class Control(_Component):
    """Turns a charge into an order."""

    params_type: ClassVar = ControlParams
    inputs: ClassVar = (Port("soc_pu", "charge"), Port("busy_gpu", "work", 0.0))
    outputs: ClassVar = (Port("p_order_mw", "order"), Port("factor_pu", "factor"))


class GridParams(Params):
    """Grid."""

    case: str = Field(description="folder of tables")
    sn_mva: float = Field(default=100.0, gt=0, description="base power")


class SmallGrid:
    """Three buses and two lines, without physics."""

    params_type: ClassVar = GridParams

    def __init__(self, params: GridParams, connections: Connections) -> None:
        if params.case != "three":
            msg = f"case {params.case!r}: no such folder (known: three)"
            raise CaseError(msg)
        lost = [point for point in connections.points if point not in BUSES]
        if lost:
            msg = f"no point {lost[0]!r}"
            raise ScenarioError(msg)
        self.connections = connections
        self.elements: Mapping[str, tuple[str, ...]] = {"bus": BUSES, "line": LINES, "gen": ("pingwei_1",)}
        self.columns: Mapping[str, tuple[str, ...]] = {"bus": ("vm_pu",)}

    @classmethod
    def points_of(cls, params: GridParams) -> Sequence[str]:
        return BUSES if params.case == "three" else ()

    def reset(self, context):
        return {}

    def step(self, t_s, dt_s, inputs, events):
        return {}

    def finish(self) -> None:
        """Nothing is due."""

    def geography(self) -> Geography:
        return Geography((), (), (), (), (), (), ())

    def provenance(self):
        return {}


def _registry(group: str, **classes: type) -> Registry:
    registry = Registry(group)
    for name, cls in classes.items():
        registry.add(name, cls)
    return registry


@pytest.fixture(scope="session")
def models():
    """Registries of the small models, as keyword arguments."""
    kinds = _registry(
        "suandian.components",
        battery=Battery,
        control=Control,
        demand=Demand,
        hall=Hall,
        profile=Profile,
        weather=Weather,
        **{f"weather_{number}": type(f"Weather{number}", (Weather,), {}) for number in range(6)},
    )
    return {"kinds": kinds, "engines": _registry("suandian.grids", powerflow=SmallGrid)}


HEAD = """\
title: a test
start: 2025-08-06T20:00:00+08:00
until_s: 600
seed: 1
clock: {step_s: 10, windows: [{from_s: 300, to_s: 400, step_s: 1}]}
grid: {case: three}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a scenario of small models and return its name; messages then show just that."""
    monkeypatch.chdir(tmp_path)

    def _write(body: str, name: str = "study.yaml", head: str = HEAD) -> str:
        Path(name).write_text(head + body, encoding="utf-8")
        return name

    return _write
