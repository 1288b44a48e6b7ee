"""The commands `suandian grid` answer with the right exit code and a message that helps."""

import json

import pytest
from typer.testing import CliRunner

from cosim.cli import app

RAW = """0, 100.0, 33, 0, 1, 50.0 / made by a test
A machine and a system

1,'MACHINE',24.0,2
2,'SYSTEM',230.0,3
0 / END OF BUS DATA
2,'1',1,1,1,{load_mw},100.0
0 / END OF LOAD DATA
0 / END OF FIXED SHUNT DATA
1,'1',700.0,0.0,999.0,-999.0,1.02,0,900.0,0.0,0.25,0.0,0.0,1.0,1,100.0,900.0,0.0
2,'1',0.0,0.0,9999.0,-9999.0,1.0,0,9000.0,0.0,0.20,0.0,0.0,1.0,1,100.0,9000.0,-9000.0
0 / END OF GENERATOR DATA
0 / END OF BRANCH DATA
2,1,0,'1',1,1,1,0.0,0.0,2,'T',1
0.0,0.02,100.0
1.0,0.0,0.0
1.0,0.0
0 / END OF TRANSFORMER DATA
Q
"""
DYR = "1 'GENCLS' 1 5.0 0.0 /\n2 'GENCLS' 1 0.0 0.0 /\n"


def suandian(*arguments):
    done = CliRunner().invoke(app, ["grid", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.raw").write_text(RAW.format(load_mw=500.0))
    (tmp_path / "a.dyr").write_text(DYR)
    return tmp_path


def test_a_case_is_imported_shown_checked_and_exported(folder):
    done = suandian("import", "a.raw", "a.dyr", "--out", "mine")
    assert done.exit_code == 0, done.stderr
    assert "2 buses, from a.raw, a.dyr" in done.stdout
    shown = suandian("show", "mine").stdout
    for fact in ("nominal frequency 50 Hz", "2 gencls", "Voltage levels", "Evidence"):
        assert fact in shown
    checked = suandian("check", "mine")
    assert checked.exit_code == 0, checked.stdout
    assert "2 units start flat" in checked.stdout
    for target, file in (("andes", "mine.json"), ("pandapower", "net.json")):
        done = suandian("export", "mine", "--to", target, "--out", file)
        assert done.exit_code == 0, done.stderr
        assert (folder / file).is_file()
    again = json.loads(suandian("show", "net.json", "--json").stdout)
    assert again["dynamic_models"] == {"gencls": 2}
    assert again["points"][0]["load_mw"] == pytest.approx(500.0)


def test_a_map_is_written_also_of_a_joined_grid(folder):
    done = suandian("map", "ningxia+gansu", "--point", "night_valley")
    assert done.exit_code == 0, done.stderr
    assert "ningxia+gansu_map.html" in done.stdout
    assert "Zhongwei" in (folder / "ningxia+gansu_map.html").read_text(encoding="utf-8")


def test_a_check_that_fails_exits_with_1_and_names_the_element(folder):
    raw = RAW.format(load_mw=500.0).replace("-999.0,1.02", "-999.0,1.15")
    (folder / "high.raw").write_text(raw)
    (folder / "half.dyr").write_text(DYR.splitlines()[0])
    suandian("import", "high.raw", "half.dyr", "--out", "high")
    assert "without a dynamic model: gen_2" in suandian("show", "high").stdout
    done = suandian("check", "high")
    assert done.exit_code == 1
    assert "FAIL  voltages: 1.0000 to 1.1500 pu; outside: bus_1 1.15 pu" in done.stdout
    assert "gen_2 (ext_grid) has no dynamic model" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (("import", "a.rawx", "--out", "x"), ["'.rawx' is not read", ".raw, .m, .json, .xlsx, .dat"]),
        (("import", "a.raw", "a.raw", "--out", "x"), ["2 networks and 0 dynamic data"]),
        (("import", "gone.raw", "--out", "x"), ["gone.raw", "No such file"]),
        (("import", "a.raw", "--out", "."), ["not empty", "new or empty folder"]),
        (("import", "a.raw", "bad.dyr", "--out", "x"), ["bad.dyr", "'NOSUCH'", "1 '1' (line 1)"]),
        (("show", "kunder"), ["kunder", "Did you mean 'kundur'?"]),
        (("export", "kundur", "--to", "pandapower", "--out", "k.xlsx"), ["'.xlsx' is not written"]),
        (("export", "kundur", "--to", "psse", "--out", "k.raw"), ["psse", "andes"]),
    ],
)
def test_bad_input_exits_with_2_and_says_what_is_allowed(folder, arguments, fragments):
    (folder / "bad.dyr").write_text("1 'NOSUCH' 1 2.0 /\n")
    done = suandian(*arguments)
    assert done.exit_code == 2
    for fragment in fragments:
        assert fragment in done.stderr
    assert not (folder / "x").exists()


def test_a_new_case_is_written_checked_and_named_in_a_scenario(folder):
    done = suandian("new", "mine")
    assert done.exit_code == 0, done.stderr
    assert "13 tables from an invented province" in done.stdout
    assert suandian("check", "mine").exit_code == 0
    again = suandian("new", "mine", "--from", "anhui")
    assert again.exit_code == 2
    assert "is not empty" in again.stderr
    validated = CliRunner().invoke(app, ["validate", "./mine"])
    assert validated.exit_code == 0, validated.stdout
