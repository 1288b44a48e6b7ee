"""A stranger's package adds a component without a fork: one class, one entry-point line."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SCENARIO = """
title: A stranger's heater on the two-bus case
start: 2025-08-06T20:00:00+08:00
until_s: 60
seed: 1
clock: {step_s: 10}
grid: {engine: powerflow, case: two_bus}
units:
  boiler: {component: heater, at: b, p_rated_mw: 4}
events:
  - {at_s: 30, set: {unit: boiler, setpoint_pu: 1.0}}
limits: [cn]
"""


def heater_source() -> str:
    """Return the class printed in the docs, so that page and test cannot part."""
    page = (ROOT / "docs" / "components.md").read_text(encoding="utf-8")
    return page.split("```python\n")[1].split("\n```")[0]


@pytest.fixture
def stranger(tmp_path):
    package = tmp_path / "site" / "my_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""A stranger\'s package."""\n')
    (package / "heater.py").write_text(heater_source())
    info = tmp_path / "site" / "my_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[suandian.components]\nheater = my_package.heater:Heater\n")
    (tmp_path / "heater.yaml").write_text(textwrap.dedent(SCENARIO))
    return tmp_path


def suandian(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(folder / "site")}
    command = [sys.executable, "-m", "cosim.cli", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_heater_is_listed_checked_completed_and_run(stranger):
    assert "heater" in suandian(stranger, "list").stdout
    plan = suandian(stranger, "check", "heater.yaml")
    assert "heater" in plan.stdout, plan.stderr
    assert '"heater"' in suandian(stranger, "schema").stdout
    done = suandian(stranger, "run", "heater.yaml", "--out", "runs", "-q")
    assert done.returncode == 0, done.stderr
    code = (
        "import glob; from cosim.results import load;"
        "r = load(glob.glob('runs/*')[0]); print(r.series('heater', 'p_mw')['boiler'].to_list())"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=stranger, capture_output=True, text=True, check=True
    )
    powers = eval(shown.stdout)
    assert powers[:3] == [2.0, 2.0, 2.0]
    assert powers[-1] > 3.9


def test_a_wrong_parameter_of_the_stranger_is_explained_like_our_own(stranger):
    path = stranger / "heater.yaml"
    path.write_text(path.read_text().replace("p_rated_mw: 4", "p_rated_mw: -4"))
    done = suandian(stranger, "check", "heater.yaml")
    assert done.returncode == 2
    assert "heater.yaml:9" in done.stderr
    assert "p_rated_mw" in done.stderr
    assert "-4" in done.stderr
