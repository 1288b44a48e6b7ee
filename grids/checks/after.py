"""The network half a minute after power was lost: what the area's frequency response makes of it.

The engine `powerflow` steps over the loss, so governors, load damping and the rest of the area answer as they
do in a scenario, each where it enters: machines at their buses, the rest of the area through its ties.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cosim.core.component import Context
from cosim.core.errors import SolveError
from cosim.core.grid import Connections, GridEvent
from cosim.core.types import Floats
from grids.checks.base import Solved
from grids.checks.consequence import POLE, Consequence, consequence

AFTER_S = 30.0
"""Primary response has settled, and secondary has hardly begun."""

POLES = 2
"""Poles of a direct-current link; one lost takes this part of its power."""

DC = "dc"
"""Type of an sgen that is the end of a direct-current link."""


def pole_units(net: Any) -> Connections:
    """Return one unit at the bus of each direct-current end: it takes away what a lost pole carried."""
    ends = net.sgen[(net.sgen["type"] == DC) & net.sgen["in_service"]] if len(net.sgen) else net.sgen
    names = tuple(str(name) for name in ends["name"])
    return Connections(
        units=names,
        points=tuple(str(net.bus["name"].loc[bus]) for bus in ends["bus"]),
        devices=(None,) * len(names),
    )


def pole_outages(solved: Solved, poles: Connections) -> Iterator[Consequence]:
    """Yield what the loss of one pole of each link that carries anything leaves behind.

    Layers of one link (`name, 500 kV layer`) are lost together.
    """
    sgen = solved.net.sgen.set_index("name") if poles.units else None
    links = dict.fromkeys(name.split(",")[0] for name in poles.units)
    for link in links:
        lost = np.zeros((2, len(poles.units)))
        for k, name in enumerate(poles.units):
            if name.split(",")[0] == link and sgen is not None:
                lost[:, k] = np.array(sgen.loc[name, ["p_mw", "q_mvar"]], dtype=float) / POLES
        if np.any(lost[0]):
            yield after_event(solved, f"a pole of {link}", POLE, (), lost)


def after_event(
    solved: Solved, lost: str, kind: str, events: Sequence[GridEvent], units: Floats | None = None
) -> Consequence:
    """Return what is left `AFTER_S` after events, or after units began to draw; the engine starts anew.

    Parameters
    ----------
    units
        `p_mw` and `q_mvar` the connected units draw from then on, shape (2, units).
    """
    told: list[str] = []

    def note(t_s: float, unit: str, kind: str, text: str, data: str = "", /) -> None:
        del t_s, unit, data
        if kind == "islanded":
            told.append(text.removeprefix("without a source: "))

    grid = solved.grid
    grid.reset(Context(emit=note))
    count = len(grid.elements["point"])
    drawn = np.zeros((2, count)) if units is None else units
    try:
        grid.step(0.0, 1.0, _inputs(np.zeros((2, count))), ())
        tables = grid.step(1.0, AFTER_S, _inputs(drawn), events)
    except SolveError as error:
        return Consequence(lost, kind, solved=False, why=str(error), dark="; ".join(told))
    area = tables["area"]
    f_nominal_hz = float(solved.case.meta["f_nominal_hz"])
    low_hz, high_hz = float(np.min(area["f_min_hz"])), float(np.max(area["f_max_hz"]))
    extreme_hz = low_hz if f_nominal_hz - low_hz > high_hz - f_nominal_hz else high_hz
    return consequence(
        solved,
        lost,
        kind,
        vm_pu=np.asarray(tables["bus"]["vm_pu"]),
        line_percent=np.asarray(tables["line"]["loading_percent"]),
        trafo_percent=np.asarray(tables["trafo"]["loading_percent"]) if "trafo" in tables else np.zeros(0),
        dark="; ".join(told),
        lost_mw=float(drawn[0].sum()),
        f_extreme_hz=extreme_hz,
    )


def _inputs(drawn: Floats) -> dict[str, Floats]:
    nothing = np.zeros(drawn.shape[1])
    return {
        "p_mw": drawn[0],
        "q_mvar": drawn[1],
        "droop_mw_per_hz": nothing,
        "droop_up_mw": nothing,
        "droop_down_mw": nothing,
        "scale_pu": np.zeros(0),
    }
