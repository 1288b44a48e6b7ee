"""How much faster is a grid step than mosaik-pandapower-2 stepping the same net?

Both get a new load at one bus each step and hand out all bus voltages and line loadings, driven
directly, without mosaik around them.
"""

from time import perf_counter

import numpy as np
from mosaik_components.pandapower import Simulator
from tools import bar

from cosim.core.component import Context
from cosim.core.grid import Connections
from grids.case import load_case
from grids.engine import PowerFlowGrid

CASE, POINT, AT = "anhui", "summer_evening_peak", "huaibei_220"


def loads_mw(count: int) -> np.ndarray:
    return 50.0 + 20.0 * np.sin(np.arange(count))


def ours_ms(count: int) -> float:
    connections = Connections(units=("hall",), points=(AT,), devices=(None,))
    grid = PowerFlowGrid(PowerFlowGrid.params_type(case=CASE, point=POINT), connections)
    grid.reset(Context())
    zero = np.zeros(1)
    names = ("q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw")
    inputs = {**dict.fromkeys(names, zero), "scale_pu": np.zeros(0)}
    powers = [np.array([p]) for p in loads_mw(count + 100)]
    for step in range(100):
        grid.step(float(step), 1.0, {**inputs, "p_mw": powers[step]}, ())
    began = perf_counter()
    for step in range(100, count + 100):
        grid.step(float(step), 1.0, {**inputs, "p_mw": powers[step]}, ())
    return 1e3 * (perf_counter() - began) / count


def theirs_ms(count: int) -> float:
    case = load_case(CASE, POINT)
    peer = Simulator()
    peer.init("peer", time_resolution=1.0, step_size=1)
    peer.create(1, "Grid", net=case.net)
    peer.setup_done()
    bus = f"Bus-{case.points[AT]}"
    outputs = {f"Bus-{i}": ["Vm[pu]"] for i in case.net.bus.index}
    outputs |= {f"Line-{i}": ["loading[%]"] for i in case.net.line.index}
    peer.step(0, {bus: {"P_load[MW]": {"hall": 50.0}}}, 1)
    began = perf_counter()
    for step, p_mw in enumerate(loads_mw(count)):
        peer.step(step + 1, {bus: {"P_load[MW]": {"hall": p_mw}}}, 1)
        peer.get_data(outputs)
    return 1e3 * (perf_counter() - began) / count


def main() -> None:
    ours, theirs = ours_ms(2_000), theirs_ms(50)
    print(f"one step of {CASE}: ours {ours:.3f} ms, mosaik-pandapower-2 {theirs:.1f} ms")
    bar("ratio", theirs / ours, 100.0, "times faster", at_least=True)


if __name__ == "__main__":
    main()
