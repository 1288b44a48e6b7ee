"""Campuses of a scenario: who stands behind which meters, and what is wrong with that."""

from collections.abc import Iterable, Iterator
from typing import Any

from cosim.core.grid import Grid
from cosim.plan import Campus, Meter
from cosim.scenario.explain import validated
from cosim.scenario.findings import Finding, KeyPath, one_of, unknown
from cosim.scenario.language import CampusSpec
from cosim.scenario.loading import Examined
from cosim.scenario.roster import Member

Branch = tuple[str, int, tuple[int, int]]
"""Table, row and buses: of a line from and to, of a transformer high and low."""


def campuses_of(seen: Examined, grid: Grid) -> tuple[Campus, ...]:
    """Return the campuses of a scenario; what is wrong with them is added to its findings."""
    said = seen.draft.data.get("campuses")
    if not isinstance(said, dict):
        return ()
    if not {"p_mw", "q_mvar"} <= set(grid.columns.get("point", ())) or "grid" not in grid.columns:
        text = "the engine of the grid does not tell what each unit draws"
        seen.findings.append(Finding(("campuses",), text, "an engine with tables `point` and `grid`"))
        return ()
    ground, found = _Ground(seen, grid), []
    for name, raw in said.items():
        spec, _ = validated(CampusSpec, raw, ("campuses", name))
        if spec is not None:  # else the language has said so
            found.append(ground.campus(name, spec))
    return tuple(found)


class _Ground:
    """The points and branches of a grid, and which campus has taken them."""

    def __init__(self, seen: Examined, grid: Grid) -> None:
        self._seen, self._connected = seen, seen.wiring.connected
        self._taken: dict[str, str] = {}
        geography = grid.geography()
        self._buses = {name: row for row, name in enumerate(grid.elements.get("bus", ()))}
        self._points = geography.points
        ends = {
            "line": zip(geography.line_from, geography.line_to, strict=True),
            "trafo": zip(geography.trafo_hv, geography.trafo_lv, strict=True),
        }
        self._branches: dict[str, Branch] = {
            name: (table, row, pair)
            for table, pairs in ends.items()
            for row, (name, pair) in enumerate(zip(grid.elements.get(table, ()), pairs, strict=False))
        }

    def campus(self, name: str, spec: CampusSpec) -> Campus:
        """Return one campus; notes what is wrong with it."""
        path: KeyPath = ("campuses", name)
        findings = self._seen.findings
        if name in self._seen.roster.members:
            findings.append(Finding(path, "is the name of a unit, too", "another name"))
        findings += self._point_findings(path, spec)
        behind = [member for member in self._connected if member.spec.at in spec.at]
        findings += self._critical_findings(path, spec, behind)
        meters = tuple(self._in_branches(path, spec) if spec.meters else self._at_points(spec))
        return Campus(name, spec.at, meters, tuple(member.name for member in behind), spec.critical)

    def _point_findings(self, path: KeyPath, spec: CampusSpec) -> Iterator[Finding]:
        used = {str(member.spec.at) for member in self._connected}
        for place, point in enumerate(spec.at):
            where = (*path, "at", place)
            if point not in self._points and point not in self._buses:
                yield unknown(where, "point or bus", point, dict.fromkeys((*self._points, *self._buses)))
            elif point in self._taken:
                text = f"is a point of campus {self._taken[point]!r} already"
                yield Finding(where, text, "each point in one campus")
            elif point not in used:
                yield Finding(where, "no unit is connected there", one_of(sorted(used)))
            self._taken.setdefault(point, str(path[-1]))

    def _critical_findings(
        self, path: KeyPath, spec: CampusSpec, behind: Iterable[Member]
    ) -> Iterator[Finding]:
        """Yield units that are not there, and a load that nothing behind the meters can carry."""
        here, named = {member.name: member for member in behind}, self._seen.roster.named
        for place, unit in enumerate(spec.critical):
            where = (*path, "critical", place)
            if unit not in named:
                yield unknown(where, "unit", unit, named)
            elif unit not in here:
                yield Finding(where, "is not connected at a point of this campus", one_of(here))
        need_mw = sum(_rated_mw(here[unit]) for unit in spec.critical if unit in here)
        given_mw = {name: mw for name, member in here.items() if (mw := _firm_mw(member)) > 0.0}
        if need_mw > sum(given_mw.values()):
            parts = ", ".join(f"{name} {mw:g}" for name, mw in given_mw.items()) or "no unit"
            text = (
                f"need {need_mw:g} MW rated, and what can carry them without the grid gives"
                f" {sum(given_mw.values()):g} MW ({parts})"
            )
            allowed = "batteries, gen-sets and fuel cells of at least that power"
            yield Finding((*path, "critical"), text, allowed)

    def _at_points(self, spec: CampusSpec) -> Iterator[Meter]:
        for point in spec.at:
            rows = tuple(row for row, member in enumerate(self._connected) if member.spec.at == point)
            yield Meter(point, "point", rows)

    def _in_branches(self, path: KeyPath, spec: CampusSpec) -> Iterator[Meter]:
        """Yield meters in branches, each with the side the campus is on; notes what is wrong."""
        inside, findings = self._inside(spec), self._seen.findings
        for place, name in enumerate(spec.meters):
            where = (*path, "meters", place)
            if name not in self._branches:
                findings.append(unknown(where, "line or transformer", name, self._branches))
                continue
            table, row, (first, second) = self._branches[name]
            if name in self._taken:
                text = f"is a meter of campus {self._taken[name]!r} already"
                findings.append(Finding(where, text, "each branch in one campus"))
            elif (first in inside) == (second in inside):
                text = "does not lie between the campus and the grid"
                findings.append(Finding(where, text, "every branch that joins them, and no other"))
            else:
                yield Meter(name, table, (row,), 1.0 if second in inside else -1.0)
            self._taken.setdefault(name, str(path[-1]))

    def _inside(self, spec: CampusSpec) -> set[int]:
        """Return the buses reached from the points of a campus without passing a meter."""
        named = (self._points.get(point, point) for point in spec.at)
        reached = {self._buses[bus] for bus in named if bus in self._buses}
        pairs = [pair for name, (_, _, pair) in self._branches.items() if name not in spec.meters]
        while True:
            more = {b for pair in pairs for a, b in (pair, pair[::-1]) if a in reached} - reached
            if not more:
                return reached
            reached |= more


def _rated_mw(member: Member) -> float:
    """Return the rated power of a load: of a hall that of its IT, cooling comes on top."""
    size = getattr(member.params, "size", None)
    rated = size() if callable(size) else member.params
    return float(getattr(rated, "it_rated_mw", None) or getattr(rated, "p_rated_mw", None) or 0.0)


def _firm_mw(member: Member) -> float:
    """Return what a unit gives on order for minutes: a battery, a gen-set or a fuel cell."""
    params: Any = member.params
    cell = getattr(params, "fuel_cell", None)
    if cell is not None:
        return float(cell.p_rated_mw)
    is_store = member.has_output("soc_pu") and hasattr(params, "e_rated_mwh")
    return float(params.p_rated_mw) if is_store or member.has_output("p_fuel_mw") else 0.0
