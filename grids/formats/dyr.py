"""PSS/E dynamics data (DYR): records of bus, model, unit and values, ended by `/`, to tables of a case."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cosim.core.errors import CaseError, collected
from cosim.core.registry import nearest
from grids.dynamics.registry import device, device_names
from grids.formats.dyr_models import AUTOMATIC, IDLE_S, LAYOUTS, SUBSTITUTES, Layout, Substitute
from grids.formats.source import Machine
from grids.formats.tables import CaseTables, Cell

_TOKEN = re.compile(r"'([^']*)'|\"([^\"]*)\"|([^\s,]+)")

INFINITE_S = 1e5
"""Inertia constant of a GENCLS with H = 0, which is an infinite bus in PSS/E."""


@dataclass(frozen=True)
class DyrRecord:
    """One unit as the file has it."""

    line: int
    bus: int
    model: str
    key: str
    values: tuple[str, ...]

    @property
    def who(self) -> str:
        """Name the unit for a message."""
        return f"{self.model} {self.key!r} at bus {self.bus}"


def read_records(path: Path) -> tuple[list[DyrRecord], list[str]]:
    """Return the units of a file, and remarks on records that are none.

    Raises
    ------
    CaseError
        When the file cannot be read or its last record has no `/`.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise CaseError(msg) from error
    records: list[DyrRecord] = []
    remarks: list[str] = []
    for start, tokens in _statements(path.name, lines):
        if len(tokens) < 3 or not re.fullmatch(r"\d+", tokens[0]):
            remarks.append(f"{path.name}, line {start}: {' '.join(tokens[:3])!r} is no unit and left out")
            continue
        bus, model, key, *values = tokens
        if model.upper() == "USRMDL" and values:
            model, values = values[0], values[1:]
        records.append(DyrRecord(start, int(bus), model.strip().upper(), key.strip(), tuple(values)))
    return records, remarks


def _statements(file: str, lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield line and tokens of each record; what follows its `/` on a line is a comment."""
    tokens: list[str] = []
    start = 0
    for number, line in enumerate(lines, start=1):
        body, ended, _ = line.partition("/")
        here = [a or b or c for a, b, c in _TOKEN.findall(body)]
        start = start if tokens else number
        tokens += here
        if ended and tokens:
            yield start, tokens
            tokens = []
    if tokens:
        what = f"the record {' '.join(tokens[:3])!r} does not end"
        msg = f"{file}, line {start}: {what} (allowed: a `/` behind it)"
        raise CaseError(msg)


def add_dynamics(
    tables: CaseTables, machines: Sequence[Machine], path: Path, *, replace: bool = False
) -> None:
    """Add the dynamic tables of a DYR file to those of its network.

    Parameters
    ----------
    tables
        Tables of the network; they are added to.
    machines
        Machines of the network, for their ratings and impedances.
    path
        The DYR file.
    replace
        Take `SUBSTITUTES` for models we do not have, and record it.

    Raises
    ------
    CaseError
        With all units of models we do not have, all units without a machine, and all values that cannot be.
    """
    records, remarks = read_records(path)
    by_key = {(m.bus, m.key): m for m in machines}
    layouts, missing = _choose(records, replace=replace)
    wrong = [_unknown(path.name, model, units, replace=replace) for model, units in missing.items()]
    for r in records:
        machine = by_key.get((r.bus, r.key))
        chosen = layouts.get(r.model)
        if chosen is None:
            continue
        if machine is None:
            wrong.append(f"{path.name}, line {r.line}: {r.who} has no generator in the network")
        elif chosen.layout is None:
            continue
        else:
            row, faults, told = _row(path.name, r, chosen, machine, replace=replace)
            wrong += faults
            remarks += told
            name = tables.element[r.bus, r.key]
            tables.rows.setdefault(chosen.layout.table, []).append({"name": name, **row})
    collected(wrong, CaseError)
    tables.sources.append(path.name)
    tables.summary = f"Imported from {' and '.join(tables.sources)}."
    tables.remarks += [*remarks, *_replaced(records, layouts)]
    tell_plants(tables)


def _choose(
    records: Sequence[DyrRecord], *, replace: bool
) -> tuple[dict[str, Substitute], dict[str, list[DyrRecord]]]:
    """Return what each model of the file becomes, and the units of those that become nothing."""
    have = device_names()
    chosen: dict[str, Substitute] = {}
    missing: dict[str, list[DyrRecord]] = {}
    for r in records:
        layout = LAYOUTS.get(r.model)
        if layout is not None and layout.table in have:
            chosen[r.model] = Substitute(layout, "")
        elif replace and r.model in SUBSTITUTES:
            chosen[r.model] = SUBSTITUTES[r.model]
        else:
            missing.setdefault(r.model, []).append(r)
    return chosen, missing


def _replaced(records: Sequence[DyrRecord], chosen: Mapping[str, Substitute]) -> list[str]:
    """Say which models were replaced by which, and of which units."""
    said = []
    for model, substitute in chosen.items():
        if substitute.why:
            at = ", ".join(f"{r.bus} {r.key!r}" for r in records if r.model == model)
            became = f"became {substitute.layout.table}: " if substitute.layout else ""
            said.append(f"{model} {became}{substitute.why}; at bus {at}")
    return said


def _unknown(file: str, model: str, units: Sequence[DyrRecord], *, replace: bool) -> str:
    at = ", ".join(f"{r.bus} {r.key!r} (line {r.line})" for r in units)
    if model in SUBSTITUTES:
        way = f"--replace takes a substitute: {SUBSTITUTES[model].why}"
    elif replace:
        way = f"there is no substitute.{nearest(model, [*LAYOUTS, *SUBSTITUTES])}"
    else:
        way = f"nor a substitute.{nearest(model, [*LAYOUTS, *SUBSTITUTES])}"
    return f"{file}: no model {model!r} here, of the units at bus {at}; {way}"


def _row(
    file: str, r: DyrRecord, chosen: Substitute, machine: Machine, *, replace: bool
) -> tuple[dict[str, Cell], list[str], list[str]]:
    """Return a row of our table, what is wrong with the record, and what was replaced in it."""
    assert chosen.layout is not None  # noqa: S101 - the caller has looked
    layout, where = chosen.layout, f"{file}, line {r.line} ({r.who})"
    if layout.values and len(r.values) != len(layout.values):
        return {}, [f"{where}: has {len(r.values)} values, the model takes {len(layout.values)}"], []
    row: dict[str, Cell] = {}
    faults: list[str] = []
    for name, text in zip(layout.values, r.values, strict=bool(layout.values)):
        field, needs, wanted = name.partition("=")
        try:
            value = float(text.upper().replace("D", "E")) if not needs or wanted else 0.0
        except ValueError:
            faults.append(f"{where}, value {field}: {text!r} is not a number")
            continue
        if wanted and value not in {0.0, float(r.bus)}:
            faults.append(f"{where}, value {field}: {value:g} is not represented (allowed: 0 or the own bus)")
        if not needs:
            row[field] = int(value) if field.endswith("_code") else value
    if faults:
        return {}, faults, []
    row |= {**layout.constants, **chosen.typical}
    _complete(row, layout, machine)
    known = device(layout.table).params_type.model_fields
    row = {name: value for name, value in row.items() if name in known}
    told = _automatic(where, layout, row)
    faults += [*([] if replace else told), *faults_of(where, layout.table, row)]
    origin = {"evidence": "synthetic" if chosen.typical else "published", "source": f"{file}, line {r.line}"}
    note = f"stands for {r.model}: {chosen.why}" if chosen.why else ""
    return {**row, **origin, "note": note}, faults, told


def _complete(row: dict[str, Cell], layout: Layout, machine: Machine) -> None:
    """Add what the power-flow data says about the machine, and lags of feedbacks that are off."""
    if device(layout.table).carries_power:
        row["sn_mva"], row["ra_pu"] = machine.sn_mva, machine.r_pu
    if layout.table == "gencls":
        row["xd1_pu"] = machine.x_pu
        row["h_s"] = row["h_s"] or INFINITE_S
    for gain, lag in (("kf1_pu", "tf1_s"), ("kf_pu", "tf_s")):
        if row.get(gain) == 0 and row.get(lag) == 0:
            row[lag] = IDLE_S


def _automatic(where: str, layout: Layout, row: dict[str, Cell]) -> list[str]:
    """Put numbers for values that PSS/E finds itself; return what that was."""
    told = []
    if layout.table in {"ieeex1", "exdc2", "esdc2a"}:
        for field, (name, value) in AUTOMATIC.items():
            if row.get(field) == 0:
                row[field] = value
                told.append(
                    f"{where}, value {name}: 0 asks PSS/E to find it at the start; --replace takes {value:g}"
                )
    return told


def faults_of(where: str, table: str, row: Mapping[str, Any]) -> list[str]:
    """Return what the model of a dynamic table finds wrong with a row."""
    cls = device(table)
    try:
        params = cls.params_type(**row)
    except ValidationError as error:
        found = [(str(p["loc"][0]) if p["loc"] else "", p["msg"]) for p in error.errors()]
        return [f"{where}, value {name}: {row.get(name)!r}: {text}" for name, text in found]
    return [f"{where}: {finding}" for finding in cls.findings(params)]


_PLANT = {"hygov": "rest_hydro", "gast": "rest_gas", "regc_a": "wind"}
"""Table of an element -> its plant type; all others stay what they are."""


def tell_plants(tables: CaseTables) -> None:
    """Let plant types and inertia follow from the models: they serve the area frequency of `powerflow`."""
    inertia = {
        str(row["name"]): row["h_s"]
        for name in ("genrou", "gensal", "gencls")
        for row in tables.rows.get(name, [])
    }
    kind = {str(row["name"]): plant for name, plant in _PLANT.items() for row in tables.rows.get(name, [])}
    governed = {
        str(row["name"])
        for name, rows in tables.rows.items()
        if name in device_names() and device(name).role == "governor"
        for row in rows
    }
    for row in tables.rows["gen"]:
        name = str(row["name"])
        row["plant_type"] = kind.get(name, row["plant_type"])
        if name in inertia and float(inertia[name]) <= 100.0:
            row["h_s"] = inertia[name]
        row["responding_pu"] = 1.0 if name in governed else 0.0
