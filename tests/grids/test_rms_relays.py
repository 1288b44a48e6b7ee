"""What relays do in a window stays done when the power flow goes on."""

import shutil

import numpy as np
import pytest

from cosim.core.component import Context
from cosim.core.grid import Connections, GridEvent, GridWindow
from grids.case import CASES
from grids.engine import PowerFlowGrid
from grids.params import PowerFlowParams, RmsWindowParams
from grids.rms import RmsGrid

SHED = "name,f1_hz,t1_s,share1_pu,share2_pu,share3_pu,share4_pu,share5_pu\nload_8,59.9,0.1,0.4,0,0,0,0\n"


@pytest.fixture
def case(tmp_path):
    folder = tmp_path / "shedding"
    shutil.copytree(CASES / "ieee39", folder)
    (folder / "ufls.csv").write_text(SHED, encoding="utf-8")
    return str(folder)


def test_a_load_that_was_shed_stays_shed_and_the_plants_follow(case):
    units = Connections()
    flow = PowerFlowGrid(PowerFlowParams(case=case, tap_control=False), units)
    grid = RmsGrid.within(flow, [GridWindow("trip", 2.0, 12.0, RmsWindowParams())], units)
    said = []
    grid.reset(Context(emit=lambda *told: said.append(told)))
    ports = ("p_mw", "q_mvar", "droop_mw_per_hz", "droop_up_mw", "droop_down_mw", "scale_pu")
    nothing = dict.fromkeys(ports, np.zeros(0))
    rows = []
    for t_s in [0.0, 1.0, *np.round(np.arange(2.0, 12.0, 0.1), 9), *range(12, 40)]:
        event = [GridEvent(3.0, "trip", "gen_33")] if abs(t_s - 3.0) < 1e-9 else []
        dt_s = 0.1 if 2.0 <= t_s < 12.0 else 1.0
        rows.append(grid.step(float(t_s), dt_s, nothing, event))
    shed = [text for _, source, kind, text in said if kind == "dynamics" and source == "load_8"]
    assert len(shed) == 1
    load = rows[0]["bus"]["p_mw"][grid.elements["bus"].index("bus_8")]
    after = [row["bus"]["p_mw"][grid.elements["bus"].index("bus_8")] for row in rows]
    assert load == pytest.approx(522.0, rel=1e-3)
    assert after[101] == pytest.approx(0.6 * load, rel=0.02)  # the last of the window
    assert after[102] == pytest.approx(0.6 * load, rel=0.02)  # the first of the power flow
    assert after[-1] == pytest.approx(0.6 * load, rel=0.02)
    assert "load_8" in next(text for _, _, kind, text in said if kind == "window_ends")
    grid.reset(Context())
    assert grid.step(0.0, 1.0, nothing, ())["bus"]["p_mw"][7] == pytest.approx(load, abs=1e-6)
