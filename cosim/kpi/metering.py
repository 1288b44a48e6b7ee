"""How the grid meters a customer: energy each way, maximum demand, power factor, and what is his own."""

import numpy as np

from cosim.core.types import Floats
from cosim.kpi.panel import Panel
from cosim.kpi.reduce import Measure, integral_h

DEMAND_S = 900.0
"""Period of demand: 15 minutes, as Chinese two-part tariffs have it (DL/T 614, meters' default)."""

SLIP_S = 60.0
"""The period slides by a minute (滑差式), as meters come (Acrel ADL400 manual, 7.4: 15 min, slip 1 min).

A meter set to blocks (区间式) reads no more: each block is one of the periods looked at where the run begins
on a quarter of an hour.
"""


def maximum_demand(panel: Panel) -> Measure:
    """Return the highest mean power over 15 minutes [MW], with the start of that time.

    Unknown for a run shorter than that, and periods with unknown power are left out.
    """
    found = Measure(float("nan"), unknown_s=panel.unknown_s)
    if panel.matrix.size == 0:
        return found
    edges = np.append(panel.t_s, panel.t_s[-1] + panel.dt_s[-1])
    starts = np.arange(edges[0], edges[-1] - DEMAND_S + 1e-6, SLIP_S)
    for column, name in enumerate(panel.names):
        mean_mw = _means(starts, edges, np.nan_to_num(panel.matrix[:, column]))
        mean_mw[_means(starts, edges, panel.unknown[:, column].astype(np.float64)) > 0.0] = np.nan
        if mean_mw.size == 0 or np.isnan(mean_mw).all():
            continue
        best = int(np.nanargmax(mean_mw))
        if not found.value >= mean_mw[best]:
            found = Measure(float(mean_mw[best]), name, float(starts[best]), panel.unknown_s)
    return found


def _means(starts: Floats, edges: Floats, values: Floats) -> Floats:
    """Return the mean of values that hold between edges over the periods that begin at `starts`."""
    area = np.concatenate([[0.0], np.cumsum(values * np.diff(edges))])
    return np.asarray((np.interp(starts + DEMAND_S, edges, area) - np.interp(starts, edges, area)) / DEMAND_S)


def power_factor(imported: Panel, q_mvar: Panel) -> Measure:
    """Return the lowest power factor of the run over the meters: from energies, as the bill has it.

    Active energy drawn over its root of squares with the reactive energy, of which what is drawn and what
    is sent back add up in magnitude (measures on power factor, 水电财字 215, 1983). A meter that drew no
    active energy has none.
    """
    p_mwh = np.nansum(imported.matrix * imported.dt_s[:, None], axis=0)
    q_mvarh = np.nansum(np.abs(q_mvar.matrix) * q_mvar.dt_s[:, None], axis=0)
    factor = np.where(p_mwh > 0.0, _ratio(p_mwh, np.hypot(p_mwh, q_mvarh)), np.nan)
    if np.isnan(factor).all():
        return Measure(float("nan"), unknown_s=imported.unknown_s)
    worst = int(np.nanargmin(factor))
    return Measure(float(factor[worst]), imported.names[worst], unknown_s=imported.unknown_s)


def own_share(load: Panel, source: Panel, genset: Panel) -> Measure:
    """Return the energy of sources and gen-sets behind the meters over what loads there draw."""
    made = integral_h(source).value + integral_h(genset).value
    return Measure(_over(made, integral_h(load).value), unknown_s=load.unknown_s)


def green_share(load: Panel, source: Panel) -> Measure:
    """Return the energy of sources without fuel behind the meters over what loads there draw."""
    return Measure(_over(integral_h(source).value, integral_h(load).value), unknown_s=load.unknown_s)


def _over(above: float, below: float) -> float:
    return above / below if below > 0.0 else float("nan")


def _ratio(above: Floats, below: Floats) -> Floats:
    whole = below > 0.0
    return np.where(whole, above / np.where(whole, below, 1.0), np.nan)
