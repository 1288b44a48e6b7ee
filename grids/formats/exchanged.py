"""Exchange formats of European operators, UCTE-DEF and CGMES, through pandapower's converters."""

import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from cosim.core.errors import CaseError, collected
from grids.formats.pandapower_net import net_tables
from grids.formats.simple import simplified
from grids.formats.tables import CaseTables
from grids.formats.ucte_text import ucte_faults
from grids.network import complete_network

CGMES = (".zip", ".xml")


def read_ucte(path: Path) -> CaseTables:
    """Return the tables of a UCTE-DEF file (`.uct`); buses carry their node codes.

    Raises
    ------
    CaseError
        When the file cannot be read, or has elements in service that a case has no table for.
    """
    from pandapower.converter.ucte.from_ucte import from_ucte_dict  # noqa: PLC0415 - slow to import
    from pandapower.converter.ucte.ucte_parser import UCTEParser  # noqa: PLC0415

    collected(ucte_faults(path.name, _text(path)), CaseError)
    parser = UCTEParser(str(path))

    def convert() -> Any:
        parser.parse_file()
        return from_ucte_dict(parser, slack_as_gen=False, clip_small_x_values=False)

    net = _converted(path.name, convert)
    net.bus["name"] = net.bus["ucte_name"]
    nodes = parser.get_data()["N"].set_index("node")
    for column, theirs in (("min_p_mw", "min_p_gen"), ("max_p_mw", "max_p_gen")):
        net.gen[column] = (
            -nodes[theirs].reindex(net.gen["name"]).to_numpy(dtype=float)
        )  # the converter drops them
    return _tables(net, path.name)


def read_cgmes(paths: Sequence[Path]) -> CaseTables:
    """Return the tables of a CGMES model: a zip, a folder of XML files, or the files.

    Raises
    ------
    CaseError
        When lxml is missing (extra `cgmes`), the files are no model, or it has elements in service that a
        case has no table for.
    """
    if find_spec("lxml") is None:
        msg = f"{paths[0]}: CGMES needs the package lxml: pip install 'suandian[cgmes]'"
        raise CaseError(msg)
    from pandapower.converter.cim.cim2pp.from_cim import from_cim  # noqa: PLC0415 - slow to import

    files = [file for path in paths for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    files = [file for file in files if file.suffix.lower() in CGMES]
    wrong = [f for f in files if not f.is_file() or (f.suffix.lower() == ".zip" and not is_zipfile(f))]
    if wrong or not files:
        msg = f"{', '.join(map(str, wrong or paths))}: no CGMES files (allowed: .xml, or a .zip of them)"
        raise CaseError(msg)
    label = paths[0].name
    net = _converted(label, lambda: from_cim(file_list=[str(f) for f in files], ignore_errors=False))
    return _tables(net, label)


def _text(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise CaseError(msg) from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep what a converter prints, warns and logs to itself."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _converted(label: str, convert: Callable[[], Any]) -> Any:
    try:
        with _quietly():
            net = convert()
    except Exception as error:  # whatever a broken file makes pandapower's converters raise
        msg = f"{label}: pandapower's converter cannot read it: {type(error).__name__}: {error}"
        raise CaseError(msg) from error
    if not len(net.bus):
        msg = f"{label}: has no buses (allowed: a whole model, with its topology)"
        raise CaseError(msg)
    return net


def _tables(net: Any, label: str) -> CaseTables:
    if not len(net.ext_grid) and not net.gen.get("slack", []).any():
        msg = (
            f"{label}: has no slack (allowed: a node of type 3, an external network, or a reference machine)"
        )
        raise CaseError(msg)
    with _quietly():
        done = simplified(net)
    assumed = complete_network(net)
    tables = net_tables(net, label, title=Path(label).stem)
    tables.remarks += [*done, *assumed.values()]
    return tables
