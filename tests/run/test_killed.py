"""Runs in a process of their own that end badly: killed, or hanging where no signal is heard."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cosim.results import load

SCRIPT = """
import sys
from pathlib import Path
from suandian_toys import Broken, Ramp, ToyParams, kind, plan
from cosim.core.errors import ComponentError
from cosim.run import run

mode, out = sys.argv[1], Path(sys.argv[2])
params = ToyParams(mode=mode, at_s=3.0)
made = plan(kind(Ramp, ToyParams()), kind(Broken, params), until_s=1e5)
run(made, out, step_limit_s=5.0)
"""


def start(mode, out):
    tests = Path(__file__).parents[1]
    path = [str(tests / "shared"), str(tests.parent)]
    code = f"import sys; sys.path[:0] = {path!r}\n{SCRIPT}"
    return subprocess.Popen([sys.executable, "-c", code, mode, str(out)], stderr=subprocess.PIPE, text=True)


def waited(condition, limit_s=60.0):
    """Return whether a condition comes true."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def results_in(out):
    (folder,) = out.iterdir()
    return load(folder)


@pytest.fixture
def slow(tmp_path):
    process = start("dawdle", tmp_path)
    try:
        assert waited(
            lambda: list(tmp_path.glob("*/series/ramp/*.parquet")) and len(results_in(tmp_path).dt_s) > 3
        )
        yield process, tmp_path
    finally:
        process.kill()
        process.communicate()


def test_kill_9_in_mid_run_leaves_readable_results_marked_incomplete(slow):
    process, out = slow
    assert results_in(out).running
    process.send_signal(signal.SIGKILL)
    process.wait()
    results = results_in(out)
    assert (results.status, results.running) == ("incomplete", False)
    ramp = results.series("ramp", "p_mw")["ramp_0"].to_numpy()
    assert_array_equal(ramp, np.arange(len(ramp)))
    assert {len(results.series(table, results.columns(table)[0])) for table in results.tables} == {len(ramp)}
    assert results.sql("SELECT count(*) AS n FROM grid")["n"][0] == len(ramp)
    assert results.events.empty


def test_ctrl_c_from_outside_ends_the_run_within_seconds_and_keeps_the_rows(slow):
    process, out = slow
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60.0)
    results = results_in(out)
    assert (results.status, results.manifest["error"]) == ("incomplete", "interrupted by the user")
    assert len(results.dt_s) == results.manifest["reached_s"]


def test_a_hang_that_hears_no_signal_ends_the_process_with_exit_code_3_and_a_name(tmp_path):
    process = start("deaf", tmp_path)
    _, told = process.communicate(timeout=60.0)
    assert process.returncode == 3
    assert "broken at t_s=3: still not done" in told
    results = results_in(tmp_path)
    assert (results.status, results.manifest["culprit"]) == ("failed", "broken")
    assert_array_equal(results.series("ramp", "p_mw")["ramp_0"], [0.0, 1.0, 2.0])
