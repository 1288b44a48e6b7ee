"""What keeps a case or a unit from being integrated, known before a run."""

import contextlib
from collections.abc import Sequence
from typing import cast

import numpy as np

from cosim.core.errors import CaseError, ScenarioError, SolveError, collected
from cosim.core.grid import Connections, GridWindow
from grids.caseread import place_in
from grids.dynamics.network import DENSE_PORTS
from grids.dynamics.operating import MAKERS, solve_operating_point
from grids.dynamics.registry import device
from grids.dynamics.scheme import check_step
from grids.dynamics.system import build_system
from grids.dynamics.tables import read_units
from grids.elements import element_names
from grids.inside import Inside
from grids.params import RmsWindowParams
from grids.rms_units import hosted_units, part_element


def check_models(inside: Inside) -> None:
    """Refuse a case whose machines have no dynamic model.

    Raises
    ------
    CaseError
        Naming them, and the tables that could hold one.
    """
    net, case = inside.case.net, inside.case
    modelled = {unit.element for unit in read_units(case) if device(unit.model).carries_power}
    bare = [
        (table, name)
        for table in MAKERS
        for name, alive in zip(element_names(net[table], table), net[table]["in_service"], strict=True)
        if alive and name not in modelled
    ]
    if not bare:
        return
    told = ", ".join(f"{name} ({place_in(case.folder, table, name)}, column name)" for table, name in bare)
    msg = (
        f"case {case.name!r} has no dynamic model for {told}: give each a row in a table such as genrou.csv "
        "or gencls.csv beside the case, or run it with engine powerflow"
    )
    raise CaseError(msg)


def check_steps(inside: Inside, windows: Sequence[GridWindow]) -> None:
    """Refuse an inner step that the models of the case do not allow; devices of units are asked at the start.

    Raises
    ------
    ScenarioError
        Naming the window, the element, its time constant and the largest step.
    """
    wrong = []
    with contextlib.suppress(SolveError, CaseError):  # told when it starts: then the state is that of the run
        point = solve_operating_point(inside.case)
        groups = build_system(point, read_units(inside.case), DENSE_PORTS).groups
        for window in windows:
            params = cast("RmsWindowParams", window.params)
            try:
                check_step(groups, params.inner_step_s, params.method)
            except ScenarioError as error:
                where = f"window {window.name!r}: " if np.isfinite(window.to_s) else ""
                wrong.append(f"{where}inner_{error}")
    collected(wrong, ScenarioError)


def check_hosted(inside: Inside, connections: Connections) -> None:
    """Refuse devices of units that cannot be, or are per unit of another frequency than the grid's.

    Raises
    ------
    ScenarioError
        With all of them, each with its unit.
    """
    f_hz, wrong = float(inside.case.meta["f_nominal_hz"]), list[str]()
    for unit, offer in zip(connections.units, connections.hosted, strict=False):
        if offer is None:
            continue
        for part in offer.devices():
            try:
                hosted_units(part, part_element(unit, part))
            except ScenarioError as error:
                wrong += str(error).splitlines()
        if offer.f_nominal_hz not in {None, f_hz}:
            wrong.append(f"unit {unit!r}: f_nominal_hz={offer.f_nominal_hz:g}, but the grid's is {f_hz:g}")
    collected(wrong, ScenarioError)
