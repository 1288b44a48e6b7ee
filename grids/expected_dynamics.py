"""Trajectories a reference case must reproduce: `expected/dynamics/runs.yaml` and one file for each run.

A file holds `t` [s], `f_coi_hz`, and any of `speed_<machine>` and `vm_<bus>` [pu], from another simulator or
a closed form; `runs.yaml` says what happens in the run and how close ours must be.
"""

import copy
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from cosim.core.errors import CaseError
from cosim.core.registry import nearest
from cosim.core.types import Bools, Floats
from grids.case import Case, case_folder, load_case
from grids.dynamics import BusFault, GeneratorTrip, LineTrip, LoadStep, LoadTrip, Run, begin, simulate
from grids.dynamics.devices.zip import ZipParams
from grids.dynamics.tables import read_units

EVENTS = {cls.__name__: cls for cls in (BusFault, GeneratorTrip, LineTrip, LoadStep, LoadTrip)}
"""Disturbances a run may name."""

AROUND_EVENT_S = 0.012
"""Left out on both sides of an event: other programs integrate across the instant."""

QUANTITIES = {
    "coi_mhz": "frequency of the centre of inertia",
    "extreme_mhz": "its nadir and zenith",
    "speed_mhz": "speed of each machine",
    "vm_pu": "voltage of each bus",
    "coi_percent": "frequency of the centre of inertia, of its largest deviation",
}
"""Largest deviations `runs.yaml` may bound."""

STEP_S = 1 / 120

REST_S = 20.0
"""How long a case must stay where it is."""
FLAT_PER_S, DRIFT_HZ = 1e-8, 1e-6
"""Largest derivative of a case at its operating point, and largest drift of frequency over `REST_S`."""


@dataclass(frozen=True)
class Deviation:
    """How far one quantity of one run is from its reference at most."""

    case: str
    run: str
    quantity: str
    value: float
    bar: float
    source: str

    @property
    def good(self) -> bool:
        """Return whether the deviation is within its bar; nan never is."""
        return bool(self.value <= self.bar)


def dynamic_runs(name: str) -> dict[str, dict[str, Any]]:
    """Return the runs a case must reproduce, by name; none where it has no file.

    Raises
    ------
    CaseError
        When the file, one of its keys or a trajectory is not as it must be.
    """
    path = _folder(name) / "runs.yaml"
    if not path.is_file():
        return {}
    runs: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for run, told in runs.items():
        _checked(told, {"events", "loads", "change", "bars", "source"}, f"{path}: {run}")
        _checked(told["bars"], set(QUANTITIES), f"{path}: {run}.bars")
        for event in told["events"]:
            _checked(event, set(EVENTS), f"{path}: {run}.events")
        if not (path.parent / f"{run}.csv.gz").is_file():
            msg = f"{path}: {run} has no trajectory {run}.csv.gz beside it"
            raise CaseError(msg)
    return runs


def check_dynamics(name: str, runs: tuple[str, ...] = ()) -> Iterator[Deviation]:
    """Simulate the runs of a case, all of them where none is named, and yield how far each is off.

    Raises
    ------
    CaseError, SolveError
        When `runs.yaml` is wrong, or a run of ours fails.
    """
    told = dynamic_runs(name)
    for run in runs or told:
        reference = pd.read_csv(_folder(name) / f"{run}.csv.gz")
        found = deviations(simulated(name, told[run], float(reference["t"].max())), reference)
        for quantity, bar in told[run]["bars"].items():
            yield Deviation(name, run, quantity, found[quantity], float(bar), told[run]["source"])


def check_start(name: str, point: str | None = None) -> Iterator[Deviation]:
    """Yield how far a case with machines of its own is from rest; nothing for a case without.

    Without `point` it is looked at where the case stands by default.

    Raises
    ------
    CaseError, SolveError
        When it has no operating point, or moves by itself.
    """
    case = load_case(name, point)
    if not read_units(case):
        return
    session = begin(case, step_s=STEP_S)
    rate = float(np.abs(session.derivatives).max())
    yield Deviation(name, "rest", "largest derivative [1/s]", rate, FLAT_PER_S, "flat start")
    session.advance(REST_S, every=60)
    drift_hz = float(np.abs(Run(session).f_coi_hz - session.system.point.f_hz).max())
    yield Deviation(name, "rest", "drift of frequency [Hz]", drift_hz, DRIFT_HZ, f"{REST_S:g} s at rest")


def simulated(name: str, told: Mapping[str, Any], until_s: float) -> Run:
    """Return our run of what `runs.yaml` tells."""
    case = _changed(load_case(name), told.get("change", {}))
    events = [EVENTS[kind](**keys) for event in told["events"] for kind, keys in event.items()]
    loads = ZipParams(**told.get("loads", {}))
    return simulate(case, events, until_s=until_s, step_s=STEP_S, loads=loads)


def deviations(run: Run, reference: pd.DataFrame) -> dict[str, float]:
    """Return the largest deviation of a run from a reference, by quantity (`QUANTITIES`)."""
    events_s = [at_s for at_s, _ in run.log]
    there_s = reference["t"].to_numpy(dtype=float)
    quiet = _away(there_s, events_s)
    there_s = there_s[quiet]
    theirs = {str(name): reference[name].to_numpy(dtype=float)[quiet] for name in reference.columns}
    f_hz = run.session.system.point.f_hz

    def worst(ours: "pd.Series[float]", column: str) -> float:
        return float(np.abs(np.interp(there_s, run.t_s, ours) - theirs[column]).max())

    speed, vm = run.speed_pu, run.vm_pu
    speeds = [c for c in theirs if c.startswith("speed_") and speed[c[6:]].notna().all()]
    ours_hz, theirs_hz = run.f_coi_hz.to_numpy()[_away(run.t_s, events_s)], theirs["f_coi_hz"]
    ends_hz = (ours_hz.min() - theirs_hz.min(), ours_hz.max() - theirs_hz.max())
    coi_hz = worst(run.f_coi_hz, "f_coi_hz")
    return {
        "coi_mhz": 1e3 * coi_hz,
        "extreme_mhz": 1e3 * max(abs(end) for end in ends_hz),
        "speed_mhz": max((1e3 * f_hz * worst(speed[c[6:]], c) for c in speeds), default=np.nan),
        "vm_pu": max((worst(vm[c[3:]], c) for c in theirs if c.startswith("vm_")), default=np.nan),
        "coi_percent": 100.0 * coi_hz / float(np.abs(theirs_hz - f_hz).max()),
    }


def _away(t_s: Floats, events_s: Sequence[float]) -> Bools:
    """Say which instants are far enough from every event."""
    near = [np.abs(t_s - at_s) <= AROUND_EVENT_S for at_s in events_s]
    return np.logical_not(np.any(near, axis=0)) if near else np.ones(t_s.size, dtype=np.bool_)


def _folder(name: str) -> Path:
    return Path(case_folder(name)) / "expected" / "dynamics"


def _checked(given: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in given:
        if key not in known:
            msg = f"{where}: {key!r} is unknown; allowed: {', '.join(sorted(known))}.{nearest(key, known)}"
            raise CaseError(msg)


def _changed(case: Case, change: Mapping[str, Mapping[str, float]]) -> Case:
    """Return a case with other parameters in all units of a model."""
    if not change:
        return case
    net, units = copy.deepcopy(case.net), read_units(case)
    for model in {unit.model for unit in units}:
        rows = [{"name": u.element, **u.params.model_dump()} for u in units if u.model == model]
        net[model] = pd.DataFrame(rows).assign(**change.get(model, {}))
    return dataclasses.replace(case, net=net, folder=None)
