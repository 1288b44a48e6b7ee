"""Chart of docs/models/genset.md: `python docs/plots genset` writes it."""  # noqa: INP001

import numpy as np
from chart import Curve, chart
from test_genset_speed import AT_S, F_HZ, after_a_step


def speed_chart() -> str:
    """Speed of a gas and a diesel set alone on their bus after their first load step."""
    curves = []
    for colour, (kind, step_pu) in enumerate((("gas", 0.16), ("diesel", 0.5))):
        run = after_a_step(kind, step_pu)
        t_s, f_hz = np.asarray(run.t_s), run.f_coi_hz.to_numpy()
        shown = np.flatnonzero((t_s > AT_S - 0.5) & (t_s < AT_S + 15.0))[::20]
        speed = 100.0 * f_hz[shown] / F_HZ
        curves.append(Curve(f"{kind}, {100 * step_pu:g} %", t_s[shown] - AT_S, speed, colour))
    curves.append(Curve("gas, published drop", [0.0, 15.0], [92.0, 92.0], 0, "dashes"))
    return chart("time after the load step [s]", "speed [%]", curves)


CHARTS = {"genset_speed.svg": speed_chart}
