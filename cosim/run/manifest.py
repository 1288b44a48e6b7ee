"""What a run says about itself: scenario, versions, clock, state, timings, hashes."""

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cosim import __version__
from cosim.core.errors import ResultsError
from cosim.plan import Plan
from cosim.results.layout import MANIFEST, MODEL, WRITTEN, write_json

PACKAGES = ("pandapower", "mosaik", "numba", "numpy", "lightsim2grid", "pandas", "pyarrow")


def run_folder(plan: Plan, out: Path) -> Path:
    """Return the folder of a run under `out`: scenario name and the start of its hash."""
    return out / f"{plan.scenario.name}-{plan.scenario.hash[:8]}"


def prepare(folder: Path) -> None:
    """Make the folder, without what an earlier run left in it.

    Raises ResultsError when there is something in it and it is not a results folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        msg = f"{folder}: is not empty and not a results folder; nothing was written"
        raise ResultsError(msg)
    for name in WRITTEN:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def versions() -> dict[str, str]:
    """Return the versions that can change a result."""
    found = {"python": platform.python_version(), "suandian": __version__}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _units(plan: Plan) -> list[dict[str, str]]:
    at = dict(zip(plan.connections.units, plan.connections.points, strict=True))
    return [
        {"name": unit, "kind": kind.kind, "at": at.get(unit, "")}
        for kind in plan.kinds
        for unit in kind.units
    ]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Manifest:
    """The manifest of one run: on disk from the first moment, so a killed run can be told."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.path, self._grid = folder / MANIFEST, plan.grid
        scenario, clock = plan.scenario, plan.clock
        self.content: dict[str, Any] = {
            "status": "running",
            "pid": os.getpid(),
            "scenario": {
                "name": scenario.name,
                "title": scenario.title,
                "hash": scenario.hash,
                "text": scenario.text,
            },
            "seed": scenario.seed,
            "versions": versions(),
            "started": _now(),
            "clock": {
                "start": scenario.start.isoformat(),
                "step_s": clock.step_s,
                "until_s": clock.until_s,
                "tick_s": str(clock.tick_s),
                "exchanges_count": len(clock),
                "windows": [asdict(window) for window in clock.windows],
            },
            "units": _units(plan),
            "campuses": [asdict(campus) for campus in plan.campuses],
            "grid": dict(plan.grid.provenance()),
        }
        if scenario.flexibility is not None:
            self.content["flexibility"] = scenario.flexibility.model_dump()
        write_json(self.path, self.content)

    def finish(self, status: str, **more: Any) -> None:
        """Write how the run ended, and what the grid has found out about itself meanwhile."""
        self.content.update(status=status, finished=_now(), grid=dict(self._grid.provenance()), **more)
        write_json(self.path, self.content)


def write_model(plan: Plan, folder: Path) -> None:
    """Write coordinates, connections and element names of the grid, for maps."""
    elements: Mapping[str, Any] = {name: list(names) for name, names in plan.grid.elements.items()}
    write_json(folder / MODEL, {"geography": asdict(plan.grid.geography()), "elements": elements})
