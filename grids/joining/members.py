"""Rows of the cases to be joined: found, renamed and taken out by name."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from grids.caseread import Place, Row, Value
from grids.casetables import TABLES

Rows = dict[str, list[Row]]
"""Table name -> rows of one case."""
Members = Mapping[str, Rows]
"""Case name -> its rows."""


def put(row: Row, column: str, value: Value) -> None:
    """Write a cell."""
    row.cells[column] = str(value)
    row.parsed[column] = value


def leave(row: Row, columns: Iterable[str]) -> None:
    """Take cells out of a row."""
    for column in columns:
        row.cells.pop(column, None)
        row.parsed.pop(column, None)


def find(rows: Rows, table: str, name: str) -> Row | None:
    """Return the row of a table by its name."""
    return next((row for row in rows[table] if row.text("name") == name), None)


def in_service(row: Row) -> bool:
    """Return whether an element is in service."""
    return bool(row.parsed.get("in_service", True))


def say_where(rows: Rows, case: str) -> None:
    """Put the name of the case before the file of every cell."""
    for row in (row for table in rows.values() for row in table):
        row.place = Place(f"{case}/{row.place.file}", row.place.line)
        row.moved = {k: Place(f"{case}/{p.file}", p.line) for k, p in row.moved.items()}


def _references(table: str, to: str) -> tuple[str, ...]:
    columns = TABLES[table].columns
    return tuple(c.name for c in columns if c.kind == "reference" and to in c.refers_to)


def rename(rows: Rows, table: str, name: str, new: str) -> None:
    """Give an element another name, wherever the case names it."""
    for row in rows[table]:
        if row.text("name") == name:
            put(row, "name", new)
    for other, elements in rows.items():
        for column in _references(other, table):
            for row in elements:
                if row.text(column) == name:
                    put(row, column, new)


def take_out(
    rows: Rows, table: str, names: Collection[str], columns: Sequence[str] = ("name",)
) -> list[tuple[str, Row]]:
    """Take the rows that name one of `names` out of a table, and all that name these; returns what went."""
    gone = [row for row in rows[table] if any(row.text(column) in names for column in columns)]
    rows[table] = [row for row in rows[table] if row not in gone]
    went = [(table, row) for row in gone]
    taken = {row.text("name") for row in gone}
    for other in rows if taken else ():
        if naming := _references(other, table):
            went += take_out(rows, other, taken, naming)
    return went


def injected_mw(went: Iterable[tuple[str, Row]]) -> float:
    """Return the scheduled power rows brought into the grid [MW]."""
    sign = {"load": -1.0, "sgen": 1.0, "gen": 1.0}
    return sum(sign[t] * row.number("p_mw") for t, row in went if t in sign and in_service(row))
