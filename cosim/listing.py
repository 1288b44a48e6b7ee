"""What is installed and shipped, for `suandian list`."""

from collections.abc import Callable, Iterable

import yaml

from cosim import kpi, verdict
from cosim.core.errors import SuandianError
from cosim.core.places import scenario_folder
from cosim.core.registry import components, grids
from cosim.core.units import unit_of
from grids.case import case_folder, list_cases, operating_points


def _first_line(cls: object) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]


def _scenarios() -> Iterable[str]:
    for path in sorted(scenario_folder().glob("*.yaml")):
        title = yaml.safe_load(path.read_text(encoding="utf-8")).get("title", "")
        yield f"{path.stem:<26} {title}"


def _cases() -> Iterable[str]:
    for name in list_cases():
        yield f"{name:<14} {', '.join(operating_points(case_folder(name)))}"


def _classes(names: Iterable[str], get: Callable[[str], type]) -> Iterable[str]:
    for name in names:
        try:
            yield f"{name:<14} {_first_line(get(name))}"
        except SuandianError as error:  # a stranger's broken package must not hide the others
            yield f"{name:<14} broken: {error}"


def _kpis() -> Iterable[str]:
    for name in kpi.names():
        unit = unit_of(name)
        yield f"{name:<28} {kpi.describe(name)}{f' [{unit.symbol}]' if unit and unit.symbol else ''}"


def listing() -> str:
    """Return everything a scenario can name, by kind."""
    sections: tuple[tuple[str, Iterable[str]], ...] = (
        ("scenarios", _scenarios()),
        ("grid cases and their operating points", _cases()),
        ("components", _classes(components().names(), components().get)),
        ("grid engines", _classes(grids().names(), grids().get)),
        ("limit sets", verdict.limit_sets()),
        ("KPIs", _kpis()),
    )
    return "\n".join(f"{title}:\n" + "\n".join(f"  {line}" for line in lines) for title, lines in sections)
