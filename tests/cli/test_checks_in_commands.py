"""`suandian validate` prints one table of points by checks; `suandian grid outages` the table of N-1."""

import math
import os
import shutil

import pandas as pd
import pytest
from typer.testing import CliRunner

from cosim import validate
from cosim.cli import app
from cosim.validate import Validation, validate_all
from cosim.validation_table import Check
from grids.case import CASES
from grids.checks import run

NAN = math.nan


def suandian(*arguments):
    return CliRunner().invoke(app, list(arguments))


def check(column, *, good=True, noted=False, point="noon", text="said"):
    return Check("case", column, good, NAN, NAN, NAN, text, point, column, noted)


def test_one_case_is_one_row_with_all_its_checks():
    done = suandian("validate", "two_bus", "--jobs", "1")
    assert done.exit_code == 0, done.stdout
    (row,) = [line for line in done.stdout.splitlines() if "two_bus base" in line]
    assert row.count("ok") >= 6
    for head in ("flow", "volts", "2nd solver", "expected"):
        assert head in done.stdout


def test_failures_are_told_below_the_table_and_notes_once_a_case(capsys):
    Validation(
        (
            check("voltages"),
            check("N-1", good=False, text="without L: B 0.89 pu"),
            check("short circuit", noted=True, text="70 kA"),
            check("short circuit", noted=True, text="80 kA", point="night"),
            Check("case", "vm_pu B", False, 0.9, 1.0, 0.01, "source", "noon"),
        )
    ).print()
    said = capsys.readouterr().out
    assert "FAIL  case/noon, N-1: without L: B 0.89 pu" in said
    assert "FAIL  case/noon, expected vm_pu B: 0.9, expected 1 ± 0.01. source" in said
    assert "70 kA" in said
    assert "80 kA" not in said
    assert "3 passed, of which 2 with a note, 2 failed" in said


def test_several_processes_find_what_one_does():
    names = ["two_bus", "smib"]
    together, alone = validate_all(names, jobs=2), validate_all(names, jobs=1)
    assert [(c.name, c.what, c.good) for c in together.checks] == [
        (c.name, c.what, c.good) for c in alone.checks
    ]
    assert together.passed


def dies(name):
    os._exit(1)


def test_a_process_that_dies_is_told_and_is_no_failed_verdict(monkeypatch):
    monkeypatch.setattr(validate, "partial", lambda *_, **__: dies)
    done = suandian("validate", "two_bus", "smib", "--jobs", "2")
    assert done.exit_code == 3
    assert "ComponentError: a process of the checks died" in done.output


def test_what_is_wrong_at_all_points_is_told_once(tmp_path):
    folder = shutil.copytree(CASES / "ningxia", tmp_path / "mine")
    load = pd.read_csv(folder / "load.csv")
    load.loc[0, "bus"] = "nowhere"
    load.to_csv(folder / "load.csv", index=False)
    found = [check for check in validate_all([str(folder)], jobs=1).checks if not check.good]
    (only,) = [check.note for check in found]
    assert only.startswith("mine/load.csv, row 2, column bus: 'nowhere' is unknown")
    assert found[0].point == ""


def test_joined_cases_are_checked_at_the_points_they_share(monkeypatch):
    asked = []
    monkeypatch.setattr(run, "check_point", lambda name, point: asked.append((name, point)) or [])
    assert validate_all(["gansu+shandong"], jobs=1).passed
    points = {"winter_evening_peak", "summer_evening_peak", "spring_noon", "night_valley"}
    assert set(asked) == {("gansu+shandong", point) for point in points}


def test_a_joined_name_nobody_knows_is_told_with_the_others():
    done = suandian("validate", "gansu+nowhere", "shandon")
    assert done.exit_code == 2
    assert "'nowhere' in 'gansu+nowhere' is no reference case or scenario" in done.output
    assert "Did you mean 'shandong'?" in done.output


def test_a_case_that_cannot_be_read_is_told_without_numbers(tmp_path):
    folder = shutil.copytree(CASES / "two_bus", tmp_path / "mine")
    bus = (folder / "bus.csv").read_text(encoding="utf-8")
    (folder / "bus.csv").write_text(bus + bus.splitlines()[-1] + "\n", encoding="utf-8")
    done = suandian("validate", str(folder), "--jobs", "1")
    assert done.exit_code == 1
    assert "is a duplicate" in " ".join(done.stdout.split())
    assert "nan" not in done.stdout


@pytest.mark.parametrize(("case", "code"), [("kundur", 0), ("ieee39", 1)])
def test_outages_prints_the_table_and_says_whether_a_limit_breaks(case, code, tmp_path):
    done = suandian("grid", "outages", case, "--least-kv", "300")
    assert done.exit_code == code, done.stdout
    (tmp_path / "n1.csv").write_text(done.stdout)
    table = pd.read_csv(tmp_path / "n1.csv", keep_default_na=False)
    assert (table["violated"] != "").any() == bool(code)
