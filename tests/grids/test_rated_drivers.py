"""A driver of ratings moves what stands at 0 at the operating point."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.core.grid import Connections
from grids.case import load_case
from grids.engine import PowerFlowGrid
from grids.params import PowerFlowParams

CASE, NIGHT = "anhui", "summer_evening_peak"


def grid_driven_by(what: str) -> PowerFlowGrid:
    grid = PowerFlowGrid(
        PowerFlowParams(case=CASE, point=NIGHT), Connections(drivers=("sun",), driven=(what,))
    )
    grid.reset(Context())
    return grid


def plants_mw(grid: PowerFlowGrid, factor: float) -> float:
    """Return what machines deliver when the driver says `factor`."""
    droop = [f"droop_{name}" for name in ("mw_per_hz", "up_mw", "down_mw")]
    nothing = dict.fromkeys(("p_mw", "q_mvar", *droop), np.zeros(0))
    tables = grid.step(0.0, 1.0, {**nothing, "scale_pu": np.array([factor])}, ())
    return float(tables["grid"]["generation_mw"][0] - tables["grid"]["losses_mw"][0])


def test_plants_make_room_for_what_the_sun_gives_of_the_rating_of_pv():
    net = load_case(CASE, NIGHT).net
    pv = net.sgen["type"] == "pv"
    assert net.sgen.loc[pv, "p_mw"].sum() == 0.0
    rows, of_mw = grid_driven_by("rated pv")._elements.driven(net, "rated pv")
    assert rows.size == pv.sum()
    assert_allclose(-of_mw.sum(), net.sgen.loc[pv, "sn_mva"].sum())


def test_what_is_delivered_stays_what_is_drawn():
    still = plants_mw(grid_driven_by("rated pv"), 0.0)
    assert plants_mw(grid_driven_by("rated pv"), 0.1) == pytest.approx(still, abs=1e-6)


def test_loads_have_no_rating_to_drive():
    with pytest.raises(ScenarioError, match="only sgens with an sn_mva have a rating"):
        grid_driven_by("rated prefecture")
