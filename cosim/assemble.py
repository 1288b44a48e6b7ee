"""Scenario -> Plan: everything decided and checked before anything runs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from cosim import kpi, verdict
from cosim.campuses import campuses_of
from cosim.core.component import (
    Component,
    DeviceOffer,
    DroopOffer,
    devices_of,
    offer_of,
    side_tables_of,
)
from cosim.core.errors import CaseError, ComponentError, ScenarioError, SuandianError
from cosim.core.grid import Connections, Grid, GridEvent
from cosim.core.registry import Registry, nearest
from cosim.foreseen import foreseen
from cosim.plan import GRID, Ask, Command, KindPlan, Plan, SetInput, Wire
from cosim.scenario import Scenario
from cosim.scenario.findings import Finding, KeyPath, one_of, quoted_key, unknown
from cosim.scenario.loading import Examined, examine
from cosim.scenario.parents import gather
from cosim.scenario.roster import Kind
from cosim.scenario.wiring import DRIVEN, Asked, asks, drives_of

SWITCHED = ("line", "trafo", "gen", "sgen", "load")
"""Tables whose elements can be tripped and closed."""


def prepare(
    path_or_name: str | Path,
    *,
    changes: Mapping[str, Any] | None = None,
    kinds: Registry | None = None,
    engines: Registry | None = None,
) -> Plan:
    """Read and assemble a scenario in one go: the error, if any, tells all that is wrong.

    Parameters are those of `cosim.scenario.load`; raises as `assemble`.
    """
    return _plan(examine(gather(path_or_name, changes), kinds, engines))


def assemble(scenario: Scenario, *, kinds: Registry | None = None, engines: Registry | None = None) -> Plan:
    """Return the plan of a scenario.

    Raises
    ------
    ScenarioError
        With every finding, one a line: file, line, key, value, what is wrong, what is allowed.
    ComponentError
        When an installed model cannot be imported or built.
    """
    return _plan(examine(scenario.draft, kinds, engines))


def _plan(seen: Examined) -> Plan:
    seen.findings += foreseen(seen) + _kpi_findings(seen)
    connections = _connections(seen)
    limits = _limits(seen)
    grid = _grid(seen, connections)
    if grid is not None:
        seen.findings += (
            _element_findings(seen, grid) + _table_findings(seen, grid) + _place_findings(seen, grid)
        )
        seen.findings += _row_findings(seen, grid)
    campuses = () if grid is None else campuses_of(seen, grid)
    scenario = seen.scenario()
    limits = limits if "limits" in seen.draft.data else scenario.limits
    if seen.clock is None or grid is None:
        msg = f"{seen.draft.file}: cannot be assembled"
        raise ScenarioError(msg)
    return Plan(
        scenario=scenario,
        clock=seen.clock,
        kinds=tuple(_kind_plan(kind, seen) for kind in seen.roster.kinds.values()),
        stages=seen.stages,
        wires=_wires(seen, connections, grid),
        grid=grid,
        connections=connections,
        grid_events=tuple(sorted((event for event, _ in seen.events.switching), key=_at_s)),
        limits=limits,
        campuses=campuses,
        asks=tuple(dict.fromkeys(_asks(seen))),
    )


def _at_s(event: GridEvent) -> float:
    return event.at_s


def _connections(seen: Examined) -> Connections:
    """Return who meets the grid where, in the order of the scenario."""
    units = seen.wiring.connected
    handed = [_offers(seen.roster.kinds[member.kind], member.name) for member in units]
    return Connections(
        units=tuple(member.name for member in units),
        points=tuple(str(member.spec.at) for member in units),
        devices=tuple(offer_of(offers, DroopOffer) for offers in handed),
        hosted=tuple(offer_of(offers, DeviceOffer) for offers in handed) if seen.hosts_devices else (),
        drivers=tuple(member.name for member in seen.wiring.drivers),
        driven=tuple(str(drives_of(member)) for member in seen.wiring.drivers),
        asking=tuple(asks(member) for member in units) if any(asks(member) for member in units) else (),
    )


def _offers(kind: Kind, unit: str) -> tuple[DroopOffer | DeviceOffer, ...]:
    offers = None if kind.component is None else devices_of(kind.component)
    return () if offers is None else offers[kind.index(unit)]


def _grid(seen: Examined, connections: Connections) -> Grid | None:
    """Return the grid, or None and what keeps it from being built."""
    if seen.engine is None or seen.grid_params is None:
        return None
    try:
        grid = cast("Grid", seen.engine(seen.grid_params, connections))
        for engine, windows in seen.grid_windows.items():
            grid = cast("Grid", engine.within(grid, windows, connections))
        return grid  # noqa: TRY300 - the plain end
    except (ScenarioError, CaseError) as error:
        told = [Finding(_guilty(seen, connections, line), line) for line in str(error).splitlines()]
        seen.findings += _point_findings(seen, connections) or told
        return None
    except SuandianError:
        raise
    except Exception as error:
        seen.raise_findings()  # what is known to be wrong may well be the reason
        msg = f"grid engine {seen.engine.__name__} cannot be built: {type(error).__name__}: {error}"
        raise ComponentError(msg) from error


def _guilty(seen: Examined, connections: Connections, line: str) -> KeyPath:
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


def _point_findings(seen: Examined, connections: Connections) -> list[Finding]:
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
        if event.element not in known:
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


def _unknown_place(path: KeyPath, what: str, name: str, known: tuple[str, ...]) -> Finding:
    """Return the finding for a place in the grid, which has too many to list them all."""
    few = one_of(known) if len(known) <= 12 else f"one of {len(known)}, such as {one_of(known[:4])}"
    return Finding(path, f"unknown {what}", few, nearest(name, known))


def _limits(seen: Examined) -> tuple[str, ...]:
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


def _kpi_findings(seen: Examined) -> list[Finding]:
    known = kpi.names()
    return [
        unknown(("expect", place, "kpi"), "kpi", name, known)
        for place, wanted in _said(seen, "expect")
        if isinstance(wanted, dict) and isinstance(name := wanted.get("kpi"), str) and name not in known
    ]


def _place_findings(seen: Examined, grid: Grid) -> list[Finding]:
    """Return the places that expectations name and that are neither in the grid nor a unit."""
    geography = grid.geography()
    levels = (f"{vn_kv:g} kV" for vn_kv in sorted(set(geography.vn_kv), reverse=True))
    elements = (name for names in grid.elements.values() for name in names)
    said = seen.draft.data.get("campuses")
    campuses = said if isinstance(said, dict) else ()
    side = (row for kind in seen.roster.kinds.values() for row in _side_rows(kind))
    places = [*seen.roster.members, *campuses, *side, *geography.points, *levels, *elements]
    known = tuple(dict.fromkeys(places))
    return [
        _unknown_place(("expect", place, "at"), "place", at, known)
        for place, wanted in _said(seen, "expect")
        if isinstance(wanted, dict) and isinstance(at := wanted.get("at"), str) and at not in known
    ]


def _side_rows(kind: Kind) -> tuple[str, ...]:
    """Return what the tables of its own of a kind have rows for."""
    if kind.component is None:
        return ()
    return tuple(row for table in side_tables_of(kind.component) for row in table.rows)


def _said(seen: Examined, key: str) -> list[tuple[int, Any]]:
    """Return the items of a list as written, so that other mistakes do not hide theirs."""
    said = seen.draft.data.get(key)
    return list(enumerate(said)) if isinstance(said, list) else []


def _kind_plan(kind: Kind, seen: Examined) -> KindPlan:
    units = tuple(member.name for member in kind.members)
    commands = [
        Command(order.t_s, units.index(order.unit), order.name, order.params)
        for order in seen.events.orders
        if order.unit in units
    ]
    sets = [
        SetInput(setting.t_s, units.index(setting.unit), setting.port, setting.value)
        for setting in seen.events.settings
        if setting.unit in units
    ]
    return KindPlan(
        kind=kind.name,
        component=cast("Component", kind.component),
        params=tuple(member.params for member in kind.members if member.params is not None),
        units=units,
        process=kind.is_process,
        commands=tuple(sorted(commands, key=lambda command: command.t_s)),
        sets=tuple(sorted(sets, key=lambda setting: setting.t_s)),
    )


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


def _asks(seen: Examined) -> Iterator[Ask]:
    """Yield who is asked for a range."""
    for strand in seen.wiring.strands:
        if strand.asks is not None:
            kind = seen.roster.members[strand.source].kind
            asks = strand.asks
            yield Ask(_said_by(kind, asks), kind, asks.over_s, asks.every_s, asks.without)


def _said_by(kind: str, asks: Asked) -> str:
    """Return what wires call the range of a kind."""
    return f"{kind} over {asks.over_s:g} s every {asks.every_s:g} s"


def _wires(seen: Examined, connections: Connections, grid: Grid) -> tuple[Wire, ...]:
    """Bundle the strands between the same two ports into wires that carry arrays."""
    bundles: dict[tuple[str, str, str, str, bool], list[tuple[int, int]]] = {}
    for strand in seen.wiring.strands:
        ends = (strand.source, strand.source_port, strand.target, strand.target_port)
        if strand.row is not None:
            table, row = strand.row
            source, source_index = f"{GRID} {table}", grid.elements[table].index(row)
        else:
            source, source_index = _end(seen, connections, ends[0], ends[1], opposite=strand.target)
        if strand.asks is not None:
            source = _said_by(source, strand.asks)
        target, target_index = _end(seen, connections, ends[2], ends[3], opposite=strand.source)
        key = (source, ends[1], target, ends[3], strand.late)
        bundles.setdefault(key, []).append((source_index, target_index))
    wires = []
    for (source, source_port, target, target_port, late), pairs in bundles.items():
        sources, targets = zip(*pairs, strict=True)
        wires.append(Wire(source, source_port, sources, target, target_port, targets, late))
    return tuple(wires)


def _end(seen: Examined, connections: Connections, unit: str, port: str, *, opposite: str) -> tuple[str, int]:
    """Return kind and array place of one end of a strand; the grid counts by who is at the other end."""
    if unit == GRID:
        order = connections.drivers if port == DRIVEN else connections.units
        return GRID, order.index(opposite)
    kind = seen.roster.kinds[seen.roster.members[unit].kind]
    return kind.name, kind.index(unit)
