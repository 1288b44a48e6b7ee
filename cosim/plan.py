"""What a run is made of, decided before it starts: kinds, simulators, wires, clock, grid."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cosim.core.clock import Clock
from cosim.core.component import Component
from cosim.core.grid import Connections, Grid, GridEvent
from cosim.core.params import Params
from cosim.scenario import Scenario
from cosim.scenario.loading import MOST_SIMULATORS

GRID = "grid"
"""Name of the grid wherever a kind is named; no unit and no kind may be called so."""


@dataclass(frozen=True)
class Command:
    """One event handed to a component before the exchange that starts at `t_s`."""

    t_s: float
    unit_index: int
    name: str
    params: Params


@dataclass(frozen=True)
class SetInput:
    """From `t_s` on, an input port nobody wires holds `value`."""

    t_s: float
    unit_index: int
    port: str
    value: float


@dataclass(frozen=True)
class KindPlan:
    """All units of one component kind: one object, arrays over `units`."""

    kind: str
    component: Component
    params: tuple[Params, ...]
    units: tuple[str, ...]
    process: bool = False
    commands: tuple[Command, ...] = ()
    sets: tuple[SetInput, ...] = ()


@dataclass(frozen=True)
class Wire:
    """Values that flow from one port to another: `target[target_index[i]] += source[source_index[i]]`.

    `source` and `target` are kinds or `grid`. Component ends are indexed by unit of the kind, the
    grid's `scale_pu` by driver, all other grid ports by connected unit. Every wire into a port adds
    up, also within one wire where `target_index` repeats. A `delayed` wire arrives one exchange
    late; its first value comes from the tables of the grid's reset or, between components, from the default
    of the target port. A delayed one may come from a table of the grid, `grid <table>`, indexed by its rows,
    and from what units say of their range, an `Ask`.
    """

    source: str
    source_port: str
    source_index: tuple[int, ...]
    target: str
    target_port: str
    target_index: tuple[int, ...]
    delayed: bool = False


@dataclass(frozen=True)
class Ask:
    """A kind that is asked for its range again and again, as others hear it."""

    source: str
    """What wires call it."""
    kind: str
    over_s: float
    every_s: float
    without: tuple[str, ...]
    """Input ports that rest while it is asked: those that who asks feeds."""


@dataclass(frozen=True)
class Meter:
    """Where power of a campus is counted: the units at a point, or one end of a branch."""

    name: str
    table: str
    """`point`, `line` or `trafo`."""
    rows: tuple[int, ...]
    """Connected units, or the branch."""
    sign: float = 1.0
    """-1 where the end of a branch that the tables tell is that of the campus."""


@dataclass(frozen=True)
class Campus:
    """Units behind the meters of one customer."""

    name: str
    points: tuple[str, ...]
    meters: tuple[Meter, ...]
    units: tuple[str, ...]
    critical: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A scenario ready to run.

    A stage is one mosaik simulator. Stages come in the order in which they step; the kinds of one
    stage do not feed each other within an exchange.
    """

    scenario: Scenario
    clock: Clock
    kinds: tuple[KindPlan, ...]
    stages: tuple[tuple[str, ...], ...]
    wires: tuple[Wire, ...]
    grid: Grid
    connections: Connections
    grid_events: tuple[GridEvent, ...] = ()
    limits: tuple[str, ...] = ()
    """Names of limit sets, and files of the user's where they lie."""
    campuses: tuple[Campus, ...] = ()
    asks: tuple[Ask, ...] = ()

    def kind(self, name: str) -> KindPlan:
        """Return the plan of one kind. Raises KeyError for a kind without units here."""
        for plan in self.kinds:
            if plan.kind == name:
                return plan
        raise KeyError(name)

    def describe(self) -> str:
        """Return the plan as plain text: grid, clock, simulators, wires, events."""
        blocks = (_heading(self), _grid_text(self), _clock_text(self), _stage_text(self), _wire_text(self))
        return "\n\n".join((*blocks, *_campus_text(self), _event_text(self)))

    def into(self, target: str) -> tuple[Wire, ...]:
        """Return the wires that end at a kind or at the grid."""
        return tuple(wire for wire in self.wires if wire.target == target)


def _table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as aligned columns under a title."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    text = [f"{title}:"]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        text.append(("  " + "  ".join(cells)).rstrip())
    return "\n".join(text)


def _said(value: object) -> str:
    """Return parameters as a scenario writes them, the outermost without braces."""
    if isinstance(value, Mapping):
        inner = (f"{{{_said(one)}}}" if isinstance(one, Mapping) else _said(one) for one in value.values())
        return ", ".join(f"{key}: {text}" for key, text in zip(value, inner, strict=True))
    if isinstance(value, list | tuple):
        return (
            f"[{', '.join(f'{{{_said(one)}}}' if isinstance(one, Mapping) else _said(one) for one in value)}]"
        )
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _few(names: Sequence[str], most: int = 6) -> str:
    """Return names, or the first ones and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _heading(plan: Plan) -> str:
    said = plan.scenario
    files = " <- ".join(said.files)
    return f"{said.title}\n{files}\nstart {said.start.isoformat()}, seed {said.seed}, hash {said.hash[:8]}"


def _grid_text(plan: Plan) -> str:
    said = plan.scenario.grid
    sizes = [(len(plan.grid.elements.get(table, ())), *words) for table, words in _COUNTED.items()]
    counts = [f"{size} {one if size == 1 else many}" for size, one, many in sizes if size]
    keys = _said(said.params)
    rows = list(zip(plan.connections.units, plan.connections.points, strict=True))
    rows += list(zip(plan.connections.drivers, plan.connections.driven, strict=True))
    what = [*_handed(plan), *("scales" for _ in plan.connections.drivers)]
    head = f"grid: {said.engine} ({keys}): {', '.join(counts) or 'no elements'}"
    for window in said.windows:
        more = f", {_said(window.params)}" if window.params else ""
        head += f"\n  {window.name}: {window.engine} from {window.from_s:g} to {window.to_s:g} s{more}"
    if not rows:
        return head
    lines = ((unit, how, where) for (unit, where), how in zip(rows, what, strict=True))
    return head + "\n" + _table("at the grid", ("unit", "how", "point or element"), lines)


def _handed(plan: Plan) -> Iterator[str]:
    """Yield what each connected unit hands the grid beside its power."""
    drooping, hosted = plan.connections.devices, plan.connections.hosted
    for place in range(len(plan.connections.units)):
        text = "connected"
        if place < len(drooping) and drooping[place] is not None:
            text += ", fast droop"
        device = hosted[place] if place < len(hosted) else None
        if device is not None:
            named = dict.fromkeys(" + ".join(part.models) for part in device.devices())
            count = f"{len(device.parts)} of " if len(device.parts) > 1 else ""
            text += f", as {count}{', '.join(named)}"
        yield text


_COUNTED = {
    "bus": ("bus", "buses"),
    "line": ("line", "lines"),
    "trafo": ("transformer", "transformers"),
    "gen": ("generator", "generators"),
    "area": ("synchronous area", "synchronous areas"),
}


def _clock_text(plan: Plan) -> str:
    clock = plan.clock
    rows = [("0", f"{clock.until_s:g}", f"{clock.step_s:g}")]
    rows += [(f"{w.from_s:g}", f"{w.to_s:g}", f"{w.step_s:g}") for w in clock.windows]
    tick = clock.tick_s
    title = f"clock: {len(clock)} exchanges, tick {tick} s"
    return _table(title, ("from [s]", "to [s]", "step [s]"), rows)


def _stage_text(plan: Plan) -> str:
    rows: list[tuple[str, str, str, str, str]] = []
    for number, stage in enumerate(plan.stages, 1):
        for kind in stage:
            part = plan.kind(kind)
            how = "TCP process" if part.process else "in process"
            rows.append((str(number), kind, how, str(len(part.units)), _few(part.units)))
    last = len(plan.stages)
    rows.append((str(last + 1), GRID, "in process", "", plan.scenario.grid.engine))
    rows.append((str(last + 2), "recorder", "in process", "", "writes the results"))
    title = f"simulators, in the order they step ({last + 2} of at most {MOST_SIMULATORS})"
    return _table(title, ("no.", "kind", "runs", "units", "names"), rows)


def _wire_text(plan: Plan) -> str:
    if not plan.wires:
        return "wires: none"
    rows = []
    for wire in plan.wires:
        delay = "one exchange late" if wire.delayed else "same exchange"
        ends = [f"{a} -> {b}" for a, b in zip(_names(plan, wire, 0), _names(plan, wire, 1), strict=True)]
        source, target = f"{wire.source}.{wire.source_port}", f"{wire.target}.{wire.target_port}"
        rows.append((source, target, delay, _few(ends, 3)))
    return _table("wires", ("from", "to", "arrives", "units"), rows)


def _names(plan: Plan, wire: Wire, end: int) -> list[str]:
    """Return the unit names at one end of a wire; at the grid, `grid`."""
    kind = (wire.source, wire.target)[end]
    index = (wire.source_index, wire.target_index)[end]
    if kind == GRID:
        return [GRID] * len(index)
    if kind.startswith(f"{GRID} "):
        names = plan.grid.elements[kind.partition(" ")[2]]
        return [names[place] for place in index]
    kind = next((ask.kind for ask in plan.asks if ask.source == kind), kind)
    return [plan.kind(kind).units[place] for place in index]


def _campus_text(plan: Plan) -> Iterator[str]:
    """Yield who stands behind which meters, where the scenario has campuses."""
    rows = [
        (campus.name, ", ".join(f"{m.name} ({m.table})" for m in campus.meters), _few(campus.units))
        for campus in plan.campuses
    ]
    if rows:
        yield _table("campuses", ("name", "meters", "units"), rows)


def _event_text(plan: Plan) -> str:
    rows = [(event.at_s, GRID, event.action, event.element) for event in plan.grid_events]
    for part in plan.kinds:
        for order in part.commands:
            said = order.params.model_dump(exclude_none=True)
            rows.append((order.t_s, part.units[order.unit_index], order.name, _said(said)))
        rows += [
            (setting.t_s, part.units[setting.unit_index], "set", f"{setting.port}: {setting.value:g}")
            for setting in part.sets
        ]
    if not rows:
        return "events: none"
    lines = [(f"{t_s:g}", *rest) for t_s, *rest in sorted(rows)]
    return _table("events", ("at [s]", "to", "what", "how"), lines)
