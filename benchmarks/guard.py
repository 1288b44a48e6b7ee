"""How long does the stability guard think about one request on a province of 70 buses?

Every exchange decides anew: frequency over a minute, power flow at its end, five losses, for each block.
Median of processor time of a whole grid step with its decision, topologies known. With `frequency: rms` every
machine is followed for 20 s for each block: that cost is told, no bar.
"""

import statistics
from time import process_time
from typing import Any

import numpy as np
from tools import bar

from cosim.core.component import Context
from cosim.core.grid import Connections
from grids.engine import PowerFlowGrid
from grids.guard.params import GuardParams

CASE, POINT = "shandong", "summer_evening_peak"
POINTS = ("jinan_220", "qingdao_220")
CALLS_COUNT = 40


def step_ms(limits: dict[str, Any], ask_mw: tuple[float, float], calls_count: int = CALLS_COUNT) -> float:
    n = len(POINTS)
    connections = Connections(units=("a", "b"), points=POINTS, devices=(None,) * n, asking=(True,) * n)
    params = PowerFlowGrid.params_type(case=CASE, point=POINT, guard=GuardParams(**limits))
    grid = PowerFlowGrid(params, connections)
    grid.reset(Context())
    names = ("q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw", "coming_mw")
    inputs = {**dict.fromkeys(names, np.zeros(n)), "scale_pu": np.zeros(0)}
    took = []
    for call in range(calls_count):
        asked = np.array(ask_mw) * (1.0 + 1e-4 * call)
        given = {**inputs, "p_mw": np.full(n, 5.0 * call), "ask_mw": asked}
        began = process_time()
        grid.step(float(call), 1.0, given, ())
        took.append(1e3 * (process_time() - began))
    return statistics.median(took[2:])


def main() -> None:
    fits, cut = step_ms({}, (1000.0, 0.0)), step_ms({}, (6000.0, 0.0))
    bar(f"{CASE}: one request that fits", fits, 50.0, "ms")
    bar(f"{CASE}: one that is cut, by a loading", cut, 50.0, "ms")
    bar(f"{CASE}: one that is cut, by frequency", step_ms({"df_hz": 0.02}, (3000.0, 0.0)), 50.0, "ms")
    print(f"     {CASE}: two that do not fit together: {step_ms({}, (6000.0, 6000.0)):.3g} ms")
    rms = step_ms({"frequency": "rms", "df_hz": 0.02}, (3000.0, 0.0), calls_count=5)
    print(f"     {CASE}: one that is cut, by frequency of all machines (rms): {rms / 1e3:.2g} s")


if __name__ == "__main__":
    main()
