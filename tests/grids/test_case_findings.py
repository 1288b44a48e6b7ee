"""What is wrong with a case is said with file, row, column, value and what is allowed; all at once."""

import shutil

import pytest

from cosim.core.errors import CaseError
from grids.case import CASES, load_case


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(CASES / "two_bus", tmp_path / "mine")


def change(folder, file, old, new):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def message(folder, point=None):
    with pytest.raises(CaseError) as caught:
        load_case(str(folder), point)
    return str(caught.value)


BROKEN = {
    "unknown bus": (
        "load.csv", "town,b,", "town,bb,",
        "mine/load.csv, row 2, column bus: 'bb' is unknown (allowed: a name in bus.csv)",
    ),
    "duplicate name": (
        "points.csv", "b,b,at", "a,b,at",
        "mine/points.csv, row 3, column name: 'a' is a duplicate: row 2 has it already",
    ),
    "negative capacity": (
        "gen.csv", ",353,", ",-353,",
        "mine/gen.csv, row 2, column sn_mva: '-353' is out of range (allowed: a number > 0)",
    ),
    "wrong type": (
        "load.csv", ",200,", ",lots,",
        "mine/load.csv, row 2, column p_mw: 'lots' is not a number (allowed: a number)",
    ),
    "empty cell": (
        "load.csv", ",200,", ",,",
        "mine/load.csv, row 2, column p_mw: '' is empty (allowed: a number)",
    ),
    "not a number": (
        "load.csv", ",200,", ",nan,", "mine/load.csv, row 2, column p_mw: 'nan' is not a number",
    ),
    "infinite": (
        "load.csv", ",200,", ",inf,", "mine/load.csv, row 2, column p_mw: 'inf' is not finite",
    ),
    "not a switch": (
        "line.csv", ",1,true,", ",1,maybe,",
        "mine/line.csv, row 2, column in_service: 'maybe' is not a switch (allowed: true or false)",
    ),
    "fraction of a circuit": (
        "line.csv", ",1.3,1,", ",1.3,1.5,",
        "mine/line.csv, row 2, column parallel: '1.5' is not a whole number (allowed: a whole number >= 1)",
    ),
    "missing column": (
        "load.csv", "p_mw", "p_kw", "mine/load.csv: column 'p_mw' is missing (allowed: a number)",
    ),
    "unknown column": (
        "line.csv", "parallel", "paralel",
        "mine/line.csv: column 'paralel' is unknown. Did you mean 'parallel'?",
    ),
    "column twice": (
        "points.csv", "description", "name", "mine/points.csv: column 'name' appears twice",
    ),
    "row too short": (
        "load.csv", "town,b,prefecture,200", "town,b,200", "mine/load.csv: row 2 has 6 cells, the header 7",
    ),
    "no electrical data": (
        "line.csv", ",0.04,", ",,",
        "line.csv, row 2, column r_ohm_per_km: '' is empty (allowed: a number, or a std_type that has it)",
    ),
    "unknown plant type": (
        "gen.csv", "coal_300", "coal_30",
        "'coal_30' is unknown (allowed: a type in plant_types.csv) Did you mean 'coal_300'?",
    ),
    "minimum above maximum": (
        "gen.csv", ",120,318,", ",320,318,",
        "mine/gen.csv, row 2, column min_p_mw: 320.0 is above max_p_mw=318",
    ),
    "output out of range": (
        "gen.csv", ",353,200,", ",353,350,",
        "mine/gen.csv, row 2, column p_mw: 350.0 is out of range (allowed: 120 to 318)",
    ),
    "voltage out of range": (
        "ext_grid.csv", ",1.0,", ",10,",
        "mine/ext_grid.csv, row 2, column vm_pu: '10' is out of range (allowed: a number >= 0.8 and <= 1.2)",
    ),
    "evidence missing": (
        "load.csv", ",synthetic,", ",,", "mine/load.csv, row 2, column evidence: '' is empty",
    ),
    "evidence unknown": (
        "load.csv", ",synthetic,", ",guessed,",
        "column evidence: 'guessed' is unknown (allowed: one of published, derived, synthetic)",
    ),
    "two voltages on a line": (
        "bus.csv", "b,220,", "b,110,",
        "line.csv, row 2, column to_bus: 'b' has 110 kV, the other end has 220 kV (allowed: one voltage)",
    ),
    "disconnected bus": (
        "line.csv", ",1,true,", ",1,false,",
        "mine/bus.csv, row 3, column name: 'b' is disconnected: no line or trafo leads to an ext_grid",
    ),
    "key of case.yaml missing": (
        "case.yaml", "f_nominal_hz: 50.0\n", "", "mine/case.yaml: key 'f_nominal_hz' is missing",
    ),
    "case.yaml is no yaml": ("case.yaml", "title: ", "title: [", "mine/case.yaml: cannot be read: "),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_each_mistake_is_located(folder, what):
    file, old, new, expected = BROKEN[what]
    change(folder, file, old, new)
    assert expected in message(folder)


def test_all_findings_come_at_once(folder):
    change(folder, "load.csv", "town,b,prefecture,200", "town,bb,prefecture,lots")
    change(folder, "gen.csv", ",353,", ",-353,")
    (folder / "points.csv").unlink()
    (folder / "PROVENANCE.md").unlink()
    lines = message(folder).splitlines()
    for part in (
        "load.csv, row 2, column bus",
        "load.csv, row 2, column p_mw",
        "gen.csv, row 2, column sn_mva",
    ):
        assert any(part in line for line in lines)
    assert "mine/points.csv: is missing" in lines
    assert any(line.startswith("mine/PROVENANCE.md: is missing") for line in lines)


def test_an_unknown_std_type_names_the_nearest(folder):
    header, row = (folder / "line.csv").read_text().splitlines()
    (folder / "line.csv").write_text(f"{header},std_type\n{row},NAYY 4x50\n")
    assert (
        "mine/line.csv, row 2, column std_type: 'NAYY 4x50' is unknown (allowed: a type in line_types.csv)"
        in (message(folder))
    )


TRAFO = (
    "name,hv_bus,lv_bus,sn_mva,vn_hv_kv,vn_lv_kv,vk_percent,vkr_percent,evidence,source\n"
    "t,b,c,50,{hv},{lv},12,0.5,synthetic,invented\n"
)


def with_trafo(folder, hv, lv):
    with (folder / "bus.csv").open("a") as file:
        file.write("c,110,east,island,31.9,117.8,0.9,1.1,synthetic,invented\n")
    (folder / "trafo.csv").write_text(TRAFO.format(hv=hv, lv=lv))


def test_transformer_windings_must_fit_their_buses(folder):
    with_trafo(folder, 230, 38.5)
    expected = (
        "mine/trafo.csv, row 2, column lv_bus: 'c' has 110 kV, the lv winding 38.5 kV (allowed: within 15%)"
    )
    assert message(folder) == expected


def test_a_fitting_transformer_connects_its_bus(folder):
    with_trafo(folder, 230, 115)
    assert len(load_case(str(folder)).net.trafo) == 1


def test_a_second_slack_is_refused(folder):
    with (folder / "ext_grid.csv").open("a") as file:
        file.write("other,b,1.0,0,synthetic,invented\n")
    assert "row 3, column bus: 'b' is a second slack beside 'slack'" in message(folder)


def test_tie_shares_sum_to_one(folder):
    header = "area,plant_type,sn_mva,p_mw,responding_pu,evidence,source\n"
    (folder / "rest_fleet.csv").write_text(header + "island,rest_coal,1000,500,0.5,synthetic,invented\n")
    assert "ties.csv: area 'island' has a rest_fleet, but no tie" in message(folder)
    ties = "element,area,share_pu,evidence,source\n{}"
    rows = "slack,island,{},synthetic,invented\nplant,island,0.5,synthetic,invented\n"
    (folder / "ties.csv").write_text(ties.format(rows.format(0.4)))
    expected = (
        "row 3, column share_pu: 0.5 is one of 2 shares of 'island' that sum to 0.9 (allowed: a sum of 1)"
    )
    assert expected in message(folder)
    (folder / "ties.csv").write_text(ties.format(rows.format(0.5)))
    assert len(load_case(str(folder)).net["ties"]) == 2


@pytest.mark.parametrize(
    ("busbars", "spacing_km", "expected"),
    [
        ("0", "", "row 3, column busbars: '0' is out of range (allowed: a whole number >= 1)"),
        ("2", "-5", "row 3, column spacing_km: '-5' is out of range (allowed: a number > 0)"),
        ("1", "20", "row 3, column spacing_km: 20.0 joins one busbar (allowed: busbars > 1, or empty)"),
    ],
)
def test_busbars_that_cannot_be_joined_are_named(folder, busbars, spacing_km, expected):
    header, first, second = (folder / "bus.csv").read_text().splitlines()
    rows = [f"{header},busbars,spacing_km", f"{first},,", f"{second},{busbars},{spacing_km}"]
    (folder / "bus.csv").write_text("\n".join(rows) + "\n")
    assert expected in message(folder)


def test_an_unknown_operating_point_names_the_nearest(folder):
    text = message(folder, "bas")
    assert "operating_points: 'bas' is unknown (allowed: base) Did you mean 'base'?" in text


def test_an_unknown_case_names_the_nearest():
    with pytest.raises(CaseError, match=r"'ieee93' is neither .* Did you mean 'ieee39'\?"):
        load_case("ieee93")


def test_an_operating_point_overrides_by_name(folder):
    (folder / "operating_points" / "base" / "load.csv").write_text("name,p_mw\ntown,90\n")
    net = load_case(str(folder)).net
    assert net.load["p_mw"].iloc[0] == 90.0
    assert net.load["q_mvar"].iloc[0] == 50.0  # untouched


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            "load.csv",
            "name,p_mw\ntwon,90\n",
            "row 2, column name: 'twon' is not a row of load.csv. Did you mean",
        ),
        (
            "load.csv",
            "name,p_mw\ntown,x\n",
            "mine/operating_points/base/load.csv, row 2, column p_mw: 'x' is not",
        ),
        ("load.csv", "p_mw\n90\n", "column 'name' is missing: it names the row to change"),
        ("load.csv", "name,p\ntown,90\n", "column 'p' is unknown"),
        ("laod.csv", "name,p_mw\ntown,90\n", "laod.csv: is not a table of a case. Did you mean 'load'?"),
    ],
)
def test_mistakes_in_an_operating_point_are_located_there(folder, file, text, expected):
    (folder / "operating_points" / "base" / file).write_text(text)
    assert expected in message(folder)
