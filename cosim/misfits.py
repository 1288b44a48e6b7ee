"""What a scenario names and its grid, the KPIs or the limit sets do not have."""

from typing import Any

from cosim import kpi, verdict
from cosim.core.component import SideTable, side_tables_of
from cosim.core.errors import CaseError, ScenarioError
from cosim.core.grid import Connections, Grid
from cosim.core.registry import nearest
from cosim.kpi.catalog import KPIS
from cosim.scenario.findings import Finding, KeyPath, one_of, quoted_key, unknown
from cosim.scenario.loading import Examined
from cosim.scenario.roster import Kind

SWITCHED = ("line", "trafo", "gen", "sgen", "load")
"""Tables whose elements can be tripped and closed."""

ACCOUNTS = {"campus", "meter"}
"""Tables the recorder writes where a scenario has campuses."""


def grid_findings(seen: Examined, grid: Grid) -> list[Finding]:
    """Return what a scenario names that a grid does not have, or cannot do."""
    return [
        *_element_findings(seen, grid),
        *_table_findings(seen, grid),
        *_place_findings(seen, grid),
        *_row_findings(seen, grid),
        *_silent_findings(seen, grid),
    ]


def guilty(seen: Examined, connections: Connections, line: str) -> KeyPath:
    """Return the key a grid complains about: of the unit or window it quotes, or of the grid itself."""
    said_by = (
        ("drives", connections.drivers, connections.driven),
        ("at", connections.units, connections.points),
    )
    for key, units, values in said_by:
        for unit, value in zip(units, values, strict=True):
            if repr(unit) in line or repr(value) in line:
                return ("units", unit, key)
    said = seen.draft.data.get("grid", {})
    for place, window in enumerate(said.get("windows", ())):
        if repr(window["name"]) in line:
            return ("grid", "windows", place)
    named = quoted_key(said, line)
    return ("grid", *(named or [key for key in ("case", "cases", "network") if said.get(key)][:1]))


def point_findings(seen: Examined, connections: Connections) -> list[Finding]:
    """Return the units at points the grid does not have, where the engine can list its points."""
    known_points = getattr(seen.engine, "points_of", None)
    if known_points is None:
        return []
    try:
        known = tuple(known_points(seen.grid_params))
    except (ScenarioError, CaseError):
        return []  # the case itself is wrong
    members = seen.wiring.connected
    return [
        _unknown_place((*member.path, "at"), "point or bus", point, known)
        for member, point in zip(members, connections.points, strict=True)
        if known and point not in known
    ]


def _element_findings(seen: Examined, grid: Grid) -> list[Finding]:
    """Return the elements that events name and the grid does not have, else what the grid says of them."""
    subjects = getattr(grid, "subjects", None)
    switchable = tuple(getattr(grid, "switchable", ())) or tuple(
        name for table in SWITCHED for name in grid.elements.get(table, ())
    )
    found = []
    for event, path in seen.events.switching:
        known = switchable if subjects is None else subjects(event.action)
        if path[-1] == "link" and not known:
            text = "the grid has no direct-current link of its own"
            either = "`cases:` that hold both its ends, or `trip` of the element that stands for its end here"
            found.append(Finding(path, text, either))
        elif event.element not in known:
            found.append(_unknown_place(path, str(path[-1]), event.element, known))
    expect = getattr(grid, "expect", None)
    if expect is None:
        return found
    told = [finding.path for finding in found]
    sound = [(event, path) for event, path in seen.events.switching if path not in told]
    said = expect([event for event, _ in sound])
    return found + [
        Finding(path[:-1], text) for (_, path), text in zip(sound, said, strict=True) if text is not None
    ]


def _table_findings(seen: Examined, grid: Grid) -> list[Finding]:
    """Return the kinds whose table of results would be one of the grid's."""
    return [
        Finding((*kind.members[0].path, "component"), "the grid writes a table of this name", "another name")
        for kind in seen.roster.kinds.values()
        if kind.name in grid.elements
    ]


def _place_findings(seen: Examined, grid: Grid) -> list[Finding]:
    """Return the places that expectations name and that are neither in the grid nor a unit."""
    geography = grid.geography()
    levels = (f"{vn_kv:g} kV" for vn_kv in sorted(set(geography.vn_kv), reverse=True))
    elements = (name for names in grid.elements.values() for name in names)
    said = seen.draft.data.get("campuses")
    campuses = said if isinstance(said, dict) else ()
    side = (row for kind in seen.roster.kinds.values() for table in _side_tables(kind) for row in table.rows)
    places = [*seen.roster.members, *campuses, *side, *geography.points, *levels, *elements]
    known = tuple(dict.fromkeys(places))
    return [
        _unknown_place(("expect", place, "at"), "place", at, known)
        for place, wanted in _said(seen, "expect")
        if isinstance(wanted, dict) and isinstance(at := wanted.get("at"), str) and at not in known
    ]


def _side_tables(kind: Kind) -> tuple[SideTable, ...]:
    """Return the tables of its own a kind writes: none from a process of its own."""
    return () if kind.component is None or kind.is_process else side_tables_of(kind.component)


def _row_findings(seen: Examined, grid: Grid) -> list[Finding]:
    """Return the rows and columns of the grid's tables that units listen to and that are not there.

    And the kinds that are asked for a range in a process of their own, where nobody can ask them.
    """
    found = []
    for strand in seen.wiring.strands:
        if strand.asks is not None and seen.roster.kinds[seen.roster.members[strand.source].kind].is_process:
            text = f"{strand.source} runs in a process of its own, where it cannot be asked for its range"
            found.append(Finding(strand.path, text, "`asks_over_s` left out, or `process: false`"))
        if strand.row is None:
            continue
        table, row = strand.row
        if table not in grid.elements:
            found.append(unknown(strand.path, "table of the grid", table, tuple(grid.elements)))
        elif row not in grid.elements[table]:
            found.append(_unknown_place(strand.path, f"row of the table {table}", row, grid.elements[table]))
        elif strand.source_port not in grid.columns[table]:
            columns = grid.columns[table]
            found.append(unknown(strand.path, f"column of the table {table}", strand.source_port, columns))
    return found


def kpi_findings(seen: Examined) -> list[Finding]:
    """Return the expectations of KPIs that are not known."""
    known = kpi.names()
    return [
        unknown(("expect", place, "kpi"), "kpi", name, known)
        for place, wanted in _said(seen, "expect")
        if isinstance(wanted, dict) and isinstance(name := wanted.get("kpi"), str) and name not in known
    ]


def _silent_findings(seen: Examined, grid: Grid) -> list[Finding]:
    """Return the expectations of KPIs whose quantities nobody in the scenario publishes."""
    if len(seen.roster.members) < len(seen.roster.named):
        return []  # who is broken may publish it
    own = {kind.name: {port.name for port in kind.model.outputs} for kind in seen.roster.kinds.values()}
    for kind in seen.roster.kinds.values():
        own |= {table.name: set(table.columns) for table in _side_tables(kind)}
    every = {**{table: set(columns) for table, columns in grid.columns.items()}, **own}
    found = []
    for place, wanted in _said(seen, "expect"):
        one = KPIS.get(str(wanted.get("kpi"))) if isinstance(wanted, dict) else None
        if one is None or one.of_orders or (seen.draft.data.get("campuses") and set(one.tables) & ACCOUNTS):
            continue
        held = (every[table] for table in one.tables if table in every) if one.tables else own.values()
        if not any(set(one.columns) <= columns for columns in held):
            text = f"nothing in the scenario publishes {' and '.join(one.columns)}"
            found.append(Finding(("expect", place, "kpi"), text))
    return found


def limits_of(seen: Examined) -> tuple[str, ...]:
    """Return the limit sets: names, and files found beside the scenario that names them; notes findings."""
    known, found = verdict.limit_sets(), []
    for place, name in _said(seen, "limits"):
        path: KeyPath = ("limits", place)
        if not isinstance(name, str):
            continue
        file = seen.draft.folder(path) / name
        if name not in known and not file.is_file():
            seen.findings.append(unknown(path, "limit set or file", name, known))
            continue
        found.append(name if name in known else str(file))
        try:
            verdict.load_limits(found[-1])
        except ScenarioError as error:
            seen.findings += [Finding(path, line) for line in str(error).splitlines()]
    return tuple(found)


def _said(seen: Examined, key: str) -> list[tuple[int, Any]]:
    """Return the items of a list as written, so that other mistakes do not hide theirs."""
    said = seen.draft.data.get(key)
    return list(enumerate(said)) if isinstance(said, list) else []


def _unknown_place(path: KeyPath, what: str, name: str, known: tuple[str, ...]) -> Finding:
    """Return the finding for a place in the grid, which has too many to list them all."""
    few = one_of(known) if len(known) <= 12 else f"one of {len(known)}, such as {one_of(known[:4])}"
    return Finding(path, f"unknown {what}", few, nearest(name, known))
