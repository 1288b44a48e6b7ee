"""A case folder from files of another program, and what the import says about it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandapower as pp

from cosim.core.errors import CaseError
from cosim.core.registry import nearest
from grids.case import Case, load_case
from grids.formats.dyr import add_dynamics
from grids.formats.matpower import DEFAULT_HZ, read_matpower
from grids.formats.pandapower_net import read_pandapower
from grids.formats.raw import read_raw
from grids.formats.tables import CaseTables, case_tables
from grids.formats.write import write_case

NETWORKS = (".raw", ".m", ".json", ".xlsx")


def import_case(
    files: Sequence[str], folder: Path, *, replace: bool = False, f_hz: float | None = None
) -> str:
    """Write a case folder and return what was read, in words; nothing is left of a case that is not sound.

    Parameters
    ----------
    files
        One network (PSS/E `.raw`, MATPOWER `.m`, pandapower `.json` or `.xlsx`), and for PSS/E a `.dyr`.
    folder
        A new or empty folder.
    replace
        Put substitutes for dynamic models that are missing here.
    f_hz
        Nominal frequency of formats without one.

    Raises
    ------
    CaseError
        When the files do not fit each other or cannot become a case.
    """
    network, dynamics = _sorted(files)
    if f_hz is not None and network.suffix.lower() != ".m":
        msg = f"{network.name}: says its own frequency (allowed: --f-hz with .m)"
        raise CaseError(msg)
    tables = _tables(network, dynamics, replace=replace, f_hz=f_hz or DEFAULT_HZ)
    new = not folder.exists()
    write_case(tables, folder)
    try:
        case = load_case(str(folder))
    except CaseError:
        for path in [folder] if new else folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise
    return _said(case, tables)


def _sorted(files: Sequence[str]) -> tuple[Path, Path | None]:
    """Return the file of the network and that of the dynamics."""
    paths = [Path(file) for file in files]
    networks = [path for path in paths if path.suffix.lower() in NETWORKS]
    dynamics = [path for path in paths if path.suffix.lower() == ".dyr"]
    for path in paths:
        if path not in networks and path not in dynamics:
            known = (*NETWORKS, ".dyr")
            hint = nearest(path.suffix.lower(), known)
            msg = f"{path}: {path.suffix!r} is not read (allowed: {', '.join(known)}){hint}"
            raise CaseError(msg)
    if len(networks) != 1 or len(dynamics) > 1:
        msg = f"{' '.join(files)}: {len(networks)} networks and {len(dynamics)} .dyr (allowed: 1 and 0 or 1)"
        raise CaseError(msg)
    if dynamics and networks[0].suffix.lower() != ".raw":
        msg = f"{dynamics[0]}: belongs to a .raw, not to {networks[0].name}"
        raise CaseError(msg)
    return networks[0], dynamics[0] if dynamics else None


def _tables(network: Path, dynamics: Path | None, *, replace: bool, f_hz: float) -> CaseTables:
    kind = network.suffix.lower()
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
