"""Scenario -> Plan: everything decided and checked before anything runs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from cosim.campuses import campuses_of
from cosim.core.component import (
    Component,
    DeviceOffer,
    DroopOffer,
    devices_of,
    offer_of,
)
from cosim.core.errors import CaseError, ComponentError, ScenarioError, SuandianError
from cosim.core.grid import Connections, Grid, GridEvent
from cosim.core.registry import Registry
from cosim.foreseen import foreseen
from cosim.misfits import grid_findings, guilty, kpi_findings, limits_of, point_findings
from cosim.plan import GRID, Ask, Command, KindPlan, Plan, SetInput, Wire
from cosim.scenario import Scenario
from cosim.scenario.findings import Finding
from cosim.scenario.loading import Examined, examine
from cosim.scenario.parents import gather
from cosim.scenario.roster import Kind
from cosim.scenario.wiring import DRIVEN, Asked, asks, drives_of


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
    seen.findings += foreseen(seen) + kpi_findings(seen)
    connections = _connections(seen)
    limits = limits_of(seen)
    grid = _grid(seen, connections)
    if grid is not None:
        seen.findings += grid_findings(seen, grid)
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
        told = [Finding(guilty(seen, connections, line), line) for line in str(error).splitlines()]
        seen.findings += point_findings(seen, connections) or told
        return None
    except SuandianError:
        raise
    except Exception as error:
        seen.raise_findings()  # what is known to be wrong may well be the reason
        msg = f"grid engine {seen.engine.__name__} cannot be built: {type(error).__name__}: {error}"
        raise ComponentError(msg) from error


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
