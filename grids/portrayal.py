"""Cases opened by name, their dynamic models and where their rows come from."""

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from cosim.core.errors import CaseError
from grids.case import Case, load_case, load_network
from grids.casetables import EVIDENCE, TABLES
from grids.dynamics.registry import device, device_names
from grids.dynamics.tables import read_units

NETS = (".json", ".xlsx")
MAKERS = ("gen", "ext_grid")


def open_case(name: str, point: str | None = None) -> Case:
    """Return a case by name or folder, or a pandapower net (.json, .xlsx).

    Raises
    ------
    CaseError
        When there is none, it is not sound, or a net is asked for an operating point.
    """
    if not is_net(name):
        return load_case(name, point)
    if point is not None:
        msg = f"{name}: a pandapower net has one operating point (allowed: no --point)"
        raise CaseError(msg)
    return load_network(name)


def is_net(name: str) -> bool:
    """Return whether a name is a pandapower net in a file, not a case."""
    return Path(name).suffix.lower() in NETS


def dynamic_models(case: Case) -> tuple[dict[str, int], list[str]]:
    """Return how many units of each dynamic model there are, and the machines in service without one."""
    units = read_units(case)
    if not units:
        return {}, []
    counts = Counter(unit.model for unit in units)
    carried = {unit.element for unit in units if device(unit.model).carries_power}
    makers = pd.concat([case.net[t] for t in MAKERS if len(case.net[t])])
    bare = [str(n) for n in makers.loc[makers["in_service"].astype(bool), "name"] if n not in carried]
    return dict(sorted(counts.items())), bare


def evidence_counts(case: Case) -> list[dict[str, Any]]:
    """Return, per table, how many rows it has and of which evidence; dynamic tables included."""
    records = []
    for table in (*TABLES, *device_names()):
        path = None if case.folder is None else case.folder / f"{table}.csv"
        own = path is not None and path.is_file() and table not in TABLES
        frame = pd.read_csv(path) if own and path is not None else case.net.get(table)
        if isinstance(frame, pd.DataFrame) and len(frame) and "evidence" in frame:
            counts = Counter(str(mark) for mark in frame["evidence"])
            records.append({"table": table, "rows_count": len(frame), **{m: counts[m] for m in EVIDENCE}})
    return records
