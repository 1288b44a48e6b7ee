"""What is installed and shipped, for `suandian list`."""

from collections.abc import Callable, Iterable, Mapping
from textwrap import fill
from typing import Any, TypeAlias

import yaml

from cosim import kpi, verdict
from cosim.core.errors import SuandianError
from cosim.core.places import reference_folder, scenario_folder
from cosim.core.registry import components, grids
from cosim.core.units import unit_of
from cosim.scenario.parents import gather, shipped
from grids.case import case_folder, list_cases, operating_points

Row: TypeAlias = tuple[str, str]
"""A name and what it is."""


def _first_line(cls: object) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]


def _scenarios() -> Iterable[Row]:
    for path in sorted(scenario_folder().glob("*.yaml")):
        yield path.stem, yaml.safe_load(path.read_text(encoding="utf-8")).get("title", "")


def _cases() -> Iterable[Row]:
    for name in list_cases():
        yield name, ", ".join(operating_points(case_folder(name)))


def _classes(names: Iterable[str], get: Callable[[str], type]) -> Iterable[Row]:
    for name in names:
        try:
            yield name, _first_line(get(name))
        except SuandianError as error:  # a stranger's broken package must not hide the others
            yield name, f"broken: {error}"


def _limits() -> Iterable[Row]:
    for name in verdict.limit_sets():
        yield name, verdict.load_limits(name).title


def _kpis() -> Iterable[Row]:
    for name in kpi.names():
        unit = unit_of(name)
        yield name, f"{kpi.describe(name)}{f' [{unit.symbol}]' if unit and unit.symbol else ''}"


def _aligned(rows: Iterable[Row]) -> str:
    known = list(rows)
    width = max((len(name) for name, _ in known), default=0)
    return "\n".join(f"  {name:<{width}}  {text}" for name, text in known)


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


def scenarios() -> str:
    """Return every shipped scenario with its grids, length, reference verdict and story."""
    told = []
    for name in shipped():
        data = gather(name).data
        head = f"{name}: {data.get('title', '')}"
        facts = f"{_grids(data.get('grid') or {})}; {_lasts(float(data.get('until_s', 0)))}; {_verdict(name)}"
        story = fill(" ".join(str(data.get("description", "")).split()), 100)
        told.append("\n".join((head, *(f"  {line}" for line in (facts, *story.splitlines())))))
    return "\n\n".join(told)


def listing() -> str:
    """Return everything a scenario can name, by kind."""
    sections: tuple[tuple[str, Iterable[Row]], ...] = (
        ("scenarios", _scenarios()),
        ("grid cases and their operating points", _cases()),
        ("components", _classes(components().names(), components().get)),
        ("grid engines", _classes(grids().names(), grids().get)),
        ("limit sets", _limits()),
        ("KPIs", _kpis()),
    )
    return "\n".join(f"{title}:\n{_aligned(rows)}" for title, rows in sections)
