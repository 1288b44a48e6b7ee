"""Reading the tables of a case: text cells with their place, checked one by one."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cosim.core.registry import nearest
from grids.casetables import Column, Table

Value = str | float | int | bool

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True)
class Place:
    """Where a cell was written."""

    file: str
    line: int


@dataclass
class Row:
    """One element: its cells, and where each was written (an operating point may override some)."""

    place: Place
    cells: dict[str, str]
    moved: dict[str, Place] = field(default_factory=dict)
    parsed: dict[str, Value] = field(default_factory=dict)

    def where(self, column: str) -> Place:
        """Return the place of one cell."""
        return self.moved.get(column, self.place)

    def key(self, table: Table) -> tuple[str, ...]:
        """Return what names the row."""
        return tuple(self.cells.get(column, "") for column in table.key)

    def text(self, column: str) -> str:
        """Return a cell as text."""
        return str(self.parsed.get(column, ""))

    def number(self, column: str) -> float:
        """Return a cell as a number, nan where there is none."""
        value = self.parsed.get(column, math.nan)
        return math.nan if isinstance(value, str) else float(value)


@dataclass
class Findings:
    """Everything wrong with a case, collected before anything is raised."""

    lines: list[str] = field(default_factory=list)

    def about(self, place: Place, column: str, value: object, problem: str) -> None:
        """Note a problem with one cell: file, row, column, value, what is allowed."""
        self.lines.append(f"{place.file}, row {place.line}, column {column}: {value!r} {problem}")

    def file(self, file: str, problem: str) -> None:
        """Note a problem with a whole file."""
        self.lines.append(f"{file}: {problem}")


def place_in(folder: Path | None, table: str, name: str) -> str:
    """Return file and row of the element `name` of a table; the table alone where a case has no files."""
    if folder is not None and (path := folder / f"{table}.csv").is_file():
        _, rows = read_rows(path, f"{folder.name}/{path.name}", Findings())
        for row in rows:
            if row.cells.get("name") == name:
                return f"{row.place.file}, row {row.place.line}"
    return table


def read_rows(path: Path, label: str, findings: Findings) -> tuple[list[str], list[Row]]:
    """Return header and rows of a csv file (UTF-8, with or without mark); empty lines are skipped."""
    rows: list[Row] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                place = Place(label, reader.line_num)
                if len(cells) != len(header):
                    findings.file(label, f"row {place.line} has {len(cells)} cells, the header {len(header)}")
                    continue
                rows.append(Row(place, {n: c.strip() for n, c in zip(header, cells, strict=True)}))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        findings.file(label, f"cannot be read: {error}")
        return [], []
    for name in sorted({name for name in header if header.count(name) > 1}):
        findings.file(label, f"column {name!r} appears twice")
    return header, rows


def check_header(table: Table, header: list[str], label: str, findings: Findings) -> None:
    """Note missing and unknown columns."""
    for column in table.columns:
        if column.required and column.name not in header:
            findings.file(label, f"column {column.name!r} is missing (allowed: {column.allowed()})")
    for name in header:
        if name not in table.by_name:
            findings.file(label, f"column {name!r} is unknown.{nearest(name, table.by_name)}")


def parse(column: Column, text: str) -> tuple[Value, str]:
    """Return the value of a cell and what is wrong with it (nothing when it is fine)."""
    if text == "" and column.default is not None:
        text = column.default
    elif text == "" and "" not in column.choices:
        return text, "is empty"
    if column.kind in {"text", "reference"}:
        unknown = column.choices and text not in column.choices
        return text, "is unknown" if unknown else ""
    if column.kind == "switch":
        return text.lower() in _TRUE, "" if text.lower() in _TRUE + _FALSE else "is not a switch"
    return _number(column, text)


def _number(column: Column, text: str) -> tuple[Value, str]:
    try:
        value = float(text)
    except ValueError:
        return text, "is not a number"
    if math.isnan(value):
        return value, "" if column.default == "nan" else "is not a number"
    if math.isinf(value):
        return value, "is not finite"
    too_low = (column.above is not None and value <= column.above) or (
        column.least is not None and value < column.least
    )
    if too_low or (column.most is not None and value > column.most):
        return value, "is out of range"
    if column.kind == "whole":
        return int(value), "" if value == round(value) else "is not a whole number"
    return value, ""


def parse_rows(table: Table, header: list[str], rows: list[Row], findings: Findings) -> None:
    """Fill `parsed` of every row, noting each cell that may not be what it is."""
    for row in rows:
        for column in table.columns:
            if column.name not in header and column.name not in row.moved and column.required:
                continue  # noted once, at the header
            text = row.cells.get(column.name, "")
            value, problem = parse(column, text)
            if problem:
                allowed = f"{problem} (allowed: {column.allowed()})"
                findings.about(row.where(column.name), column.name, text, allowed)
            else:
                row.parsed[column.name] = value


def override(table: Table, rows: list[Row], path: Path, label: str, findings: Findings) -> None:
    """Put the cells of an operating point's table over the base table."""
    header, changes = read_rows(path, label, findings)
    unknown = [name for name in header if name not in table.by_name]
    for name in unknown:
        findings.file(label, f"column {name!r} is unknown.{nearest(name, table.by_name)}")
    if missing := [name for name in table.key if name not in header]:
        findings.file(label, f"column {missing[0]!r} is missing: it names the row to change")
        return
    by_key: Mapping[tuple[str, ...], Row] = {row.key(table): row for row in rows}
    for change in changes:
        key = change.key(table)
        row = by_key.get(key)
        if row is None:
            known = [" ".join(k) for k in by_key]
            hint = nearest(" ".join(key), known)
            findings.about(
                change.place, table.key[-1], " ".join(key), f"is not a row of {table.name}.csv.{hint}"
            )
            continue
        for name, text in change.cells.items():
            if name in table.by_name and name not in table.key:
                row.cells[name] = text
                row.moved[name] = change.place
