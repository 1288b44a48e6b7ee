"""Write the measured table of docs/validation.md: `python tests/validation/table.py [case ...]`.

Without names all rows are measured anew; with names only those of these cases. The tests beside this file
compare each number they measure with the one written there.
"""

import sys
from pathlib import Path

from grids.case import list_cases
from grids.expected_dynamics import QUANTITIES, check_dynamics

PAGE = Path(__file__).resolve().parents[2] / "docs" / "validation.md"
BEGIN, END = "<!-- measured: tests/validation/table.py -->", "<!-- end of measured -->"
HEAD = "| case | run | reference | COI mHz | nadir, zenith mHz | speeds mHz | voltages pu | COI % |"
COLUMNS = tuple(QUANTITIES)


def measured(case: str) -> dict[tuple[str, str], str]:
    """Return a row of the table for every run of a case: measured / allowed."""
    found: dict[str, dict[str, str]] = {}
    source: dict[str, str] = {}
    for d in check_dynamics(case):
        found.setdefault(d.run, {})[d.quantity] = f"{d.value:.2g} / {d.bar:g}"
        source[d.run] = d.source
    return {
        (case, run): " | ".join(
            ["", case, run, source[run], *(cells.get(c, "") for c in COLUMNS), ""]
        ).strip()
        for run, cells in found.items()
    }


def written() -> dict[tuple[str, str], str]:
    """Return the rows of the page."""
    inside = PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = [line for line in inside.splitlines() if line.startswith("| ") and line != HEAD]
    return {(line.split("|")[1].strip(), line.split("|")[2].strip()): line for line in rows}


def main(cases: list[str]) -> None:
    """Measure and rewrite the page."""
    rows = written() if cases else {}
    for case in cases or list_cases():
        rows.update(measured(case))
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    lines = [HEAD, "|" + "---|" * (len(COLUMNS) + 3), *(rows[key] for key in sorted(rows))]
    PAGE.write_text(before + "\n".join([BEGIN, "", *lines, "", END]) + after, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
