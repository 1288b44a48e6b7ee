"""The reference cases give the trajectories of other simulators (grids/cases/*/expected/dynamics)."""

import runpy
from pathlib import Path

import pytest

from cosim.core.errors import CaseError
from grids import expected_dynamics
from grids.case import list_cases
from grids.expected_dynamics import check_dynamics, check_start, dynamic_runs

TABLE = runpy.run_path(str(Path(__file__).with_name("table.py")))
RUNS = [(case, run) for case in list_cases() for run in dynamic_runs(case)]


def test_every_trajectory_is_compared() -> None:
    for case in list_cases():
        files = {path.name.removesuffix(".csv.gz") for path in expected_dynamics._folder(case).glob("*.gz")}
        assert files == set(dynamic_runs(case))
    assert len(RUNS) == 35
    assert set(TABLE["written"]()) == set(RUNS)


@pytest.mark.parametrize(("case", "run"), RUNS, ids=lambda value: value)
def test_a_run_follows_its_reference(case: str, run: str) -> None:
    found = list(check_dynamics(case, (run,)))
    assert len(found) >= 2
    assert [f"{d.quantity}={d.value:.3g}, allowed {d.bar:g}" for d in found if not d.good] == []
    cells = dict(zip(TABLE["COLUMNS"], TABLE["written"]()[case, run].split("|")[4:-1], strict=True))
    for d in found:
        value, _, bar = cells[d.quantity].partition("/")
        assert float(bar) == d.bar
        # another processor rounds differently: the smallest deviations are its noise
        assert d.value == pytest.approx(float(value), rel=0.3, abs=0.02 * d.bar), (
            "run tests/validation/table.py"
        )


@pytest.mark.parametrize("case", ["ieee39", "ieee39_andes", "k2a", "kundur", "smib"])
def test_a_case_stays_where_it_is(case: str) -> None:
    found = list(check_start(case))
    assert len(found) == 2
    assert all(d.good for d in found)


def test_a_case_without_machines_of_its_own_has_no_start_to_check() -> None:
    assert list(check_start("two_bus")) == []


def test_a_run_that_tells_of_unknown_things_is_refused(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "expected" / "dynamics"
    folder.mkdir(parents=True)
    monkeypatch.setattr(expected_dynamics, "case_folder", lambda _: tmp_path)
    good = "{LoadStep: {bus: 7, p_mw: 1, at_s: 1}}"
    for text, word in [
        (f"a:\n  event: [{good}]\n  bars: {{}}\n", "'event' is unknown.*Did you mean 'events'"),
        (f"a:\n  events: [{good}]\n  bars: {{coi_mz: 1}}\n", "'coi_mz' is unknown.*Did you mean 'coi_mhz'"),
        ("a:\n  events: [{LoadStp: {}}]\n  bars: {}\n", "'LoadStp' is unknown.*Did you mean 'LoadStep'"),
        (f"a:\n  events: [{good}]\n  bars: {{}}\n", "a has no trajectory a.csv.gz"),
    ]:
        (folder / "runs.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(CaseError, match=word):
            dynamic_runs("mine")
