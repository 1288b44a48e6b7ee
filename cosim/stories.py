"""The shipped scenarios told one by one, for `suandian list scenarios`: read as text, models stay away."""

from collections.abc import Mapping
from textwrap import fill
from typing import Any

import yaml

from cosim.core.places import reference_folder
from cosim.scenario.parents import gather, shipped


def _lasts(until_s: float) -> str:
    """Return a length as one would say it."""
    for unit, size_s in (("h", 3600.0), ("min", 60.0)):
        if until_s >= size_s and until_s % size_s == 0.0:
            return f"{until_s / size_s:g} {unit}"
    return f"{until_s:g} s"


def _grids(grid: Mapping[str, Any]) -> str:
    """Return the cases of a scenario, with operating point and engine."""
    cases = ", ".join(grid.get("cases") or (grid.get("case", "?"),))
    parts = (cases, str(grid.get("point") or "").replace("_", " "), str(grid.get("engine", "powerflow")))
    return ", ".join(part for part in parts if part)


def _verdict(name: str) -> str:
    """Return the verdict of the reference results of a scenario."""
    path = reference_folder() / name / "kpis.yaml"
    if not path.is_file():
        return "no reference verdict"
    return str(yaml.safe_load(path.read_text(encoding="utf-8"))["verdict"])


def stories() -> str:
    """Return every shipped scenario with its grids, length, reference verdict and story."""
    told = []
    for name in shipped():
        data = gather(name).data
        head = f"{name}: {data.get('title', '')}"
        facts = f"{_grids(data.get('grid') or {})}; {_lasts(float(data.get('until_s', 0)))}; {_verdict(name)}"
        story = fill(" ".join(str(data.get("description", "")).split()), 100)
        told.append("\n".join((head, *(f"  {line}" for line in (facts, *story.splitlines())))))
    return "\n\n".join(told)
