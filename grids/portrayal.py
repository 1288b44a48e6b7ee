"""What a case holds, in words: for `suandian grid show`."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from cosim.core.errors import CaseError
from grids.case import Case, load_case, load_network, operating_points
from grids.casetables import EVIDENCE, TABLES
from grids.dynamics.registry import device
from grids.dynamics.tables import Unit, read_units

NETS = (".json", ".xlsx")
MAKERS = ("gen", "ext_grid")


def open_case(name: str, point: str | None = None) -> Case:
    """Return a case by name or folder, or a pandapower net (.json, .xlsx).

    Raises
    ------
    CaseError
        When there is none, it is not sound, or a net is asked for an operating point.
    """
    if Path(name).suffix.lower() not in NETS:
        return load_case(name, point)
    if point is not None:
        msg = f"{name}: a pandapower net has one operating point (allowed: no --point)"
        raise CaseError(msg)
    return load_network(name)


def portray(case: Case) -> str:
    """Return what a case holds, one fact a line."""
    return "\n".join(_lines(case))


def _lines(case: Case) -> Iterator[str]:
    net = case.net
    yield f"{case.name}: {case.meta['title']}"
    yield f"  {case.meta['summary']}".rstrip()
    if case.folder is not None:
        known = ", ".join(operating_points(case.folder)) or "none"
        yield f"  operating points: {known} (this is {case.point or 'the base tables'})"
    yield f"  nominal frequency {case.meta['f_nominal_hz']:g} Hz, base {net.sn_mva:g} MVA"
    load_mw, made_mw = _power(net.load), _power(net.gen) + _power(net.sgen)
    yield f"  load {load_mw:.6g} MW, scheduled generation {made_mw:.6g} MW, the rest from ext_grid"
    yield f"  rated machines {_sum(net.gen, 'sn_mva'):.6g} MVA"
    levels = Counter(float(kv) for kv in net.bus["vn_kv"])
    yield "  buses: " + ", ".join(f"{n} at {kv:g} kV" for kv, n in sorted(levels.items(), reverse=True))
    counts = {t: len(net[t]) for t in (*TABLES, "trafo3w") if t in net and len(net[t])}
    yield "  elements: " + ", ".join(f"{n} {table}" for table, n in counts.items())
    units = read_units(case)
    yield from _dynamics(net, units)
    yield from _origin(case, counts, {unit.model for unit in units})
    for remark in case.meta.get("assumptions", {}).values():
        yield f"  assumed: {remark}"


def _power(frame: Any) -> float:
    if not len(frame):
        return 0.0
    scaling = frame.get("scaling", 1.0)
    return float((frame["p_mw"] * scaling)[frame["in_service"].astype(bool)].sum())


def _sum(frame: Any, column: str) -> float:
    return float(frame[column].sum()) if column in frame else 0.0


def _dynamics(net: Any, units: Iterable[Unit]) -> Iterator[str]:
    units = list(units)
    if not units:
        yield "  dynamic models: none"
        return
    counts = Counter(unit.model for unit in units)
    yield "  dynamic models: " + ", ".join(f"{n} {model}" for model, n in sorted(counts.items()))
    carried = {unit.element for unit in units if device(unit.model).carries_power}
    makers = pd.concat([net[t] for t in MAKERS if len(net[t])])
    bare = [str(n) for n in makers.loc[makers["in_service"].astype(bool), "name"] if n not in carried]
    if bare:
        yield "  without a dynamic model: " + ", ".join(bare)


def _origin(case: Case, tables: Iterable[str], models: Iterable[str]) -> Iterator[str]:
    """Say the shares of evidence over all rows of the tables of a case, dynamic ones included."""
    marks: Counter[str] = Counter()
    for table in [*tables, *models]:
        path = None if case.folder is None else case.folder / f"{table}.csv"
        here = path is not None and path.is_file() and table not in TABLES
        frame = pd.read_csv(path) if here and path is not None else case.net.get(table)
        if isinstance(frame, pd.DataFrame) and "evidence" in frame:
            marks.update(str(mark) for mark in frame["evidence"])
    total = sum(marks.values())
    if total:
        shares = ", ".join(f"{mark} {100 * marks[mark] / total:.3g} %" for mark in EVIDENCE if marks[mark])
        yield f"  evidence of {total} rows: {shares}"
