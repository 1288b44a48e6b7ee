"""A scenario file looked at from every side, so that one message can tell all that is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cosim.core.clock import Clock, Window, exact
from cosim.core.errors import ScenarioError, collected
from cosim.core.grid import GridWindow, actions_of
from cosim.core.params import Params
from cosim.core.registry import Registry, UnknownNameError, components, grids
from cosim.scenario.explain import validated
from cosim.scenario.findings import Finding, KeyPath, listed, one_of, unknown
from cosim.scenario.happenings import GridActions, Happenings, happenings, is_number
from cosim.scenario.language import (
    ClockSpec,
    FlexibilitySpec,
    GridSpec,
    GridWindowSpec,
    Scenario,
    Text,
)
from cosim.scenario.order import circles, feeds, stages
from cosim.scenario.parents import APPENDED, Draft, gather
from cosim.scenario.roster import Roster, enlist
from cosim.scenario.source import parse as parsed
from cosim.scenario.wiring import Wiring, connect

MOST_SIMULATORS = 8
"""Largest number of mosaik simulators, grid and recorder included: an exchange costs the square of
their number (measured with mosaik 3.6: 1.2 ms for 10, 83 ms for 100)."""

MOST_EXCHANGES = 40_000_000
"""Largest number of exchanges in one run: a year at 1 s fits, and the clock is held in memory."""


@dataclass
class Examined:
    """All that follows from a scenario's text and the installed models, right or wrong."""

    draft: Draft
    text: Text | None
    clock: Clock | None
    engine: type[Any] | None
    grid_params: Params | None
    roster: Roster
    wiring: Wiring
    events: Happenings
    stages: tuple[tuple[str, ...], ...]
    grid_windows: Mapping[type[Any], tuple[GridWindow, ...]] = field(default_factory=dict)
    """Engine -> the windows in which it takes over."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def hosts_devices(self) -> bool:
        """Return whether the dynamic models of units are run at some time."""
        engines = [self.engine, *self.grid_windows]
        return any(getattr(engine, "hosts_devices", False) for engine in engines)

    def raise_findings(self) -> None:
        """Raise ScenarioError with everything found so far; do nothing when that is nothing."""
        draft = self.draft
        collected(listed(self.findings, draft.data, draft.marks, draft.file), ScenarioError)

    def scenario(self) -> Scenario:
        """Return the scenario. Raises ScenarioError with everything found so far."""
        self.raise_findings()
        if self.text is None:
            msg = f"{self.draft.file}: not a scenario"
            raise ScenarioError(msg)
        return Scenario.of(self.text, self.draft)


def load(
    path_or_name: str | Path,
    *,
    changes: Mapping[str, Any] | None = None,
    kinds: Registry | None = None,
    engines: Registry | None = None,
) -> Scenario:
    """Read a scenario and check it against the installed components.

    Parameters
    ----------
    path_or_name
        A YAML file, or the name of a shipped scenario.
    changes
        Values that replace those of the file, by dotted key: ``{"clock.step_s": 5}``.
    kinds, engines
        Registries to use instead of the installed ones.

    Raises
    ------
    ScenarioError
        With every finding, one a line: file, line, key, value, what is wrong, what is allowed.
    """
    return examine(gather(path_or_name, changes), kinds, engines).scenario()


def parse(text: str) -> Scenario:
    """Return a scenario from its resolved text, as a run's manifest keeps it.

    Only the language is checked: the models it names need not be installed.

    Raises
    ------
    ScenarioError
        With every finding.
    """
    document = parsed(text, "scenario text")
    path = Path("scenario text")
    draft = Draft(path, document.file, document.data, document.marks, document.findings)
    said, wrong = validated(Text, draft.data, ())
    draft.findings += wrong
    collected(listed(draft.findings, draft.data, draft.marks, draft.file), ScenarioError)
    if said is None:
        msg = "scenario text: not a scenario"
        raise ScenarioError(msg)
    return Scenario.of(said, draft)


def examine(draft: Draft, kinds: Registry | None = None, engines: Registry | None = None) -> Examined:
    """Look at a scenario from every side and return what was found, without raising for it."""
    if not draft.data:
        return _nothing(draft)
    reserved = ("parent", *(f"{name}+" for name in APPENDED))
    text, wrong = validated(Text, draft.data, (), reserved)
    if draft.is_orphan:
        wrong = [finding for finding in wrong if not finding.missing]
    findings = [*draft.findings, *wrong]
    known = engines or grids()
    clock = _clock(draft, findings)
    engine, grid_params = _engine(draft, known, findings)
    windows = _grid_windows(draft, known, findings)
    roster = enlist(draft, kinds or components())
    hosts = any(getattr(one, "hosts_devices", False) for one in (engine, *windows))
    guards = any(getattr(one, "guards", False) for one in (engine, *windows))
    wiring = connect(roster, hosts=hosts, guards=guards)
    events = happenings(draft, roster, wiring, clock, _actions(engine, windows, known))
    edges = feeds(roster, wiring.strands)
    loops = circles(edges)
    processes = frozenset(kind.name for kind in roster.kinds.values() if kind.is_process)
    groups = () if loops else stages(edges, processes)
    findings += [*roster.findings, *wiring.findings, *events.findings, *loops, *_too_many(groups)]
    findings += _flexibility_findings(draft, clock, roster)
    return Examined(
        draft, text, clock, engine, grid_params, roster, wiring, events, groups, windows, findings
    )


def _nothing(draft: Draft) -> Examined:
    """Return what there is to say about a file that holds no data."""
    empty = (Roster(), Wiring(), Happenings(), ())
    return Examined(draft, None, None, None, None, *empty, findings=draft.findings)


def _clock(draft: Draft, findings: list[Finding]) -> Clock | None:
    """Return the clock, or None and what is wrong with it, each window by itself."""
    spec, _ = validated(ClockSpec, draft.data.get("clock"), ("clock",))
    until_s = draft.data.get("until_s")
    if spec is None or not is_number(until_s) or until_s <= 0:
        return None  # the language has said so
    placed = _clock_windows(draft, spec)
    spans = [(float(until_s), spec.step_s), *((w.to_s - w.from_s, w.step_s) for _, w in placed)]
    count = sum(length / step_s for length, step_s in spans)
    if count > MOST_EXCHANGES:
        text, most = f"the run would take {count:.3g} exchanges", f"at most {MOST_EXCHANGES:g}"
        findings.append(Finding(("clock",), text, most))
        return None
    wrong = _clock_findings(spec, float(until_s), (), ("clock", "step_s"))
    if not wrong:
        for path, window in placed:
            wrong += _clock_findings(spec, float(until_s), (window,), path)
    findings += wrong
    if wrong:
        return None
    return Clock(spec.step_s, float(until_s), [window for _, window in placed])


def _clock_windows(draft: Draft, spec: ClockSpec) -> list[tuple[KeyPath, Window]]:
    """Return the windows of the clock and those of the grid, and where each is written."""
    grid, _ = validated(GridSpec, draft.data.get("grid"), ("grid",))
    own = [
        (("clock", "windows", place), Window(w.from_s, w.to_s, w.step_s))
        for place, w in enumerate(spec.windows)
    ]
    others = [
        (("grid", "windows", place), Window(w.from_s, w.to_s, w.exchange_s or spec.step_s))
        for place, w in enumerate(() if grid is None else grid.windows)
    ]
    return [*own, *others]


def _clock_findings(
    spec: ClockSpec, until_s: float, windows: tuple[Window, ...], path: KeyPath
) -> list[Finding]:
    try:
        Clock(spec.step_s, until_s, windows)
    except ScenarioError as error:
        return [Finding(path, line) for line in str(error).splitlines()]
    return []


def _flexibility_findings(draft: Draft, clock: Clock | None, roster: Roster) -> list[Finding]:
    """Return what keeps the feasible ranges from being asked for."""
    path: KeyPath = ("flexibility",)
    spec, _ = validated(FlexibilitySpec, draft.data.get("flexibility"), path)
    if spec is None:
        return []  # not asked for, or the language has said what is wrong
    found = []
    if clock is not None and exact(spec.every_s) % exact(clock.step_s):
        text = f"is not a multiple of clock.step_s = {clock.step_s:g}"
        found.append(Finding((*path, "every_s"), text, f"{clock.step_s:g}, or a multiple of it"))
    kinds = list(roster.kinds.values())
    able = [kind for kind in kinds if hasattr(kind.model, "flexibility")]
    found += [
        Finding((*kind.members[0].path, "process"), "a process of its own does not tell its range", "false")
        for kind in able
        if kind.is_process
    ]
    if kinds and not able:
        found.append(Finding(path, f"no unit says its range: {one_of(sorted(roster.kinds))} do not"))
    return found


def _engine(
    draft: Draft, engines: Registry, findings: list[Finding]
) -> tuple[type[Any] | None, Params | None]:
    """Return the grid engine and its parameters, or None where they are wrong."""
    raw = draft.data.get("grid")
    spec, _ = validated(GridSpec, raw, ("grid",))
    if spec is None:
        return None, None  # the language has said so
    try:
        engine = engines.get(spec.engine)
    except UnknownNameError:
        findings.append(unknown(("grid", "engine"), "engine", spec.engine, engines.names()))
        return None, None
    params, wrong = validated(engine.params_type, spec.params, ("grid",), ("engine", "windows"))
    findings += wrong
    return engine, _beside(draft, params)


def _beside(draft: Draft, params: Params | None) -> Params | None:
    """Return parameters of a grid whose paths (names with a slash) start at the scenario file.

    One that is not there is left as it is: it starts at the folder one works in.
    """
    found: dict[str, str | list[str]] = {}
    for key in getattr(type(params), "paths", ()):
        folder, value = draft.folder(("grid", key)), getattr(params, key)
        names = [value] if isinstance(value, str) else value or []
        complete = [str(folder / n) if "/" in n and (folder / n).exists() else n for n in names]
        if complete != names:
            found[key] = complete[0] if isinstance(value, str) else complete
    return params.model_copy(update=found) if params is not None and found else params


def _grid_windows(
    draft: Draft, engines: Registry, findings: list[Finding]
) -> dict[type[Any], tuple[GridWindow, ...]]:
    """Return the windows by the engine that takes over, those of an unknown engine left out."""
    spec, _ = validated(GridSpec, draft.data.get("grid"), ("grid",))
    found: dict[type[Any], tuple[GridWindow, ...]] = {}
    before: list[GridWindowSpec] = []
    for place, window in enumerate(() if spec is None else spec.windows):
        path: KeyPath = ("grid", "windows", place)
        over = [w.name for w in before if w.from_s < window.to_s and window.from_s < w.to_s]
        if over:
            findings.append(Finding(path, f"overlaps with window {over[0]!r}", "windows one after the other"))
        if window.name in [w.name for w in before]:
            findings.append(Finding((*path, "name"), "is the name of an earlier window", "another name"))
        before.append(window)
        able = [name for name, one in engines.sound().items() if hasattr(one, "within")]
        if window.engine not in able:
            findings.append(unknown((*path, "engine"), "engine for windows", window.engine, able))
            continue
        engine = engines.get(window.engine)
        keys = tuple(GridWindowSpec.model_fields)
        params, wrong = validated(engine.window_type, window.params, path, keys)
        findings += wrong
        taken = engine.window_type.model_construct() if params is None else params
        one = GridWindow(window.name, window.from_s, window.to_s, taken)
        found[engine] = (*found.get(engine, ()), one)
    return found


def _actions(
    engine: type[Any] | None, windows: Mapping[type[Any], tuple[GridWindow, ...]], engines: Registry
) -> GridActions | None:
    """Return what the grid can be told to do, None where the engine is broken itself."""
    if engine is None:
        return None
    spans = tuple((w.from_s, w.to_s, actions_of(one)) for one, some in windows.items() for w in some)
    installed = {name: actions_of(one) for name, one in engines.sound().items()}
    return GridActions(actions_of(engine), spans, installed)


def _too_many(groups: tuple[tuple[str, ...], ...]) -> list[Finding]:
    count = len(groups) + 2
    if count <= MOST_SIMULATORS:
        return []
    names = " | ".join(", ".join(group) for group in groups)
    text = f"needs {count} simulators: {names} | grid | recorder"
    return [Finding(("units",), text, f"at most {MOST_SIMULATORS}; fewer units with `process: true`")]
