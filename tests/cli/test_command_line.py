"""The command line answers with the right exit code and a message that helps."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from cosim.results import load

SMALL = """
title: A hall on the two-bus case
start: 2025-08-06T20:00:00+08:00
until_s: 60
seed: 1
clock: {step_s: 10}
grid: {engine: powerflow, case: two_bus}
units:
  hall: {component: gpu_hall, at: b, it_rated_mw: 2}
events:
  - {at_s: 30, set: {unit: hall, work_gpu: 1000}}
"""

BROKEN_MODEL = """
import numpy as np
from cosim.core.component import Port
from cosim.core.params import Params


class BreakerParams(Params):
    '''What goes wrong, and when.'''
    how: str = "raises"


class Breaker:
    '''Breaks after 30 s.'''
    params_type = BreakerParams
    inputs = ()
    outputs = (Port("p_mw", "drawn"), Port("q_mvar", "drawn"))

    def __init__(self, params):
        self.params = params

    def reset(self, context):
        pass

    def step(self, t_s, dt_s, inputs):
        value = 1.0
        if t_s >= 30.0 and self.params[0].how == "raises":
            raise RuntimeError("a fan fell off")
        if t_s >= 30.0 and self.params[0].how == "nan":
            value = float("nan")
        return {"p_mw": np.full(1, value), "q_mvar": np.zeros(1)}
"""


def suandian(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cosim.cli", *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "small.yaml").write_text(SMALL)
    return tmp_path


def test_help_imports_nothing_heavy(folder):
    heavy = {"pandapower", "numba", "mosaik", "pandas", "numpy", "pydantic", "plotly", "duckdb", "pyarrow"}
    code = (
        "import sys\nfrom cosim.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("[]")
    assert "validate" in done.stdout


def test_a_verdict_that_passes_exits_with_0_and_says_where_the_report_is(folder):
    done = suandian(folder, "run", "small.yaml", "--out", "runs", "-q")
    assert done.returncode == 0, done.stderr
    summary, said = done.stdout.strip().splitlines()
    assert summary.startswith("PASS")
    report = folder / said.removeprefix("report: ")
    assert report.is_file()
    again = suandian(folder, "report", str(report.parent))
    assert again.returncode == 0


def test_a_verdict_that_fails_exits_with_1(folder):
    expect = '\nexpect:\n  - {kpi: p_max_mw, at: hall, at_most: 0.1, because: "a hall draws more"}\n'
    (folder / "small.yaml").write_text(SMALL + expect)
    done = suandian(folder, "run", "small.yaml", "--out", "runs")
    assert done.returncode == 1
    assert "FAIL" in done.stdout


def test_a_grid_without_solution_that_stops_the_run_is_a_failed_verdict_not_a_broken_model(folder):
    text = SMALL.replace("case: two_bus", "case: anhui, on_no_solution: stop").replace(
        "at: b", "at: hefei_park"
    )
    # ten thousand megawatts cannot pass the park's transformers
    (folder / "small.yaml").write_text(text.replace("it_rated_mw: 2", "it_rated_mw: 50000"))
    done = suandian(folder, "run", "small.yaml", "--out", "runs")
    assert done.returncode == 1, done.stderr
    assert "FAIL" in done.stdout
    assert "solution" in done.stdout
    assert "Traceback" not in done.stderr
    assert list(folder.glob("runs/*/report.html"))


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (("run", "anhui_handovr"), ["anhui_handovr", "anhui_handover"]),
        (("check", "missing.yaml"), ["missing.yaml"]),
        (("report", "nowhere"), ["nowhere"]),
        (("validate", "anhuj"), ["anhuj", "Did you mean 'anhui'?"]),
    ],
)
def test_bad_input_exits_with_2_and_a_hint(folder, arguments, fragments):
    done = suandian(folder, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for fragment in fragments:
        assert fragment in done.stderr


@pytest.mark.parametrize(("how", "why"), [("raises", "a fan fell off"), ("nan", "p_mw")])
@pytest.mark.parametrize("process", ["false", "true"])
def test_a_model_that_breaks_exits_with_3_and_its_name(folder, how, why, process):
    site = folder / "site"
    info = site / "breaker-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "breaker.py").write_text(textwrap.dedent(BROKEN_MODEL))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: breaker\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[suandian.components]\nbreaker = breaker:Breaker\n")
    unit = f"  shaky: {{component: breaker, at: b, how: {how}, process: {process}}}\nevents:"
    (folder / "small.yaml").write_text(SMALL.replace("events:", unit))
    done = suandian(folder, "run", "small.yaml", "--out", "runs", PYTHONPATH=str(site))
    assert done.returncode == 3, done.stderr
    assert "breaker" in done.stderr
    assert why in done.stderr
    results = load(next((folder / "runs").iterdir()))
    assert results.status == "failed"
    assert results.series("gpu_hall", "p_mw").index.to_list() == [0.0, 10.0, 20.0]


def test_an_interrupted_run_says_so_and_stays_readable(folder):
    text = SMALL.replace("until_s: 60", "until_s: 2000000").replace("step_s: 10", "step_s: 1")
    (folder / "small.yaml").write_text(text)
    command = [sys.executable, "-m", "cosim.cli", "run", "small.yaml", "--out", "runs"]
    run = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    while run.poll() is None and not any(
        json.loads(path.read_text())["exchanges_count"] for path in folder.glob("runs/*/reached.json")
    ):
        time.sleep(0.2)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 130
    assert "interrupted" in said
    results = load(next((folder / "runs").iterdir()))
    assert results.status == "incomplete"
    assert len(results.series("gpu_hall", "p_mw")) > 0


def test_validate_writes_junit(folder):
    done = suandian(folder, "validate", "two_bus", "--junit", "out.xml")
    assert done.returncode == 0, done.stderr
    suite = ET.parse(folder / "out.xml").getroot()
    assert int(suite.attrib["tests"]) == len(suite.findall("testcase")) > 3
    assert suite.attrib["failures"] == "0"


def test_a_changed_seed_changes_the_folder(folder):
    for seed in ("1", "2"):
        assert suandian(folder, "run", "small.yaml", "--out", "runs", "--seed", seed, "-q").returncode == 0
    manifests = [json.loads(path.read_text()) for path in folder.glob("runs/*/manifest.json")]
    assert sorted(m["seed"] for m in manifests) == [1, 2]


def test_doctor_finds_this_installation_sound(folder):
    done = suandian(folder, "doctor")
    assert done.returncode == 0, done.stdout
    assert "FAIL" not in done.stdout
    assert "two-bus case" in done.stdout


def test_the_version_is_an_option_too(folder):
    done = suandian(folder, "--version")
    assert done.returncode == 0
    assert done.stdout == suandian(folder, "version").stdout


def test_a_run_that_recorded_nothing_has_nothing_to_judge_and_says_how_it_ended(folder):
    for part in ("series", "events"):
        (folder / "run" / part).mkdir(parents=True)
    manifest = {"status": "failed", "error": "bus b is dark", "scenario": {"text": SMALL}}
    (folder / "run" / "manifest.json").write_text(json.dumps(manifest))
    done = suandian(folder, "report", "run")
    assert done.returncode == 2
    assert "no exchange was recorded (run failed: bus b is dark)" in done.stderr
