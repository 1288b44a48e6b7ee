"""Files with something wrong in them are read or refused with a message, never with a traceback."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from bpa_made import NINE, SWITCHING
from formats_made import raw_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosim.core.errors import CaseError
from grids.formats.bpa.reading import read_bpa
from grids.formats.dyr import add_dynamics
from grids.formats.matpower import read_matpower
from grids.formats.raw import read_raw
from grids.formats.tables import case_tables

NETWORK = raw_text(
    33,
    {
        "bus": ["1,'A',230.0,3", "2,'B',115.0,1", "3,'C',20.0,1"],
        "load": ["2,'1 ',1,1,1,60.0,20.0,20.0,10.0,30.0,-15.0"],
        "generator": ["1,'1 ',0.0,0.0,999.0,-999.0,1.0,0,100.0,0.0,0.2,0.0,0.0,1.0,1,100.0,500.0,0.0"],
        "branch": ["1,1,'1 ',0.0,0.1,-0.04"],
        "transformer": [
            *("1,2,3,'1 ',1,2,1,0.0,0.0,2,'S',1", "0.002,0.1,80.0,0.003,0.05,40.0,0.004,0.3,50.0,1.0,0.0"),
            *("1.02,0.0,0.0,80.0", "1.0,0.0,-30.0,80.0", "0.99,0.0,0.0,40.0"),
        ],
        "two-terminal dc": [
            "'L', 1, 8.0, 500.0, 500.0",
            "1, 2, 20.0, 15.0, 0.0, 7.0",
            "2, 2, 22.0, 18.0, 0.0, 7.0",
        ],
        "switched shunt": ["2,1,0,1,1.1,0.9,0,100.0,'',20.0,1,20.0"],
    },
)
DYNAMICS = "1 'GENROU' 1 8 .03 .4 .05 6.5 0 1.8 1.7 .3 .55 .25 .06 0 0 /\n1 'SEXS' 1 .1 10 100 .1 -4 5 /\n"
MATRICES = """mpc.baseMVA = 100;
mpc.bus = [ 1 3 0 0 0 0 1 1 0 345 1 1.1 0.9; 2 1 80 30 5 -20 1 1 0 345 1 1.1 0.9 ];
mpc.gen = [ 1 0 0 Inf -Inf 1.02 100 1 250 0 ];
mpc.branch = [ 1 2 0.01 0.1 0.2 150 0 0 0.97 -5 1 -360 360 ];
mpc.dcline = [ 1 2 1 10 8.9 2 1 1 1 0 20 -5 5 -5 5 0 0 ];
"""
LINK = """B     RECT    525.1A
BS    INV     525.1B                             999. -999.1.0
BD    VALVE1  210.     2      5.   120.      3000.RECT    525.
BD    VALVE2  200.     2      7.   120.      3000.INV     525.
LD    VALVE1  210. VALVE2  200.  30005.                R800. 500. 15. 17.
T     RECT    525. VALVE1  210.             .006              525. 210.
T     INV     525. VALVE2  200.             .008              525. 200.
L     RECT    525. BUS8    230.1      .01   .1          .05
"""
JUNK = st.sampled_from(["", "0", "-1", "x", "'", "1e400", "nan", "9999999", "1.5", "/", ",,", "[", ";", "2"])


def spoilt(data, text):
    """Return a text some of whose words are something else."""
    words = re.split(r"([,\s]+)", text)
    for _ in range(data.draw(st.integers(1, 3))):
        words[data.draw(st.integers(0, len(words) - 1))] = data.draw(JUNK)
    return "".join(words)


CARDS = f"{NINE.removesuffix('(END)' + chr(10))}{LINK}(END)\n"


def refusal(folder: Path, texts: Mapping[str, str]) -> str:
    """Return why the files are not read, nothing where they are."""
    for ending, text in texts.items():
        (folder / f"a.{ending}").write_text(text, encoding="utf-8")
    try:
        read_bpa(folder / "a.dat", folder / "a.swi", replace=True, f_hz=50.0)
        grid = read_raw(folder / "a.raw")
        add_dynamics(case_tables(grid), grid.machines, folder / "a.dyr", replace=True)
        case_tables(read_matpower(folder / "a.m", 60.0))
    except CaseError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", ["raw", "dyr", "m", "dat", "swi"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_spoilt_file_is_read_or_refused_by_name(tmp_path, kind, data):
    texts = {"raw": NETWORK, "dyr": DYNAMICS, "m": MATRICES, "dat": CARDS, "swi": SWITCHING}
    texts[kind] = spoilt(data, texts[kind])
    assert re.match(r"(a\.(raw|dyr|m|dat|swi)\b|$)", refusal(tmp_path, texts))
