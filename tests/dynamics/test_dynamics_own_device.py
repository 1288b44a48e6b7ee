"""A stranger's model, installed by entry point, runs in the same loop as ours."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from grids.case import load_case
from grids.dynamics import GeneratorTrip, begin, registry, simulate
from grids.dynamics.tables import Unit

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models" / "dynamics" / "own_device.md"
EVENTS = [GeneratorTrip(bus=2, at_s=0.1)]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Install the model of the docs as a package of its own, with the entry point printed there."""
    text = PAGE.read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    entry = re.search(r'"suandian.devices"\]\n(.*?)```', text, re.DOTALL)
    assert code is not None
    assert entry is not None
    site = tmp_path_factory.mktemp("site")
    (site / "their_package").mkdir()
    (site / "their_package" / "__init__.py").write_text("", encoding="utf-8")
    (site / "their_package" / "fast_reserve.py").write_text(code[1], encoding="utf-8")
    info = site / "their_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n", encoding="utf-8"
    )
    line = entry[1].replace('"', "")
    (info / "entry_points.txt").write_text(f"[suandian.devices]\n{line}", encoding="utf-8")
    sys.path.insert(0, str(site))
    registry._foreign.cache_clear()
    yield
    sys.path.remove(str(site))
    registry._foreign.cache_clear()


@pytest.fixture
def reserve(installed):
    """Return the units: 100 MW at load 7."""
    params = registry.device("fast_reserve").params_type(sn_mva=100.0, gain_pu=50.0, lag_s=0.05)
    return [Unit("fast_reserve", "load_7", params)]


def test_it_starts_flat(reserve) -> None:
    assert np.abs(begin(load_case("kundur"), units=reserve).derivatives).max() < 1e-8


def test_it_answers_the_frequency_through_its_lag(reserve) -> None:
    run = simulate(load_case("kundur"), EVENTS, until_s=2.0, step_s=0.01, units=reserve)
    power_pu = run.signal("p")["load_7"].to_numpy()
    wanted_pu = np.clip(50.0 * (1.0 - run.f_coi_hz.to_numpy() / 60.0), -1.0, 1.0)
    late = np.interp(run.t_s - 0.05, run.t_s, wanted_pu)  # a ramp comes out one time constant late
    assert power_pu[run.t_s < 0.1].max() < 1e-9
    assert np.abs(power_pu - late)[run.t_s > 0.5].max() < 0.01
    assert power_pu[-1] > 0.2


def test_its_power_reaches_the_network(reserve) -> None:
    case = load_case("kundur")
    without = simulate(case, EVENTS, until_s=2.0, step_s=0.01).vm_pu["bus_7"].iloc[-1]
    with_it = simulate(case, EVENTS, until_s=2.0, step_s=0.01, units=reserve).vm_pu["bus_7"].iloc[-1]
    assert with_it > without + 0.005  # 40 MW into a weak bus; the impedance loads take most of it
