"""Grid cases: folders of tables, or any pandapower network, as one validated object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from cosim.core.errors import CaseError, collected
from cosim.core.registry import nearest
from grids.casecheck import (
    check_areas,
    check_busbars,
    check_connection,
    check_names,
    check_order,
    check_types,
    check_voltages,
)
from grids.casenet import build_net, electric_data
from grids.caseread import Findings, Row, check_header, override, parse_rows, read_rows
from grids.casetables import TABLES
from grids.joining import join
from grids.links.check import check_links
from grids.network import complete_network, read_network
from grids.plants import plant_types, standard_types

CASES = Path(str(resources.files("grids") / "cases"))
"""Cases that come with the package."""

JOINED = "+"
"""What stands between the names of cases that are joined."""

_META = {"title": str, "summary": str, "f_nominal_hz": (int, float), "sources": list}


@dataclass(frozen=True)
class Case:
    """One grid at one operating point."""

    name: str
    point: str | None
    net: Any
    """pandapower net; points, areas, rest_fleet, ties, links are tables in it, `net["points"]` and so on."""
    points: Mapping[str, int]
    """Named place -> bus index."""
    folder: Path | None
    meta: Mapping[str, Any]
    """case.yaml, and under `operating_point` its point.yaml."""


def list_cases() -> tuple[str, ...]:
    """Return the names of the cases that come with the package."""
    return tuple(sorted(path.parent.name for path in CASES.glob("*/case.yaml")))


def case_folder(name_or_path: str) -> Path:
    """Return the folder of a case: one of ours by name, or any folder with a case.yaml.

    Raises
    ------
    CaseError
        When there is neither.
    """
    ours = CASES / name_or_path
    for folder in (ours, Path(name_or_path)):
        if name_or_path and (folder / "case.yaml").is_file():
            return folder
    msg = (
        f"grid case {name_or_path!r} is neither a folder with a case.yaml nor one of "
        f"{', '.join(list_cases())}.{nearest(name_or_path, list_cases())}"
    )
    raise CaseError(msg)


def operating_points(folder: Path) -> tuple[str, ...]:
    """Return the names of a case's operating points."""
    return tuple(sorted(path.parent.name for path in folder.glob("operating_points/*/point.yaml")))


def load_case(name_or_path: str, point: str | None = None) -> Case:
    """Read, check and build a case at an operating point (default: the one case.yaml names).

    Several names with `+` between them are cases to be joined, see `load_cases`.

    Raises
    ------
    CaseError
        With all findings at once, one a line: file, row (line of the file), column, value, what is
        allowed.
    """
    if JOINED in name_or_path and not Path(name_or_path).is_dir():
        return load_cases(name_or_path.split(JOINED), point)
    part = _read_part(name_or_path, point)
    return _build(part.folder.name, part.point, part.rows, part.meta, part.folder)


def load_cases(names: Sequence[str], point: str | None = None) -> Case:
    """Read, check and join several cases at one operating point: see docs/models/interconnection.md.

    Without a point every case takes its own default, which must then be the same. Column `case` of the
    tables of elements says where each comes from.

    Raises
    ------
    CaseError
        As for one case; and when a case is named twice, points or nominal frequencies differ, or two cases
        use one name for different things.
    """
    if len(names) == 1:
        return load_case(names[0], point)
    parts = [_read_part(name, point) for name in names]
    _check_parts(parts)
    rows = join({part.folder.name: part.rows for part in parts})
    findings = Findings()
    _check(rows, findings)
    collected(findings.lines, CaseError)
    name = JOINED.join(part.folder.name for part in parts)
    case = _build(name, parts[0].point, rows, _joined_meta(parts), None)
    for table in ("bus", "line", "trafo", "load", "gen", "sgen", "shunt", "ext_grid", "points"):
        case.net[table]["case"] = [row.place.file.split("/")[0] for row in rows[table]]
    return case


@dataclass(frozen=True)
class _Part:
    """One case as it was read."""

    folder: Path
    point: str | None
    rows: dict[str, list[Row]]
    meta: dict[str, Any]


def _read_part(name_or_path: str, point: str | None) -> _Part:
    folder = case_folder(name_or_path)
    findings = Findings()
    meta = _read_meta(folder / "case.yaml", "case.yaml", findings, _META)
    if not (folder / "PROVENANCE.md").is_file():
        findings.file("PROVENANCE.md", "is missing: it says what is published, derived and synthetic")
    chosen = point if point is not None else meta.get("default_point")
    _check_point(folder, chosen, findings)
    rows = _read_tables(folder, chosen, findings)
    _check(rows, findings)
    if findings.lines:
        collected([f"{folder.name}/{line}" for line in findings.lines], CaseError)
    if chosen is not None:
        yaml_file = f"operating_points/{chosen}/point.yaml"
        meta["operating_point"] = _read_meta(folder / yaml_file, yaml_file, findings, {"title": str})
        collected([f"{folder.name}/{line}" for line in findings.lines], CaseError)
    return _Part(folder, chosen, rows, meta)


def _build(
    name: str, point: str | None, rows: Mapping[str, list[Row]], meta: dict[str, Any], folder: Path | None
) -> Case:
    net = build_net(rows, name, float(meta["f_nominal_hz"]), float(meta.get("base_mva", 100.0)))
    bus = {name: index for index, name in enumerate(net.bus["name"])}
    points = {row.text("name"): bus[row.text("bus")] for row in rows["points"]}
    return Case(name, point, net, points, folder, meta)


def _check_parts(parts: Sequence[_Part]) -> None:
    """Check that cases can be joined at all."""
    findings: list[str] = []
    names = [part.folder.name for part in parts]
    findings += [f"case {name!r} is named twice" for name in sorted({n for n in names if names.count(n) > 1})]
    for key, values in (
        ("operating point", [part.point for part in parts]),
        ("f_nominal_hz", [float(part.meta["f_nominal_hz"]) for part in parts]),
        ("base_mva", [float(part.meta.get("base_mva", 100.0)) for part in parts]),
        ("dynamics", [part.meta.get("dynamics") for part in parts]),
    ):
        if len(set(values)) > 1:
            said = ", ".join(f"{value!r} of {name}" for name, value in zip(names, values, strict=True))
            findings.append(f"{key} differs: {said} (allowed: the same in all cases that are joined)")
    collected(findings, CaseError)


def _joined_meta(parts: Sequence[_Part]) -> dict[str, Any]:
    metas = [part.meta for part in parts]
    titles = [str(meta["title"]) for meta in metas]
    whole: dict[str, Any] = {
        "title": f"{', '.join(titles[:-1])} and {titles[-1]}",
        "summary": "Cases joined: provinces of one area by their ties, areas side by side.",
        "sources": list(dict.fromkeys(source for meta in metas for source in meta["sources"])),
        "members": [part.folder.name for part in parts],
    }
    whole |= {key: metas[0][key] for key in ("f_nominal_hz", "base_mva", "dynamics") if key in metas[0]}
    points = [meta.get("operating_point", {}) for meta in metas]
    if all(points):
        said = "; ".join(f"{title}: {point['title']}" for title, point in zip(titles, points, strict=True))
        same = {key: value for key, value in points[0].items() if all(p.get(key) == value for p in points)}
        whole["operating_point"] = {**same, "title": said}
    return whole


def load_network(name_or_file: str) -> Case:
    """Take any pandapower net as a case: .json, .xlsx or a function of pandapower.networks ("case39").

    What a plain net lacks is assumed, and said in `meta["assumptions"]`: one synchronous area, machines of
    a generic coal type, points at every bus. A net that brings these tables (our own `to_json`) keeps them.

    Raises
    ------
    CaseError
        When there is no such net.
    """
    net = read_network(name_or_file)
    assumed = complete_network(net)
    points = {
        str(name): int(bus) for name, bus in zip(net["points"]["name"], net["points"]["bus"], strict=True)
    }
    meta = {
        "title": str(net.get("name") or name_or_file),
        "summary": f"pandapower net {name_or_file}",
        "f_nominal_hz": float(net.f_hz),
        "sources": [name_or_file],
        "assumptions": assumed,
    }
    return Case(Path(name_or_file).stem, None, net, points, None, meta)


def _read_meta(path: Path, label: str, findings: Findings, rules: Mapping[str, Any]) -> dict[str, Any]:
    try:
        meta = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        findings.file(label, f"cannot be read: {error}")
        return {}
    if not isinstance(meta, dict):
        findings.file(label, "is not a mapping of keys to values")
        return {}
    for key, kind in rules.items():
        if key not in meta:
            findings.file(label, f"key {key!r} is missing")
        elif not isinstance(meta[key], kind) or isinstance(meta[key], bool):
            findings.file(label, f"key {key!r}: {meta[key]!r} has the wrong type")
    return meta


def _check_point(folder: Path, point: str | None, findings: Findings) -> None:
    if point is None:
        return
    known = operating_points(folder)
    if point not in known:
        allowed = ", ".join(known) or "none"
        findings.file("operating_points", f"{point!r} is unknown (allowed: {allowed}){nearest(point, known)}")
        return
    for path in sorted((folder / "operating_points" / point).glob("*.csv")):
        if path.stem not in TABLES:
            label = f"operating_points/{point}/{path.name}"
            findings.file(label, f"is not a table of a case.{nearest(path.stem, TABLES)}")


def _read_tables(folder: Path, point: str | None, findings: Findings) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {}
    for name, table in TABLES.items():
        path, label = folder / f"{name}.csv", f"{name}.csv"
        rows[name] = []
        if not path.is_file():
            if table.required:
                findings.file(label, "is missing")
            continue
        header, rows[name] = read_rows(path, label, findings)
        if header:
            check_header(table, header, label, findings)
        if table.not_empty and not rows[name]:
            findings.file(label, "has no rows")
        if point is not None:
            change = folder / "operating_points" / point / f"{name}.csv"
            if change.is_file():
                override(table, rows[name], change, f"operating_points/{point}/{name}.csv", findings)
        parse_rows(table, header, rows[name], findings)
    return rows


def _check(rows: Mapping[str, list[Row]], findings: Findings) -> None:
    kinds: dict[str, Mapping[str, object]] = {
        "line": standard_types("line"),
        "trafo": standard_types("trafo"),
        "plant": plant_types(),
    }
    check_names(rows, findings)
    check_order(rows, findings)
    check_busbars(rows, findings)
    check_types(rows, kinds, findings)
    check_voltages(rows, [electric_data("trafo", row) for row in rows["trafo"]], findings)
    check_connection(rows, findings)
    check_areas(rows, findings)
    check_links(rows, findings)
