"""MATPOWER cases become the network they describe."""

import numpy as np
import pandapower as pp
import pytest
from formats_made import written
from numpy.testing import assert_allclose

from cosim.core.errors import CaseError
from grids.case import load_case
from grids.formats.importing import import_case
from grids.formats.matpower import read_matpower

CASE = """
function mpc = three
%THREE  a system of a test; mpc.bus = [ in a comment
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [
\t1\t3\t0\t0\t0\t0\t1\t1.02\t0\t345\t1\t1.1\t0.9;
\t2\t1\t80\t30\t5\t-20\t1\t1\t0\t345\t1\t1.1\t0.9; % a load and a reactor
\t3, 2, 0, 0, 0, 0, 1, 1, 0, 138, 1, 1.1, 0.9
\t7\t4\t9\t0\t0\t0\t1\t1\t0\t138\t1\t1.1\t0.9;
];
mpc.gen = [ 1 0 0 Inf -Inf 1.02 100 1 250 0; 3 40 0 50 -50 1.01 100 1 30 0 ];
mpc.branch = [
\t1\t2\t0.01\t0.1\t0.2\t150\t0\t0\t0\t0\t1\t-360\t360;
\t2\t3\t0.0\t0.05\t0.04\t0\t0\t0\t0.97\t-5\t1\t-360\t360;
\t1\t2\t0.01\t0.1\t0.2\t150\t0\t0\t0\t0\t0\t-360\t360;
];
mpc.dcline = [ 1 2 1 10 8.9 2 1 1 1 0 20 -5 5 -5 5 0 0 ];
mpc.gencost = [ 2 0 0 3 0.01 40 0; 2 0 0 3 0.01 40 0 ];
mpc.bus_name = { 'one'; 'two [x]'; 'three'; 'gone' };
"""


def admittance():
    """Return the bus admittances of the case as the manual's equations have them."""
    y = np.zeros((3, 3), dtype=complex)
    line, shifter = (0, 1, 0.01, 0.1, 0.2, 1.0), (1, 2, 0, 0.05, 0.04, 0.97 * np.exp(-1j * np.pi / 36))
    for f, t, r, x, b, tap in (line, shifter):
        ys = 1 / complex(r, x)
        own = ys + 0.5j * b
        y[f, f] += own / abs(tap) ** 2
        y[t, t] += own
        y[f, t] -= ys / np.conj(tap)
        y[t, f] -= ys / tap
    y[1, 1] += complex(0.05, -0.2)
    return y


def test_a_case_has_the_admittances_and_powers_of_the_manual(tmp_path):
    said = import_case([str(written(tmp_path, "three.m", CASE))], tmp_path / "case", f_hz=50.0)
    net = load_case(str(tmp_path / "case")).net
    pp.runpp(net, calculate_voltage_angles=True, tolerance_mva=1e-9)
    lookup = net["_pd2ppc_lookups"]["bus"][net.bus.index]
    y = net["_ppc"]["internal"]["Ybus"].toarray()[np.ix_(lookup, lookup)]
    assert_allclose(y, admittance(), atol=1e-9)
    v = net.res_bus["vm_pu"] * np.exp(1j * np.deg2rad(net.res_bus["va_degree"]))
    s_mva = 100 * (v * np.conj(y @ v)).to_numpy()
    assert_allclose(s_mva[1], complex(-80 + 8.9, -30 + 1), atol=1e-6)
    assert_allclose(s_mva[2].real, 40, atol=1e-6)
    assert_allclose(net.res_bus["vm_pu"].iloc[2], 1.01, atol=1e-12)
    assert net.f_hz == 50.0
    assert "bus 7 is isolated" in said
    assert net.gen["max_p_mw"].iloc[0] == 40.0  # the limit gives way to the schedule
    assert net.line["in_service"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mpc.baseMVA = 100;", "mpc.baseMVA = 10 * 10;", "line 5: mpc.baseMVA is computed"),
        ("mpc.gencost", "mpc.branch(:, 3) = mpc.branch(:, 3) / 100;\nmpc.gencost", "mpc.branch is computed"),
        ("0.01\t0.1\t0.2\t150", "r1\t0.1\t0.2\t150", "is not all numbers"),
        ("mpc.gen = [ 1 0 0 Inf -Inf 1.02 100 1 250 0;", "mpc.gen = [ 1 0 0;", "3 columns (allowed: 10"),
        ("mpc.branch = [", "mpc.twig = [", "mpc.branch is missing"),
    ],
)
def test_a_case_that_cannot_be_read_names_line_and_matrix(tmp_path, old, new, said):
    with pytest.raises(CaseError) as error:
        read_matpower(written(tmp_path, "three.m", CASE.replace(old, new, 1)), 60.0)
    assert said in str(error.value)


def test_a_frequency_is_asked_for_only_where_the_format_has_none(tmp_path):
    raw = written(tmp_path, "a.raw", "")
    with pytest.raises(CaseError, match="says its own frequency"):
        import_case([str(raw)], tmp_path / "case", f_hz=50.0)
