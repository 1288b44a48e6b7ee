"""Chart of docs/models/battery.md: `python docs/plots battery` writes it."""  # noqa: INP001

import numpy as np
from chart import Curve, chart
from test_lfp_ageing import POINTS, REMAINING_PU, lost_after

YEARS = (1, 2, 4, 7, 10)


def ageing_chart() -> str:
    """Capacity left over ten years at six stresses, with what the published model has left after ten."""
    left = [np.ones(len(POINTS))] + [1.0 - np.add(*lost_after(365 * years)) for years in YEARS]
    curves = []
    for k, (degc, soc, depth, rate, full) in enumerate(POINTS[:, :5].tolist()):
        label = f"{degc:g} °C, {full:g}/d at {rate:g}/h" if depth else f"{degc:g} °C, at rest at {soc:g}"
        curves.append(Curve(label, [0, *YEARS], [one[k] for one in left], k))
        curves.append(Curve("", [YEARS[-1]], [REMAINING_PU[k]], k, "dots"))
    curves.append(Curve("published", [], [], 5, "dots"))
    return chart("years", "capacity left, of new [pu]", curves)


CHARTS = {"battery_ageing.svg": ageing_chart}
