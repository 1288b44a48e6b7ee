"""PSD-BPA files that a user has: the CSEE frequency-stability benchmark, whose licence keeps it out of here.

Set SUANDIAN_CSEE_FS to the folder with its `.DAT`, `.SWI` and `HFLF.m`; skipped where it is not set.
"""

import os
import re
from pathlib import Path

import pandapower as pp
import pytest
from numpy.testing import assert_allclose

from grids.case import load_case
from grids.formats.bpa.network import read_network
from grids.formats.importing import import_case

FOLDER = os.environ.get("SUANDIAN_CSEE_FS", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="SUANDIAN_CSEE_FS names no folder")


def solved_elsewhere(path):
    """Return the voltages of the benchmark's own solution: bus -> pu, degrees."""
    text = path.read_bytes().decode("gb18030", "replace")
    rows = [line.split() for line in text.split("mpc.bus = [")[1].split("];")[0].strip().splitlines()]
    by_number = {row[0]: (float(row[7]), float(row[8])) for row in rows}
    names = re.findall(r"'([^']*)',(\d+)", text.split("mpc.map = {")[1].split("}")[0])
    return {name.replace(" ", ""): by_number[number] for name, number in names}


def test_the_frequency_benchmark_has_its_published_totals_and_voltages(tmp_path):
    dat, swi = (
        next(p for p in Path(FOLDER).iterdir() if p.name.startswith("HF") and p.name.endswith(ending))
        for ending in (".DAT", ".SWI")
    )
    network = read_network(dat, 50.0)
    assert_allclose(sum(load.p_mw for load in network.grid.loads), 4852.1)
    import_case([str(dat), str(swi)], tmp_path / "case", replace=True)
    net = load_case(str(tmp_path / "case")).net
    pp.runpp(net, calculate_voltage_angles=True, numba=False, init="dc", trafo_model="pi")
    published = solved_elsewhere(Path(FOLDER) / "HFLF.m")
    ours = dict(zip(net.bus["name"], net.res_bus[["vm_pu", "va_degree"]].to_numpy(), strict=True))
    buses = network.grid.buses
    pairs = [(ours[buses[k].name], published[f"{name}{kv:.2f}"]) for (name, kv), k in network.number.items()]
    assert len(pairs) == 112
    assert_allclose(*zip(*[(pair[0][0], pair[1][0]) for pair in pairs], strict=True), atol=2e-5)
    assert_allclose(*zip(*[(pair[0][1], pair[1][1]) for pair in pairs], strict=True), atol=5e-4)
