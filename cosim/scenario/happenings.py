"""Events of a scenario as orders: commands to units, inputs that are set, switching in the grid."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from cosim.core.clock import Clock
from cosim.core.component import commands_of
from cosim.core.grid import GridEvent
from cosim.core.params import Params
from cosim.scenario.explain import validated
from cosim.scenario.findings import Finding, KeyPath, one_of, unknown
from cosim.scenario.language import Event
from cosim.scenario.parents import Draft
from cosim.scenario.roster import Member, Roster
from cosim.scenario.wiring import Wiring

SWITCHING = ("trip", "close")
SET = "set"


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


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a value from YAML is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def happenings(draft: Draft, roster: Roster, wiring: Wiring, clock: Clock | None) -> Happenings:
    """Return the events of a draft; `clock` is None where it is broken itself."""
    found = Happenings()
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
    if event.action in SWITCHING:
        _switch(event, body, path, found)
        return
    known = actions(roster)
    if event.action != SET and event.action not in known:
        if len(roster.members) < len(roster.named):
            return  # it may be a command of a unit that is broken itself, and told so
        found.findings.append(unknown(path, "action", event.action, (*SWITCHING, SET, *sorted(known))))
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


def _switch(event: Event, body: dict[str, Any], path: KeyPath, found: Happenings) -> None:
    element = body.get("element")
    extra = [key for key in body if key != "element"]
    if extra:
        found.findings.append(unknown((*path, extra[0]), "key", extra[0], ("element",)))
    elif not isinstance(element, str):
        is_missing = element is None
        text = "missing" if is_missing else "wrong type"
        what = "the name of a line, trafo, gen, sgen or load"
        found.findings.append(Finding((*path, "element"), text, what, missing=is_missing))
    else:
        grid_event = GridEvent(event.at_s, event.action, element)
        found.switching.append((grid_event, (*path, "element")))


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
