"""PSS/E dynamics data become rows of dynamic tables, or an error that lists what cannot."""

import numpy as np
import pytest
from formats_made import raw_text, written
from numpy.testing import assert_allclose

from cosim.core.errors import CaseError
from grids.case import load_case
from grids.dynamics import LoadStep, simulate
from grids.dynamics.registry import device, device_names
from grids.dynamics.tables import read_units
from grids.formats.dyr import read_records
from grids.formats.dyr_models import LAYOUTS, SUBSTITUTES
from grids.formats.importing import import_case

FROM_NETWORK = {"sn_mva", "ra_pu", "xd1_pu"}

SMIB = {
    "bus": ["1,'MACHINE',24.0,2,1,1,1,1.0,0.0", "2,'SYSTEM',230.0,3"],
    "generator": [
        "1,'1 ',700.0,0.0,999.0,-999.0,1.02,0,900.0,0.003,0.25,0.0,0.0,1.0,1,100.0,900.0,0.0",
        "2,'1 ',0.0,0.0,9999.0,-9999.0,1.0,0,9000.0,0.0,0.20,0.0,0.0,1.0,1,100.0,9000.0,-9000.0",
    ],
    "load": ["2,'1 ',1,1,1,500.0,100.0"],
    "transformer": ["2,1,0,'1 ',1,1,1,0.0,0.0,2,'T',1", "0.0,0.02,100.0", "1.0,0.0,0.0", "1.0,0.0"],
}
DYR = """
/ a comment that ends nothing
1 'GENROU' 1  8.0 0.03 0.4 0.05 6.5 0.0
   1.8 1.7 0.3 0.55 0.25 0.06 0.0392 0.2672 /  round rotor
1, 'SEXS', '1', 0.1, 10.0, 100.0, 0.1, -4.0, 5.0 /
1 'TGOV1' 1 0.05 0.5 1.0D0 0.0 2.1 7.0 0.0 /
2 'GENCLS' '1 ' 0.0 0.0 /
"""


@pytest.fixture
def raw(tmp_path):
    return str(written(tmp_path, "smib.raw", raw_text(33, SMIB)))


def imported(tmp_path, raw, dyr, **options):
    said = import_case([raw, str(written(tmp_path, "smib.dyr", dyr))], tmp_path / "case", **options)
    return load_case(str(tmp_path / "case")), said


@pytest.mark.parametrize("model", LAYOUTS)
def test_a_layout_names_fields_of_its_table_and_leaves_none_open(model):
    layout = LAYOUTS[model]
    assert layout.table in device_names()
    fields = device(layout.table).params_type.model_fields
    named = [name for name in layout.values if "=" not in name]
    assert len(set(named)) == len(named)
    assert set(named) | set(layout.constants) <= set(fields)
    needed = {name for name, field in fields.items() if field.is_required()}
    assert needed <= {*named, *layout.constants, *FROM_NETWORK}


@pytest.mark.parametrize("model", sorted(SUBSTITUTES))
def test_a_substitute_is_a_complete_row(model):
    layout, typical = SUBSTITUTES[model].layout, SUBSTITUTES[model].typical
    assert model not in LAYOUTS
    if layout is None:
        return
    named = {name for name in layout.values if "=" not in name}
    fields = device(layout.table).params_type.model_fields
    needed = {name for name, field in fields.items() if field.is_required()}
    assert needed <= named | set(typical) | set(layout.constants) | FROM_NETWORK
    if typical:
        assert not device(layout.table).findings(device(layout.table).params_type(**typical))


def test_records_run_over_lines_and_end_with_a_slash(tmp_path):
    records, remarks = read_records(written(tmp_path, "smib.dyr", DYR))
    assert [(r.bus, r.model, r.key, len(r.values), r.line) for r in records] == [
        (1, "GENROU", "1", 14, 3),
        (1, "SEXS", "1", 6, 5),
        (1, "TGOV1", "1", 7, 6),
        (2, "GENCLS", "1", 2, 7),
    ]
    assert remarks == []
    with pytest.raises(CaseError, match=r"cut.dyr, line 1: .*does not end"):
        read_records(written(tmp_path, "cut.dyr", "1 'GENCLS' 1 3.0 0.0"))


def test_units_get_their_values_and_what_the_network_says_of_their_machine(tmp_path, raw):
    case, said = imported(tmp_path, raw, DYR)
    units = {(u.model, u.element): u.params for u in read_units(case)}
    machine = units["genrou", "gen_1"]
    assert (machine.td10_s, machine.tq20_s, machine.h_s, machine.xl_pu) == (8.0, 0.05, 6.5, 0.06)
    assert (machine.s10_pu, machine.s12_pu, machine.sn_mva, machine.ra_pu) == (0.0392, 0.2672, 900.0, 0.003)
    infinite = units["gencls", "gen_2"]
    assert (infinite.xd1_pu, infinite.sn_mva) == (0.2, 9000.0)
    assert infinite.h_s >= 1e4
    assert units["tgov1", "gen_1"].vmax_pu == 1.0
    gen = case.net.gen.set_index("name").loc["gen_1"]
    assert (gen["h_s"], gen["responding_pu"]) == (6.5, 1.0)
    assert "smib.dyr" in said


def test_an_imported_machine_starts_flat_and_swings_against_its_system(tmp_path, raw):
    case, _ = imported(tmp_path, raw, DYR)
    run = simulate(case, [LoadStep(bus=1, p_mw=20.0, at_s=0.1)], until_s=1.0, step_s=1 / 120)
    before = run.speed_pu.loc[:0.1, "gen_1"].iloc[:-1]
    assert_allclose(before, 1.0, atol=1e-10)
    first = run.speed_pu["gen_1"].loc[0.1:0.15]
    assert first.iloc[-1] < 1.0 - 1e-6
    assert np.isfinite(run.vm_pu.to_numpy()).all()


def test_models_that_are_missing_are_listed_all_at_once_with_their_units(tmp_path, raw):
    more = "1 'STAB2A' 1 1.0 2.0 /\n2 'USRMDL' '1' 'MYGOV' 1 2 3 /\n2 'GGOV1' 1 5.0 /\n1 'EXAC1' '1' 0.0 /\n"
    with pytest.raises(CaseError) as error:
        imported(tmp_path, raw, DYR.replace("1, 'SEXS', '1', 0.1, 10.0, 100.0, 0.1, -4.0, 5.0 /", "") + more)
    text = str(error.value)
    for name, unit in (("STAB2A", "1 '1'"), ("MYGOV", "2 '1'"), ("GGOV1", "2 '1'"), ("EXAC1", "1 '1'")):
        line = next(line for line in text.splitlines() if f"{name!r}" in line)
        assert unit in line
    assert not (tmp_path / "case").exists()


def test_a_substitute_is_recorded_in_the_provenance_and_in_its_row(tmp_path, raw):
    dyr = DYR.replace("1, 'SEXS', '1', 0.1, 10.0, 100.0, 0.1, -4.0, 5.0 /", "1 'EXAC1' 1 0.0 /")
    case, said = imported(tmp_path, raw, dyr + "1 'STAB2A' 1 1.0 /\n", replace=True)
    assert sorted(u.model for u in read_units(case)) == ["gencls", "genrou", "sexs", "tgov1"]
    provenance = (tmp_path / "case" / "PROVENANCE.md").read_text()
    for text in (said, provenance):
        assert "EXAC1 became sexs" in text
        assert "STAB2A a stabiliser is left out; at bus 1 '1'" in text
    row = (tmp_path / "case" / "sexs.csv").read_text().splitlines()[1]
    assert "synthetic" in row
    assert "stands for EXAC1" in row


def test_a_substitute_is_only_put_for_models_in_the_table(tmp_path, raw):
    with pytest.raises(CaseError, match=r"no model 'TGOV9'.*there is no substitute.*Did you mean 'TGOV"):
        imported(tmp_path, raw, DYR + "2 'TGOV9' 1 0.05 /\n", replace=True)


def test_values_psse_finds_at_the_start_are_refused_unless_replaced(tmp_path, raw):
    exciter = "1 'EXDC2' 1 0.02 50 0.05 0 0 0.0 -3.0 0.0 0.5 0.07 1.3 0 3.98 0.5 5.31 0.7 /"
    dyr = DYR.replace("1, 'SEXS', '1', 0.1, 10.0, 100.0, 0.1, -4.0, 5.0 /", exciter)
    with pytest.raises(CaseError) as error:
        imported(tmp_path, raw, dyr)
    assert "value KE: 0 asks PSS/E" in str(error.value)
    assert "value VRMAX: 0 asks PSS/E" in str(error.value)
    case, said = imported(tmp_path, raw, dyr, replace=True)
    exdc2 = next(u.params for u in read_units(case) if u.model == "exdc2")
    assert (exdc2.ke_pu, exdc2.vrmax_pu, exdc2.vr_follows_v_code) == (0.0, 999.0, 1)
    assert "--replace takes 999" in said


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("1 'IEEEG1' 1 7 0 20 1 1 .1 .1 -.1 5 0 .4 .5 0 8 .5 0 .5 0 0 .1 0 0 /", ["JBUS", "7", "own bus"]),
        ("1 'SEXS' 1 0.1 10.0 100.0 /", ["has 3 values, the model takes 6"]),
        ("1 'SEXS' 1 0.1 10.0 abc 0.1 -4.0 5.0 /", ["value k_pu", "'abc' is not a number"]),
        ("1 'SEXS' 1 0.1 10.0 -100.0 0.1 -4.0 5.0 /", ["k_pu", "-100", "greater than 0"]),
        ("1 'SEXS' 3 0.1 10.0 100.0 0.1 -4.0 5.0 /", ["SEXS '3' at bus 1", "no generator"]),
    ],
)
def test_a_record_that_cannot_be_names_line_unit_and_value(tmp_path, raw, record, said):
    with pytest.raises(CaseError) as error:
        imported(tmp_path, raw, f"1 'GENCLS' 1 5.0 0.0 /\n2 'GENCLS' 1 5.0 0.0 /\n{record}\n")
    for fragment in ("smib.dyr, line 3", *said):
        assert fragment in str(error.value)
