"""A ramp that is ordered at the first exchange of a run."""

import numpy as np
from numpy.testing import assert_allclose

from cosim.core.component import Context
from cosim.core.grid import Connections, GridEvent
from grids.engine import PowerFlowGrid
from grids.links.orders import Ramp
from grids.params import PowerFlowParams

LINK = "west-east DC"


def test_a_ramp_ordered_at_the_first_exchange_takes_its_time_like_any_other(two_areas):
    grid = PowerFlowGrid(PowerFlowParams(case=str(two_areas())), Connections())
    grid.reset(Context())
    droop = [f"droop_{name}" for name in ("mw_per_hz", "up_mw", "down_mw")]
    inputs = dict.fromkeys(("p_mw", "q_mvar", "scale_pu", *droop), np.zeros(0))
    order = GridEvent(0.0, "dc_ramp", LINK, Ramp(link=LINK, to_mw=40.0, over_s=3.0))
    sent_mw = [
        grid.step(float(t), 1.0, inputs, [order] if t == 0 else ())["link"]["p_from_mw"][0] for t in range(5)
    ]
    assert_allclose(sent_mw, [90.0, 70.0, 50.0, 40.0, 40.0], atol=1e-9)
