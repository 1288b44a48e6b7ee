"""MATPOWER cases (`.m`, version 2) as a `SourceGrid`.

Columns as in the MATPOWER User's Manual, appendix B. Matrices of numbers are read; a file that computes its
data is refused, with the line that does. Costs are left out, and a direct-current line is two injections.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosim.core.errors import CaseError, collected
from grids.formats.source import (
    Branch,
    Bus,
    Injection,
    Link,
    Load,
    Machine,
    Shunt,
    SourceGrid,
    without_jumper,
)
from grids.formats.stored import SLACK_PU, stored_mismatch

UNLIMITED = 9999.0
ISOLATED, SWING = 4, 3
COLUMNS = {"bus": 13, "gen": 10, "branch": 11, "dcline": 7}
"""Fewest columns of each matrix."""
_STATEMENT = re.compile(r"mpc\.(\w+)\s*(\([^=]*\))?\s*=\s*(\[[^\]]*\]|[^;\n]*)")


@dataclass(frozen=True)
class _Row:
    line: int
    values: tuple[float, ...]

    def __getitem__(self, column: int) -> float:
        return self.values[column - 1]

    def bus(self, column: int) -> int:
        """Return a bus number."""
        return int(self[column])


def read_matpower(path: Path, f_hz: float) -> SourceGrid:
    """Return the network of a MATPOWER case; the format has no frequency.

    Raises
    ------
    CaseError
        When the file cannot be read, computes its data, or a matrix is missing or too narrow.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise CaseError(msg) from error
    base_mva, matrices = _parse(path.name, lines)
    grid = SourceGrid(path.stem, path.name, base_mva, f_hz)
    grid.remarks.append(f"the format has no frequency: {f_hz:g} Hz")
    _fill(grid, matrices)
    return grid


def _parse(file: str, lines: Sequence[str]) -> tuple[float, dict[str, list[_Row]]]:
    text = "\n".join(line.split("%")[0] for line in lines)
    base_mva, matrices, wrong = math.nan, dict[str, list[_Row]](), list[str]()
    for statement in _STATEMENT.finditer(text):
        key, part, value = statement.groups()
        line = text.count("\n", 0, statement.start()) + 1
        if key not in {*COLUMNS, "baseMVA"}:
            continue
        if part or not re.match(r"\[|[\d.]+\s*$", value):
            wrong.append(f"{file}, line {line}: mpc.{key} is computed there (allowed: numbers)")
        elif key == "baseMVA":
            try:
                base_mva = float(value)
            except ValueError:
                wrong.append(f"{file}, line {line}: mpc.baseMVA is no number (allowed: one above 0)")
        else:
            matrices[key] = _matrix(file, line, key, value, wrong)
    wrong += [f"{file}: mpc.{key} is missing" for key in ("bus", "gen", "branch") if key not in matrices]
    if not base_mva > 0.0:
        wrong.append(f"{file}: mpc.baseMVA is missing or not above 0")
    collected(wrong, CaseError)
    return base_mva, matrices


def _matrix(file: str, first: int, name: str, text: str, wrong: list[str]) -> list[_Row]:
    """Return the rows of a matrix, noting those that are not all numbers or too short."""
    rows: list[_Row] = []
    for number, line in enumerate(text.strip("[]").split("\n"), start=first):
        for cells in (row.replace(",", " ").split() for row in line.split(";")):
            if not cells:
                continue
            try:
                values = tuple(_number(cell) for cell in cells)
                wrong += _no_buses(file, number, name, values)
            except ValueError:
                what = f"{' '.join(cells)[:40]!r} is not all numbers"
                wrong.append(f"{file}, line {number}: mpc.{name}: {what}")
                continue
            if len(values) < COLUMNS[name]:
                what = f"has {len(values)} columns (allowed: {COLUMNS[name]} or more)"
                wrong.append(f"{file}, line {number}: mpc.{name} {what}")
            rows.append(_Row(number, values))
    return rows


def _number(cell: str) -> float:
    value = float(cell)
    if math.isnan(value):
        raise ValueError
    return value


def _no_buses(file: str, line: int, name: str, values: Sequence[float]) -> list[str]:
    """Return the bus numbers of a row that are none."""
    ends = values[: 1 if name in {"bus", "gen"} else 2]
    bad = [v for v in ends if not (math.isfinite(v) and v == int(v) and v >= 0)]
    return [f"{file}, line {line}: mpc.{name}: {value:g} is no bus number" for value in bad]


def _limited(value: float) -> float:
    return min(max(value, -UNLIMITED), UNLIMITED)


def _fill(grid: SourceGrid, matrices: dict[str, list[_Row]]) -> None:
    kinds = {row.bus(1): int(_limited(row[2])) for row in matrices["bus"]}
    collected(_strange_buses(grid.file, matrices, kinds), CaseError)
    for row in matrices["bus"]:
        number = row.bus(1)
        if kinds[number] == ISOLATED:
            grid.remarks.append(f"bus {number} is isolated (type 4) and left out")
            continue
        grid.buses[number] = Bus(
            number=number,
            label="",
            vn_kv=row[10] or 1.0,
            area=f"{row[7]:g}",
            note=f"zone {row[11]:g}",
            vm_pu=row[8],
            va_degree=row[9],
            max_vm_pu=row[12],
            min_vm_pu=row[13],
        )
        if row[3] or row[4]:
            grid.loads.append(Load(number, "1", row[3], row[4]))
        if row[5] or row[6]:
            grid.shunts.append(Shunt(number, "1", row[5], -row[6]))
    _branches(grid, matrices["branch"])
    _dc_lines(grid, matrices.get("dcline", []))
    made_mw: dict[int, float] = {}
    for row in matrices["gen"]:
        if row[8] > 0:
            bus, p_mw = row.bus(1), row[2]
            made_mw[bus] = made_mw.get(bus, 0.0) + (math.nan if kinds.get(bus) == SWING else p_mw)
    mismatch_pu, at = stored_mismatch(grid, made_mw)
    grid.solved = mismatch_pu <= SLACK_PU
    if not grid.solved:
        mva = mismatch_pu * grid.base_mva
        grid.remarks.append(f"the stored voltages are no solution ({mva:.4g} MVA are missing at bus {at})")
    _machines(grid, matrices["gen"], kinds)


def _strange_buses(file: str, matrices: dict[str, list[_Row]], known: Mapping[int, int]) -> list[str]:
    """Return the ends of elements that are no bus of the file."""
    ends = {"gen": (1,), "branch": (1, 2), "dcline": (1, 2)}
    return [
        f"{file}, line {row.line}: mpc.{name}: {row.bus(column)} is no bus of the file"
        for name, columns in ends.items()
        for row in matrices.get(name, [])
        for column in columns
        if row.bus(column) not in known
    ]


def _branches(grid: SourceGrid, rows: Sequence[_Row]) -> None:
    seen: dict[tuple[int, int], int] = {}
    for row in rows:
        one, other = row.bus(1), row.bus(2)
        if one not in grid.buses or other not in grid.buses:
            grid.remarks.append(f"branch {one}-{other} at an isolated bus is left out")
            continue
        x_pu, note = without_jumper(row[3], row[4])
        seen[one, other] = seen.get((one, other), 0) + 1
        grid.branches.append(
            Branch(
                one=one,
                other=other,
                key=str(seen[one, other]),
                r_pu=row[3],
                x_pu=x_pu,
                b_pu=row[5],
                tap_one=row[9] or 1.0,
                shift_degree=row[10],
                transformer=bool(row[9] or row[10]),
                rating_mva=_limited(row[6]),
                in_service=row[11] > 0,
                note=note,
            )
        )


def _machines(grid: SourceGrid, rows: Sequence[_Row], kinds: dict[int, int]) -> None:
    swung: set[int] = set()
    seen: dict[int, int] = {}
    for row in rows:
        bus = row.bus(1)
        if bus not in grid.buses:
            grid.remarks.append(f"generator at isolated bus {bus} is left out")
            continue
        seen[bus] = seen.get(bus, 0) + 1
        on, p_mw = row[8] > 0, row[2]
        slack = on and kinds[bus] == SWING and bus not in swung
        swung |= {bus} if slack else set()
        stored = grid.buses[bus].vm_pu
        vm_pu, note = row[6], ""
        if grid.solved and abs(vm_pu - stored) > 1e-4:
            vm_pu, note = stored, f"the stored voltage is taken, Vg is {row[6]:g}"
        highest = max(_limited(row[9]), p_mw)
        grid.machines.append(
            Machine(
                bus=bus,
                key=str(seen[bus]),
                p_mw=p_mw,
                vm_pu=vm_pu,
                sn_mva=max(row[7] or grid.base_mva, highest),
                min_p_mw=min(_limited(row[10]), p_mw),
                max_p_mw=highest,
                min_q_mvar=_limited(min(row[4], row[5])),
                max_q_mvar=_limited(max(row[4], row[5])),
                slack=slack,
                va_degree=grid.buses[bus].va_degree if slack else 0.0,
                in_service=on,
                note=note,
            )
        )


def _dc_lines(grid: SourceGrid, rows: Sequence[_Row]) -> None:
    for number, row in enumerate(rows, start=1):
        name, on = f"dc{number}", row[3] > 0
        for bus, p_mw, q_mvar in ((row.bus(1), -row[4], row[6]), (row.bus(2), row[5], row[7])):
            if bus not in grid.buses:
                grid.remarks.append(f"end of dc line {number} at isolated bus {bus} is left out")
                continue
            note = f"end of dc line {number}; its voltage control is not represented"
            grid.injections.append(Injection(bus, name, p_mw, q_mvar, "dc", on, note))
        grid.links.append(Link(name, (row.bus(1), name), (row.bus(2), name), row[4]))
