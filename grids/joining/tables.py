"""Tables of the interconnection: what two cases share, and what either stands in for."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from cosim.core.errors import CaseError, collected
from grids.caseread import Findings, Row, check_header, parse_rows, read_rows
from grids.casetables import EVIDENCE, TABLES, Column, Table

FOLDER = Path(str(resources.files("grids") / "interconnection"))

_ORIGIN = (
    Column("evidence", choices=EVIDENCE),
    Column("source"),
    Column("note", default="", required=False),
)
_PAIR = (Column("case"), Column("beside"))
_WHERE = (Column("table", choices=tuple(TABLES)),)

STATIONS = Table("stations", (Column("station"), Column("case"), *_ORIGIN), key=("station",))
"""Busbars that stand in several cases, and the case whose row stays."""
BOUNDARIES = Table(
    "boundaries",
    (*_PAIR, *_WHERE, Column("element"), *_ORIGIN),
    key=("case", "beside", "table", "element"),
)
"""Elements of a case that stand for what another case brings."""
LINES = Table(
    "lines",
    (*_PAIR, Column("date", default="", required=False), *TABLES["line"].columns),
)
"""Ties neither of two cases has as it is."""
SHUNTS = Table("shunts", (*_PAIR, *TABLES["shunt"].columns))
"""Reactors such ties, or those of either case, need beside the reactors that stay."""
NAMES = Table(
    "names",
    (Column("case"), *_WHERE, Column("name"), Column("joined_name"), *_ORIGIN),
    key=("case", "table", "name"),
)
"""Names two cases use for different things."""

TABLES_OF = (STATIONS, BOUNDARIES, LINES, SHUNTS, NAMES)


@dataclass(frozen=True)
class Interconnection:
    """The rows of the tables, checked cell by cell; new ones at every call, so they may be changed."""

    stations: list[Row]
    boundaries: list[Row]
    lines: list[Row]
    shunts: list[Row]
    names: list[Row]


def read_interconnection(folder: Path = FOLDER) -> Interconnection:
    """Read the tables of the interconnection.

    Raises
    ------
    CaseError
        With all findings at once, one a line: file, row, column, value, what is allowed.
    """
    findings = Findings()
    read = {table.name: _read(table, folder, findings) for table in TABLES_OF}
    collected(findings.lines, CaseError)
    return Interconnection(**read)


def _read(table: Table, folder: Path, findings: Findings) -> list[Row]:
    label = f"{folder.name}/{table.name}.csv"
    header, rows = read_rows(folder / f"{table.name}.csv", label, findings)
    check_header(table, header, label, findings)
    parse_rows(table, header, rows, findings)
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        key = row.key(table)
        if key in seen:
            problem = f"is a duplicate: row {seen[key]} has it already"
            findings.about(row.place, table.key[-1], " ".join(key), problem)
        seen.setdefault(key, row.place.line)
    return rows
