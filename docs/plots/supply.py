"""Charts of docs/models/supply.md: `python docs/plots supply` writes them."""  # noqa: INP001

import numpy as np
from chart import Curve, chart
from test_ups_sequences import FINE_S, HALL_MW, connected, dip, played, supply

from datacenters.psu import Psu
from datacenters.supply_offer import MARGIN_PU

DIPS_S = (5.0, 21.0, 38.0, 54.0, 70.0, 87.0)


def sequence_chart() -> str:
    """Share on the grid after one dip, and in six that lock out, with what the delays add up to."""
    curves = []
    for colour, (label, dips_s, until_s) in enumerate(
        (("one dip at 10 s", (10.0,), 50.0), ("six dips from 5 s on", DIPS_S, 100.0))
    ):
        run = played(until_s, supply(), *(dip(at_s) for at_s in dips_s))
        t_s, part = np.asarray(run.t_s), connected(run).to_numpy()
        bends = np.flatnonzero(np.abs(np.diff(part, 2)) > 1e-6) + 1
        shown = np.unique(np.concatenate([[0], bends - 1, bends, bends + 1, [part.size - 1]]))
        curves.append(Curve(label, t_s[shown], part[shown], colour))
    for colour, x, y in ((0, [10.0, 20.055, 35.055], [0.0, 0.0, 1.0]), (1, [38.0], [0.0])):
        curves.append(Curve("from delays" if colour == 0 else "lock-out from delays", x, y, colour, "dots"))
    return chart("time [s]", "share of the hall on the grid [pu]", curves)


def hold_up_chart() -> str:
    """How long power supplies carry full racks in a sag, with the closed form."""
    depths, lasts_ms = [], []
    for x_pu in (1e-7, 0.1, 0.2, 0.3, 0.4):
        device = Psu(hold_s=0.02).device(HALL_MW, MARGIN_PU * HALL_MW, None) | {"ti_s": 0.0}
        run = played(0.4, device, dip(0.1, 0.3, x_pu=x_pu), step_s=FINE_S)
        ceased_s = next(t_s for t_s, text in run.log if "ceased" in text)
        depths.append(float(np.interp(0.11, run.t_s, run.vm_pu["high"])))
        lasts_ms.append(1e3 * (ceased_s - 0.1))
    vm_pu = np.linspace(0.0, 0.65, 27)
    closed = Curve("20 ms / (1 - 1.25 V)", vm_pu, 20.0 / (1.0 - 1.25 * vm_pu), 0)
    return chart(
        "voltage of the sag [pu]", "racks are carried [ms]",
        [closed, Curve("model, steps of 1 ms", depths, lasts_ms, 1, "dots")],
    )  # fmt: skip


CHARTS = {"supply_sequence.svg": sequence_chart, "supply_hold_up.svg": hold_up_chart}
