"""What is installed and shipped, for `suandian list`."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import yaml

from cosim import kpi, verdict
from cosim.core.errors import SuandianError
from cosim.core.places import scenario_folder
from cosim.core.registry import components, grids
from cosim.core.units import unit_of
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
