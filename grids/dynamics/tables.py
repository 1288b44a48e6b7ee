"""The dynamic tables of a case: `<model>.csv` beside it, one row per element, keyed by element name.

With `dynamics: by_plant_type` in case.yaml, elements without rows get models by their plant type.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cosim.core.errors import CaseError, collected
from cosim.core.params import Params
from cosim.core.registry import nearest
from grids.case import Case
from grids.caseread import Findings, Place, Row, read_rows
from grids.dynamics.by_plant_type import by_plant_type
from grids.dynamics.device import Device
from grids.dynamics.registry import device, device_names

NOTES = ("evidence", "source", "note", "name_zh")
"""Columns every table may have beside its model's parameters."""


@dataclass(frozen=True)
class Unit:
    """One unit of a model at one element."""

    model: str
    element: str
    params: Params
    where: str = "given"
    """File and row, for messages."""
    bus: str | int | None = None
    """Bus of an element the case does not have, its name or internal number; it starts without power."""


BY_PLANT_TYPE = "by_plant_type"
"""What key `dynamics` of case.yaml may say."""


def read_units(case: Case) -> list[Unit]:
    """Return the units of a case: of its dynamic tables, and by plant type where it asks for that.

    Raises
    ------
    CaseError
        With all findings at once: file, row, column, value, what is allowed.
    """
    units = tabled_units(case)
    asked = case.meta.get("dynamics")
    if asked not in {None, BY_PLANT_TYPE}:
        msg = f"{case.name}/case.yaml: key 'dynamics': {asked!r} is unknown (allowed: {BY_PLANT_TYPE})"
        raise CaseError(msg)
    if asked is not None:
        modelled = {unit.element for unit in units if device(unit.model).carries_power}
        for model, element, params in by_plant_type(case, modelled):
            units.append(Unit(model, element, device(model).params_type(**params), "by plant type"))
    return units


def tabled_units(case: Case) -> list[Unit]:
    """Return the units of all dynamic tables of a case, from its folder or from its net.

    A pandapower net may bring the tables as frames of its own: `net["genrou"]`.

    Raises
    ------
    CaseError
        With all findings at once: file, row, column, value, what is allowed.
    """
    findings = Findings()
    units: list[Unit] = []
    for name in device_names():
        label = f"{name}.csv"
        header, rows = _table(case, name, label, findings)
        if rows:
            units += _units(name, header, rows, findings)
    collected([f"{case.name}/{line}" for line in findings.lines], CaseError)
    return units


def _table(case: Case, name: str, label: str, findings: Findings) -> tuple[list[str], list[Row]]:
    path = None if case.folder is None else Path(case.folder) / label
    if path is not None and path.is_file():
        return read_rows(path, label, findings)
    frame = case.net.get(name)
    if frame is None or not hasattr(frame, "to_dict") or not len(frame):
        return [], []
    records = frame.astype(object).where(frame.notna(), "").to_dict("records")
    rows = [
        Row(Place(label, n + 1), {str(key): str(cell) for key, cell in record.items()})
        for n, record in enumerate(records)
    ]
    return [str(column) for column in frame.columns], rows


def _units(name: str, header: Iterable[str], rows: list[Row], findings: Findings) -> list[Unit]:
    cls, label = device(name), f"{name}.csv"
    fields = cls.params_type.model_fields
    if "name" not in header:
        findings.file(label, "column 'name' is missing: it names the element the row belongs to")
        return []
    for column in header:
        if column not in fields and column not in (*NOTES, "name"):
            findings.file(label, f"column {column!r} is unknown.{nearest(column, fields)}")
    units: list[Unit] = []
    seen: set[str] = set()
    for row in rows:
        element = row.cells["name"]
        if element in seen:
            findings.about(row.place, "name", element, "is a duplicate")
        seen.add(element)
        given = {key: text for key, text in row.cells.items() if key in fields and text != ""}
        params = _params(cls, given, row, findings)
        if params is not None:
            units.append(Unit(name, element, params, f"{label}, row {row.place.line}"))
    return units


def _params(cls: type[Device], given: Mapping[str, Any], row: Row, findings: Findings) -> Params | None:
    try:
        params = cls.params_type(**given)
    except ValidationError as error:
        for problem in error.errors():
            column = str(problem["loc"][0]) if problem["loc"] else "name"
            findings.about(row.place, column, given.get(column, ""), problem["msg"])
        return None
    for finding in cls.findings(params):
        findings.file(f"{row.place.file}, row {row.place.line} ({row.cells['name']})", finding)
    return params
