"""All checks of a case, operating point by operating point."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from cosim.core.errors import SuandianError
from cosim.core.grid import Connections
from grids.case import load_case
from grids.checks.after import pole_outages, pole_units
from grids.checks.base import BACKBONE_KV, Solved, solve_point
from grids.checks.consequence import Consequence
from grids.checks.finding import Finding, State, listed
from grids.checks.inertia import check_inertia
from grids.checks.levels import check_levels
from grids.checks.limits import check_limits
from grids.checks.lines import check_lines
from grids.checks.outages import branch_outages
from grids.checks.second_solver import check_second_solver
from grids.checks.totals import check_totals, check_year
from grids.expected_dynamics import check_start
from grids.inventory import common_points
from grids.portrayal import open_case

SAME_PU = 1e-6
"""Voltages this close are the same solution."""

FLAT, DRIFT = "flat start", "20 s at rest"
"""Names of the checks of the dynamics, in the order of `check_start`."""


def check_case_points(name: str) -> list[Finding]:
    """Return what holds of a case over all its operating points: totals and the year.

    Raises
    ------
    CaseError
        When the case is wrong.
    """
    cases = [load_case(name, point) for point in common_points(name)]
    return [*check_totals(cases), *check_year(cases)]


def check_point(name: str, point: str | None, *, dynamics: bool = True) -> list[Finding]:
    """Return what is found at one operating point of a case.

    Nothing after a power flow without solution is looked at; a case that cannot be read is one finding.

    Parameters
    ----------
    name, point
        Case name or folder, and its operating point.
    dynamics
        Start the machines and let them stand for 20 s.
    """
    try:
        solved, poles = _solved(name, point)
    except SuandianError as error:
        return [Finding("power flow", State.BAD, str(error), point=point or "")]
    found = [
        _flat_start(solved),
        *check_limits(solved),
        *_beyond(solved, poles),
    ]
    if dynamics:
        found += _rest(name, point)
    return [replace(finding, point=point or "") for finding in found]


def check_points(name: str) -> list[Finding]:
    """Return what is found at all operating points of a case, or of cases joined by `+`.

    What is wrong at several points alike is said once, with their names, or without where it is all of them.

    Raises
    ------
    CaseError
        When there is no such case.
    """
    points = common_points(name)
    where: dict[Finding, list[str]] = {}
    for point in points:
        for finding in check_point(name, point):
            same = replace(finding, point="") if finding.state is State.BAD else finding
            where.setdefault(same, []).append(finding.point)
    return [
        finding if finding.state is not State.BAD else replace(finding, point=_named(at, len(points)))
        for finding, at in where.items()
    ]


def _named(at: Sequence[str], points: int) -> str:
    return "" if len(at) == points > 1 else ", ".join(at)


def check_beyond(name: str, point: str | None) -> list[Finding]:
    """Return what another solver, losses, faults and inertia say of a case, or of a pandapower net.

    Raises
    ------
    CaseError, SolveError
        When it is wrong, or has no solution.
    """
    return _beyond(*_solved(name, point))


def _solved(name: str, point: str | None) -> tuple[Solved, Connections]:
    poles = pole_units(open_case(name, point).net)
    return solve_point(name, point, poles), poles


def _beyond(solved: Solved, poles: Connections) -> list[Finding]:
    return [
        check_lines(solved.case),
        check_second_solver(solved),
        *check_inertia(solved.case, is_province=solved.is_province),
        *check_levels(solved),
        *_outages([*branch_outages(solved), *pole_outages(solved, poles)]),
    ]


def check_grid_case(name: str) -> Iterator[str]:
    """Yield every way in which a case fails what ours must pass; nothing when it is sound.

    Parameters
    ----------
    name
        A case folder of anybody's, or the name of one of ours.
    """
    findings = check_points(name)
    if all(finding.check != "power flow" or finding.state is State.GOOD for finding in findings):
        findings += check_case_points(name)
    yield from (str(finding) for finding in findings if finding.state is State.BAD)


def all_outages(name: str, point: str | None, least_kv: float = BACKBONE_KV) -> list[Consequence]:
    """Return the whole table of N-1 of a case or net: branches of a voltage and above, and poles.

    Raises
    ------
    CaseError, SolveError
        When it is wrong, or has no solution to begin with.
    """
    solved, poles = _solved(name, point)
    return [*branch_outages(solved, least_kv), *pole_outages(solved, poles)]


def _flat_start(solved: Solved) -> Finding:
    """Return whether Newton's method arrives from set-points at one angle, where no transformer shifts it."""
    state = solved.inside.state
    start, model = state.model.v_start, state.model
    one_angle = np.abs(start) * start[model.ref[0]] / np.abs(start[model.ref[0]])
    found = state.flow.once(state.demand(), one_angle)
    apart_pu = float(np.max(np.abs(found.v - state.v), initial=0.0))
    if found.converged and apart_pu < SAME_PU:
        return Finding("power flow", State.GOOD, f"solved from a flat start in {found.iterations} iterations")
    state_of = State.BAD if solved.is_province else State.NOTE
    text = "no solution" if not found.converged else f"another solution, {apart_pu:.2g} pu away,"
    return Finding("power flow", state_of, f"{text} from a flat start, unlike from the linear power flow")


def _outages(consequences: Sequence[Consequence]) -> list[Finding]:
    if not consequences:
        return []
    bad = [str(one) for one in consequences if one.unacceptable()]
    noted = [str(one) for one in consequences if one.worth_a_note() and not one.unacceptable()]
    text = f"{len(bad)} of {len(consequences)} losses break a limit"
    text += f": {listed(bad)}" if bad else ""
    text += f"; to be known: {listed(noted)}" if noted else ""
    state = State.BAD if bad else State.NOTE if noted else State.GOOD
    return [Finding("N-1", state, text, float(len(bad)), 0.0)]


def _rest(name: str, point: str | None) -> list[Finding]:
    try:
        runs = list(check_start(name, point))
    except SuandianError as error:
        return [Finding(FLAT, State.BAD, str(error))]
    return [
        Finding(
            check,
            State.of(run.good),
            f"{run.quantity} {run.value:.2g} (allowed: {run.bar:g})",
            run.value,
            run.bar,
        )
        for check, run in zip((FLAT, DRIFT), runs, strict=False)
    ]
