"""A case folder from files of another program, and what the import says about it."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandapower as pp

from cosim.core.errors import CaseError
from cosim.core.registry import nearest
from grids.case import Case, load_case
from grids.formats.bpa.reading import read_bpa
from grids.formats.dyr import add_dynamics
from grids.formats.exchanged import CGMES, read_cgmes, read_ucte
from grids.formats.matpower import read_matpower
from grids.formats.pandapower_net import read_pandapower
from grids.formats.raw import read_raw
from grids.formats.tables import CaseTables, case_tables
from grids.formats.write import write_case

NETWORKS = (".raw", ".m", ".json", ".xlsx", ".dat", ".uct", *CGMES)
DYNAMICS = {".dyr": ".raw", ".swi": ".dat"}
"""Dynamic data -> the network it belongs to."""
DEFAULT_HZ = {".m": 60.0, ".dat": 50.0}
"""Formats without a frequency."""


def import_case(
    files: Sequence[str], folder: Path, *, replace: bool = False, f_hz: float | None = None
) -> str:
    """Write a case folder and return what was read, in words; nothing is left of a case that is not sound.

    Parameters
    ----------
    files
        One network (PSS/E `.raw`, PSD-BPA `.dat`, MATPOWER `.m`, UCTE `.uct`, pandapower `.json` or `.xlsx`,
        CGMES as `.zip`, folder or `.xml` files), and for PSS/E a `.dyr`, for PSD-BPA a `.swi`.
    folder
        A new or empty folder.
    replace
        Put substitutes for dynamic models that are missing here; leave out cards that are not read.
    f_hz
        Nominal frequency of formats without one.

    Raises
    ------
    CaseError
        When the files do not fit each other or cannot become a case.
    """
    networks, dynamics = _sorted(files)
    kind = _kind(networks[0])
    if f_hz is not None and kind not in DEFAULT_HZ:
        msg = f"{networks[0].name}: says its own frequency (allowed: --f-hz with {', '.join(DEFAULT_HZ)})"
        raise CaseError(msg)
    tables = _tables(networks, dynamics, replace=replace, f_hz=f_hz or DEFAULT_HZ.get(kind, 0.0))
    new = not folder.exists()
    write_case(tables, folder)
    try:
        case = load_case(str(folder))
    except CaseError as error:
        for path in [folder] if new else folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise CaseError(_with_sources(str(error), tables)) from error
    return _said(case, tables)


def _with_sources(text: str, tables: CaseTables) -> str:
    """Return what is wrong with rows of the tables, each line with where the row comes from."""

    def told(line: str) -> str:
        place = re.search(r"(\w+)\.csv, row (\d+)", line)
        rows = tables.rows.get(place.group(1), []) if place is not None else []
        at = int(place.group(2)) - 2 if place is not None else 0
        source = rows[at].get("source", "") if 0 <= at < len(rows) else ""
        return f"{line} ({source})" if source else line

    return "\n".join(told(line) for line in text.splitlines())


def _kind(path: Path) -> str:
    """Return the ending of a file; a folder is CGMES."""
    return ".xml" if path.is_dir() else path.suffix.lower()


def _sorted(files: Sequence[str]) -> tuple[list[Path], Path | None]:
    """Return the file of the network (CGMES has several), and that of the dynamics."""
    paths = [Path(file) for file in files]
    networks = [path for path in paths if _kind(path) in NETWORKS]
    dynamics = [path for path in paths if _kind(path) in DYNAMICS]
    for path in paths:
        if path not in networks and path not in dynamics:
            known = (*NETWORKS, *DYNAMICS)
            hint = nearest(_kind(path), known)
            msg = f"{path}: {path.suffix!r} is not read (allowed: {', '.join(known)}){hint}"
            raise CaseError(msg)
    several = len(networks) > 1 and {_kind(path) for path in networks} <= set(CGMES)
    if not (len(networks) == 1 or several) or len(dynamics) > 1:
        what = f"{len(networks)} networks and {len(dynamics)} dynamic data"
        msg = f"{' '.join(files)}: {what} (allowed: 1 and 0 or 1; several .xml of one CGMES model)"
        raise CaseError(msg)
    if dynamics and _kind(networks[0]) != DYNAMICS[_kind(dynamics[0])]:
        msg = f"{dynamics[0]}: belongs to a {DYNAMICS[_kind(dynamics[0])]}, not to {networks[0].name}"
        raise CaseError(msg)
    return networks, dynamics[0] if dynamics else None


def _tables(networks: Sequence[Path], dynamics: Path | None, *, replace: bool, f_hz: float) -> CaseTables:
    network, kind = networks[0], _kind(networks[0])
    if kind in CGMES:
        return read_cgmes(networks)
    if kind == ".uct":
        return read_ucte(network)
    if kind == ".dat":
        return read_bpa(network, dynamics, replace=replace, f_hz=f_hz)
    if kind in {".json", ".xlsx"}:
        return read_pandapower(str(network))
    grid = read_raw(network) if kind == ".raw" else read_matpower(network, f_hz)
    tables = case_tables(grid)
    if dynamics is not None:
        add_dynamics(tables, grid.machines, dynamics, replace=replace)
    return tables


def _said(case: Case, tables: CaseTables) -> str:
    lines = [f"{case.folder}: {len(case.net.bus)} buses, from {', '.join(tables.sources)}"]
    lines += [f"  {remark}" for remark in tables.remarks]
    if tables.stored:
        lines.append(f"  {stored_difference(case, tables.stored)}")
    return "\n".join(lines)


def stored_difference(case: Case, stored: dict[str, tuple[float, float]]) -> str:
    """Say how far the power flow of the case lies from the voltages its source stores."""
    net = case.net
    try:
        pp.runpp(net, calculate_voltage_angles=True, init="dc", max_iteration=30, numba=False)
    except pp.LoadflowNotConverged:
        return "the power flow of the case has no solution, though the source stores one"
    names = list(net.bus["name"])
    given = np.array([stored[name] for name in names])
    off_pu = np.abs(net.res_bus["vm_pu"].to_numpy() - given[:, 0])
    off_degree = np.abs(net.res_bus["va_degree"].to_numpy() - given[:, 1])
    worst = int(np.nanargmax(off_pu))
    return (
        f"power flow against the stored voltages: at most {off_pu[worst]:.2g} pu ({names[worst]}) "
        f"and {np.nanmax(off_degree):.2g} degrees apart"
    )
