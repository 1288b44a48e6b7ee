"""Write a case folder from tables."""

import csv
from pathlib import Path

import yaml

from cosim.core.errors import CaseError
from grids.casetables import TABLES
from grids.formats.tables import CaseTables, Cell

POINT = "base"


def _text(value: Cell) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _columns(rows: list[dict[str, Cell]]) -> list[str]:
    """Return the columns used, in the order they come; notes only where there are any."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [n for n in names if n != "note" or any(row.get("note") for row in rows)]


def write_case(tables: CaseTables, folder: Path) -> None:
    """Write a case folder: `case.yaml`, one csv file a table, one operating point, `PROVENANCE.md`.

    Raises
    ------
    CaseError
        When the folder exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder}: exists and is not empty (allowed: a new or empty folder)"
        raise CaseError(msg)
    point = folder / "operating_points" / POINT
    point.mkdir(parents=True)
    for name, rows in tables.rows.items():
        if not rows and not (name in TABLES and TABLES[name].required):
            continue
        header = _columns(rows) if rows else [c.name for c in TABLES[name].columns if c.required]
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, header, restval="", extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows({key: _text(cell) for key, cell in row.items()} for row in rows)
    meta = {
        "title": tables.title,
        "summary": tables.summary,
        "f_nominal_hz": tables.f_hz,
        "base_mva": tables.base_mva,
        "default_point": POINT,
        "sources": tables.sources,
    }
    (folder / "case.yaml").write_text(_yaml(meta), encoding="utf-8")
    (point / "point.yaml").write_text(_yaml({"title": "as imported"}), encoding="utf-8")
    (folder / "PROVENANCE.md").write_text(_provenance(folder.name, tables), encoding="utf-8")


def _yaml(meta: dict[str, object]) -> str:
    return yaml.safe_dump(meta, sort_keys=False, allow_unicode=True)


def _provenance(name: str, tables: CaseTables) -> str:
    lines = [
        f"# {name}",
        "",
        f"Imported from {', '.join(f'`{source}`' for source in tables.sources)} by `suandian grid import`.",
        "Network, loads, machines and controls are those of the source; its licence applies to them.",
        "Synthetic: load damping and plant types, which the source does not have. Lines are 1 km long;",
        "a rating of 99 kA or a loading limit of 10000 % stands for `no rating in the source`.",
    ]
    if tables.remarks:
        lines += ["", "## Decided at the import", "", *(f"- {remark}" for remark in tables.remarks)]
    return "\n".join(lines) + "\n"
