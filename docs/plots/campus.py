"""Chart of docs/models/campus.md: `python docs/plots campus` writes it."""  # noqa: INP001

import numpy as np
from chart import Curve, chart

from cosim.kpi.metering import DEMAND_S, maximum_demand
from cosim.kpi.panel import Panel

BASE_MW, STEP_MW, EXCHANGE_S = 10.0, 20.0, 30.0


def metered_mw(lasts_s: float, begins_s: float) -> float:
    """Return the maximum demand of an hour and a half with one step of power [MW]."""
    t_s = np.arange(0.0, 5400.0, EXCHANGE_S)
    power_mw = BASE_MW + STEP_MW * ((t_s >= begins_s) & (t_s < begins_s + lasts_s))
    rows = power_mw[:, None]
    panel = Panel(t_s, np.full(t_s.size, EXCHANGE_S), ("main",), rows, np.zeros(rows.shape, dtype=bool))
    return maximum_demand(panel).value


def demand_chart() -> str:
    """Maximum demand over how long a step of power lasts, with the mean over the best 15 minutes."""
    minutes = np.arange(1.0, 31.0)
    bends = np.array([0.0, DEMAND_S, 1800.0])
    best_mw = BASE_MW + STEP_MW * np.minimum(bends / DEMAND_S, 1.0)
    return chart(
        "time the step lasts [min]",
        "maximum demand [MW]",
        [
            Curve("closed form", bends / 60.0, best_mw, 5),
            Curve(
                "begins with a minute", minutes, [metered_mw(60.0 * m, 1800.0) for m in minutes], 0, "dots"
            ),
            Curve("half a minute later", minutes, [metered_mw(60.0 * m, 1830.0) for m in minutes], 1, "dots"),
        ],
    )


CHARTS = {"campus_demand.svg": demand_chart}
