"""The skeleton of a case: a small province that runs, and a page that says what every column holds."""

import re
import shutil
from pathlib import Path

from cosim.core.errors import CaseError
from grids.case import case_folder, operating_points
from grids.casetables import TABLES, Column, Table

PROVINCE = Path(__file__).parent / "templates" / "province"

PURPOSE = {
    "bus": "Busbars; all other tables name them.",
    "line": "Overhead lines and cables: electrical data by `std_type`, or per kilometre in the row.",
    "trafo": "Transformers of two windings, with tap changers.",
    "load": "What is drawn; units of a scenario come on top.",
    "gen": "Synchronous machines; `plant_type` says how they respond.",
    "sgen": "Wind, PV, storage, ends of direct-current links and interchange: power without voltage control.",
    "shunt": "Reactors (`q_mvar` > 0) and capacitors, in steps.",
    "ext_grid": "The slack, one per connected network.",
    "points": "Places where units of a scenario connect.",
    "areas": "Synchronous areas, and the load outside the case.",
    "rest_fleet": "Machines of the area outside the case.",
    "ties": "Where the rest of the area answers.",
    "links": "Direct-current links, named after their ends in sgen.csv.",
}
_COMMON = ("evidence", "source", "name_zh", "note")


def new_case(folder: Path, template: str = "") -> str:
    """Write a new case that runs, and return what to do with it.

    Parameters
    ----------
    folder
        A new or empty folder; its name is that of the case.
    template
        Case to start from, by name or folder; the small invented province when empty.

    Raises
    ------
    CaseError
        When the folder holds something, or there is no such template.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder}: exists and is not empty (allowed: a new or empty folder)"
        raise CaseError(msg)
    source = case_folder(template) if template else PROVINCE
    shutil.copytree(source, folder, dirs_exist_ok=True)
    meta, origin = folder / "case.yaml", folder / "PROVENANCE.md"
    text = meta.read_text(encoding="utf-8")
    meta.write_text(re.sub(r"\Atitle:.*", f"title: {folder.name}", text), encoding="utf-8")
    if template:
        told = f"Started as a copy of `{source.name}`, whose licence and provenance follow."
        before = origin.read_text(encoding="utf-8")
        origin.write_text(f"# {folder.name}\n\n{told}\n\n{before}", encoding="utf-8")
    (folder / "README.md").write_text(readme(folder), encoding="utf-8")
    tables = len(list(folder.glob("*.csv")))
    return (
        f"{folder}: {tables} tables from {template or 'an invented province'}, columns in README.md\n"
        f"  suandian grid check {folder}\n"
        f"  a scenario beside it: grid: {{case: ./{folder.name}}}"
    )


def readme(folder: Path) -> str:
    """Return a page on the files of a case and the columns of its tables."""
    points = ", ".join(operating_points(folder)) or "none"
    lines = [
        f"# {folder.name}",
        "",
        "A grid case of Suandian: tables with pandapower's column names, busbars by name. An empty cell",
        "takes the default. `evidence` (`published`, `derived`, `synthetic`) and `source` are in every row,",
        "`name_zh` and `note` may be in any. `case.yaml` holds title, frequency and sources,",
        "`PROVENANCE.md` where the data come from, `operating_points/` what differs from the tables at each",
        f"point (now: {points}).",
        "",
        "| command | does |",
        "|---|---|",
        f"| `suandian grid check {folder.name}` | reads, solves, looks at limits, starts the dynamics |",
        f"| `suandian grid show {folder.name}` | prints totals, voltage levels, evidence |",
        f"| `python -m grids.recipe {folder.name}` | works out the points of `recipe.yaml` and writes them |",
    ]
    for table in TABLES.values():
        lines += ["", *_table(table)]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> list[str]:
    rule = "must be there" if table.required else "may be left out"
    rows = [_row(column) for column in table.columns if column.name not in _COMMON]
    head = [f"## {table.name}.csv ({rule})", "", PURPOSE[table.name], ""]
    return [*head, "| column | allowed | default |", "|---|---|---|", *rows]


def _row(column: Column) -> str:
    default = {None: "must be given", "nan": "unknown", "": "empty"}.get(column.default, column.default)
    return f"| `{column.name}` | {column.allowed()} | {default} |"
