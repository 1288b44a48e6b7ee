"""The table `suandian validate` prints: operating points and scenarios by checks."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

EXPECTED, TRAJECTORIES = "expected", "trajectories"

COLUMNS = {
    "power flow": "flow",
    "connection": "one piece",
    "voltages": "volts",
    "loadings": "loads",
    "losses": "losses",
    "slack": "slack",
    "line data": "lines",
    "second solver": "2nd solver",
    "N-1": "N-1",
    "short circuit": "short circ.",
    "inertia": "inertia",
    "flat start": "flat start",
    "20 s at rest": "20 s",
    "totals": "totals",
    EXPECTED: "expected",
    TRAJECTORIES: "runs",
}
"""Checks and the heads of their columns."""

WIDTH = 150
"""Columns of the printed table where there is no terminal to ask."""


@dataclass(frozen=True)
class Check:
    """One thing that must hold, one expected number, or what went wrong before there was one."""

    name: str
    """Case or scenario."""
    what: str
    good: bool
    value: float
    expected: float
    tolerance: float
    note: str
    point: str = ""
    """Operating point; empty where it holds for all of them, and for scenarios."""
    column: str = EXPECTED
    noted: bool = False
    """Nothing is refused, but somebody should know."""

    def numbers(self) -> str:
        """Return value, expected value and tolerance as far as there are any."""
        if math.isnan(self.tolerance):
            return ""
        return f"{self.value:.6g}, expected {self.expected:.6g} ± {self.tolerance:.3g}."

    def sentence(self) -> str:
        """Return what is wrong or should be known, in one line."""
        what = self.what if self.column == self.what else f"{self.column} {self.what}"
        where = f"{self.name}/{self.point}" if self.point else self.name
        return f"{where}, {what}: {self.numbers()} {self.note}".replace(":  ", ": ")


def print_checks(checks: Sequence[Check]) -> None:
    """Print the table, and below it what fails and what should be known."""
    rows: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        rows.setdefault((check.name, check.point), []).append(check)
    used = [column for column in COLUMNS if any(check.column == column for check in checks)]
    table = Table(title="Grid cases and reference scenarios", padding=(0, 0), pad_edge=False)
    table.add_column("case or scenario, operating point", overflow="fold")
    for column in used:
        table.add_column(COLUMNS[column], justify="center", overflow="fold")
    for (name, point), mine in sorted(rows.items(), key=lambda row: list(rows).index(row[0])):
        cells = [_cell([check for check in mine if check.column == column]) for column in used]
        table.add_row(f"{name} {point}".strip(), *cells)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(table)
    for head, chosen in (
        ("FAIL", [check for check in checks if not check.good]),
        ("note", _first_of_each([check for check in checks if check.noted and check.good])),
    ):
        for check in chosen:
            console.print(f"{head}  {check.sentence()}", markup=False, highlight=False)
    failed = sum(not check.good for check in checks)
    noted = sum(check.noted and check.good for check in checks)
    console.print(f"{len(checks) - failed} passed, of which {noted} with a note, {failed} failed")


def _cell(checks: Sequence[Check]) -> str:
    """Return the state of several checks; how many of them hold where they are more than one."""
    if not checks:
        return ""
    bad = sum(not check.good for check in checks)
    if bad:
        return "[red]FAIL[/red]" if len(checks) == 1 else f"[red]{bad} of {len(checks)}[/red]"
    if any(check.noted for check in checks):
        return "note"
    return "ok" if len(checks) == 1 else f"ok {len(checks)}"


def _first_of_each(checks: Sequence[Check]) -> list[Check]:
    """Return the first of the notes a case has of one kind: its points tend to say the same."""
    return list({(check.name, check.column): check for check in reversed(checks)}.values())[::-1]
