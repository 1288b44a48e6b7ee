"""Events of a scenario as orders: commands to units, inputs that are set, changes of the grid."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from cosim.core.clock import Clock
from cosim.core.component import commands_of
from cosim.core.grid import SWITCHING, EventParams, GridEvent
from cosim.core.params import Params
from cosim.scenario.explain import validated
from cosim.scenario.findings import Finding, KeyPath, one_of, unknown
from cosim.scenario.language import Event
from cosim.scenario.parents import Draft
from cosim.scenario.roster import Member, Roster
from cosim.scenario.wiring import Wiring

SET = "set"

Actions = Mapping[str, type[EventParams]]


@dataclass(frozen=True)
class GridActions:
    """What the grid of a run can be told to do, and when."""

    always: Actions = field(default_factory=lambda: SWITCHING)
    """What the engine of the run carries out."""
    windows: tuple[tuple[float, float, Actions], ...] = ()
    """Start and end [s] of each window, and what its engine carries out."""
    installed: Mapping[str, Actions] = field(default_factory=dict)
    """The same of every installed engine: who could do what this one cannot."""

    def at(self, at_s: float) -> Actions:
        """Return what can be done at an instant."""
        for from_s, to_s, known in self.windows:
            if from_s <= at_s < to_s:
                return known
        return self.always

    def everywhere(self) -> Actions:
        """Return what can be done at some instant."""
        every = dict(self.always)
        for _, _, known in self.windows:
            every.update(known)
        return every

    def spans(self, action: str) -> str:
        """Return in which windows an action is possible, in words."""
        return ", ".join(f"{a:g} to {b:g} s" for a, b, known in self.windows if action in known)

    def engines(self, action: str) -> list[str]:
        """Return the installed engines that carry out an action."""
        return [name for name, known in self.installed.items() if action in known]


@dataclass(frozen=True)
class Order:
    """A command to one unit."""

    t_s: float
    unit: str
    name: str
    params: Params
    path: KeyPath


@dataclass(frozen=True)
class Setting:
    """A value an unwired input of one unit holds from now on."""

    t_s: float
    unit: str
    port: str
    value: float


@dataclass
class Happenings:
    """All events, sorted by whom they concern, and what is wrong with them."""

    orders: list[Order] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    switching: list[tuple[GridEvent, KeyPath]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    grid: GridActions | None = None
    """What the grid can be told to do; None where its engine is broken."""


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a value from YAML is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def happenings(
    draft: Draft, roster: Roster, wiring: Wiring, clock: Clock | None, grid: GridActions | None
) -> Happenings:
    """Return the events of a draft; `clock` and `grid` are None where they are broken themselves."""
    found = Happenings(grid=grid)
    events = draft.data.get("events", [])
    for place, raw in enumerate(events if isinstance(events, list) else []):
        path: KeyPath = ("events", place)
        event, _ = validated(Event, raw, path)  # its findings are those of the language
        if event is None:
            continue
        if clock is not None:
            found.findings += _time_findings(event.at_s, clock, (*path, "at_s"))
        _take(event, (*path, event.action), roster, wiring, found)
    return found


def _time_findings(at_s: float, clock: Clock, path: KeyPath) -> list[Finding]:
    if at_s >= clock.until_s:
        return [Finding(path, f"the run ends at until_s={clock.until_s:g}", f"0 to {clock.t_s[-1]:g} s")]
    if clock.contains(at_s):
        return []
    before = float(clock.t_s[clock.t_s < at_s][-1])
    after = before + clock.step_at(at_s)
    text = f"no exchange starts then, they are {clock.step_at(at_s):g} s apart"
    near = f"{before:g} or {after:g} s" if after < clock.until_s else f"{before:g} s"
    return [Finding(path, text, f"{near}, or a finer window in `clock`")]


def actions(roster: Roster) -> dict[str, list[str]]:
    """Return every command the units of a scenario answer to, with the units that do."""
    known: dict[str, list[str]] = {}
    for member in roster.members.values():
        for command in commands_of(member.model):
            known.setdefault(command, []).append(member.name)
    return known


def _take(event: Event, path: KeyPath, roster: Roster, wiring: Wiring, found: Happenings) -> None:
    if not isinstance(event.body, Mapping):
        found.findings.append(Finding(path, "wrong type", "a mapping such as {unit: name}"))
        return
    body = dict(event.body)
    offered = found.grid or GridActions()
    if event.action in offered.everywhere():
        _change_grid(event, body, path, offered, found)
        return
    known = actions(roster)
    if event.action != SET and event.action not in known:
        if len(roster.members) == len(roster.named) and found.grid is not None:
            _unknown_action(event.action, path, sorted(known), found)
        return
    units = list(roster.named) if event.action == SET else known[event.action]
    member = _addressee(body, path, roster, units, found)
    if member is None:
        return
    if event.action == SET:
        _set(event, member, path, wiring, found)
        return
    params, wrong = validated(commands_of(member.model)[event.action], body, path, ("unit",))
    found.findings += wrong
    if params is not None:
        found.orders.append(Order(event.at_s, member.name, event.action, params, path))


def _unknown_action(action: str, path: KeyPath, known: Sequence[str], found: Happenings) -> None:
    """Note an action that belongs to no unit or engine (all are sound), or to another engine."""
    grid = found.grid or GridActions()
    able = grid.engines(action)
    every = (*grid.everywhere(), SET, *known)
    if able:
        what = (
            f"only engine {' or '.join(able)} can do this, as `grid.engine` or in a window of `grid.windows`"
        )
        found.findings.append(Finding(path, what, one_of(every)))
    else:
        found.findings.append(unknown(path, "action", action, every))


def _change_grid(
    event: Event, body: dict[str, Any], path: KeyPath, grid: GridActions, found: Happenings
) -> None:
    model = grid.at(event.at_s).get(event.action)
    if model is None:
        text = f"the engine that runs at {event.at_s:g} s cannot do this"
        found.findings.append(Finding(path, text, f"within the windows {grid.spans(event.action)}"))
        return
    params, wrong = validated(model, body, path)
    found.findings += wrong
    if params is not None:
        element = str(getattr(params, model.subject))
        beside = params if len(model.model_fields) > 1 else None
        grid_event = GridEvent(event.at_s, event.action, element, beside)
        found.switching.append((grid_event, (*path, model.subject)))


def _addressee(
    body: dict[str, Any], path: KeyPath, roster: Roster, units: list[str], found: Happenings
) -> Member | None:
    """Take `unit` out of the body and return the unit it names."""
    name = body.pop("unit", None)
    here = (*path, "unit")
    if name is None:
        found.findings.append(Finding(here, "missing", one_of(units), missing=True))
    elif not isinstance(name, str) or name not in roster.named:
        found.findings.append(unknown(here, "unit", str(name), units))
    elif name not in units and name in roster.members:
        text = f"a {roster.members[name].kind} does not answer to {path[-1]}"
        found.findings.append(Finding(here, text, one_of(units)))
    else:
        return roster.members.get(name)  # None: broken itself, and told so
    return None


def _set(event: Event, member: Member, path: KeyPath, wiring: Wiring, found: Happenings) -> None:
    body = {key: value for key, value in event.body.items() if key != "unit"}
    ports = [p.name for p in member.model.inputs]
    fed = {s.target_port: s for s in wiring.strands if s.target == member.name}
    free = [port for port in ports if port not in fed]
    if not body:
        found.findings.append(Finding(path, "sets nothing", one_of(free)))
    for port, value in body.items():
        here = (*path, port)
        if port not in ports:
            found.findings.append(unknown(here, "input port", port, free))
        elif port in fed:
            text = f"is fed by {fed[port].source}.{fed[port].source_port}"
            found.findings.append(Finding(here, text, one_of(free)))
        elif not is_number(value):
            found.findings.append(Finding(here, "must be a number", "a finite number"))
        else:
            found.settings.append(Setting(event.at_s, member.name, port, float(value)))
