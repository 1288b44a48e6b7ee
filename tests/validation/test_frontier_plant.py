"""Frontier's day through the model of its hall: the plant follows the ramps of the jobs and loses no heat.

Power from the mix of `test_frontier_day` (statistics of 2024-04-07), wet bulb between that day's 2.9 and
13.2 °C (HPE sustain-lc, computed), towers, 0.945 of the heat into the coolant and pumps of 0.8 %
(ExaDigiT/RAPS). The machine's PUE of 1.03-1.06 is (unconfirmed) and no gate.
"""

from functools import cache

import numpy as np
import pytest
from frontier_mix import LARGE, SMALL

from cosim.core.component import Context
from cosim.core.streams import Streams
from datacenters.batch import Batch, BatchParams
from datacenters.catalog.racks import Rack
from datacenters.chillers import Chiller
from datacenters.cooling import Cooling, HallCdu, LiquidCircuit
from datacenters.gpu import FRONTIER_NODE
from datacenters.hall import GpuHall, GpuHallParams
from datacenters.plant import HeatRejection

RACKS, NODES_A_RACK, HEAT_PU, PUMP_PU = 74, 128, 0.945, 0.008
LOWEST_DEGC, HIGHEST_DEGC = 2.9, 13.2
STEP_S = 15.0


def frontier() -> GpuHallParams:
    idle_kw, busy_kw = FRONTIER_NODE.p_kw(0.0, 0.0), FRONTIER_NODE.p_kw(1.0, 0.35)
    rack = Rack(
        like="gb200_nvl72",
        title="Frontier",
        gpus_count=4 * NODES_A_RACK,
        full_load_kw=NODES_A_RACK * busy_kw,
        idle_pu=idle_kw / busy_kw,
        gpu_heat_pu=0.7,
        liquid_heat_pu=HEAT_PU,
    )
    liquid = LiquidCircuit(
        rejection=HeatRejection(kind="tower"), chiller=Chiller(), chiller_pu=0.0, cdu=HallCdu(pump_pu=PUMP_PU)
    )
    return GpuHallParams(rack=rack, racks_count=RACKS, cooling=Cooling(liquid=liquid))


@cache
def day() -> dict[str, np.ndarray]:
    """Return what the hall publishes over a day, each (samples,)."""
    jobs = Batch([BatchParams(gpus_count=4.0 * NODES_A_RACK * RACKS, classes=(LARGE, SMALL))])
    jobs.reset(Context(streams=Streams(3), names=("frontier",)))
    hall = GpuHall([frontier()])
    hall.reset(Context(names=("hall",)))
    inputs = {port.name: np.full(1, port.default or 0.0) for port in hall.inputs}
    rows = []
    for n in range(int(86400 / STEP_S)):
        t_s = n * STEP_S
        wave = 0.5 - 0.5 * np.cos(2.0 * np.pi * (t_s / 3600.0 - 3.0) / 24.0)
        wet_degc = LOWEST_DEGC + (HIGHEST_DEGC - LOWEST_DEGC) * wave
        now = {
            "work_gpu": jobs.step(t_s, STEP_S, {})["work_gpu"],
            "temp_wetbulb_degc": np.full(1, wet_degc),
            "temp_outdoor_degc": np.full(1, wet_degc + 4.0),
        }
        rows.append(hall.step(t_s, STEP_S, {**inputs, **now}))
    return {name: np.array([float(row[name][0]) for row in rows]) for name in rows[0]}


def test_heat_of_the_day_is_rejected_or_stored():
    d = day()
    hours = STEP_S / 3600.0
    into_mwh = np.cumsum(d["it_mw"] + d["mover_mw"] - d["heat_rejected_mw"]) * hours
    stored_mwh = d["heat_stored_mwh"] - d["heat_stored_mwh"][0]
    assert stored_mwh == pytest.approx(into_mwh - into_mwh[0], abs=1e-9 * d["it_mw"].sum() * hours)


def test_towers_alone_carry_the_machine_and_no_clock_falls():
    d = day()
    assert d["it_mw"].max() > 20.0  # the day has runs of nearly the whole machine
    assert d["chiller_mw"].max() < 0.02 * d["it_mw"].max()  # those of room air only
    assert d["throttle_pu"].max() == 0.0
    assert d["racks_on_pu"].min() == 1.0
    assert d["temp_supply_degc"].max() < 36.0
    overhead_pu = d["cooling_mw"].sum() / d["it_mw"].sum()
    assert overhead_pu == pytest.approx(0.0155, abs=0.002)  # without losses of the supply


def test_the_plant_sees_the_ramps_of_the_power_later_and_less_steep():
    """Loops hold a minute of heat: over a minute rejected heat moves less than power, over 10 min as much."""
    d = day()
    for window_s, least, most in ((15.0, 0.5, 0.95), (60.0, 0.5, 0.95), (600.0, 0.95, 1.02)):
        lag = int(window_s / STEP_S)
        power, heat = (np.abs(d[name][lag:] - d[name][:-lag]).max() for name in ("it_mw", "heat_rejected_mw"))
        assert least < heat / power < most
