"""The reference scenarios give their golden KPIs, and would with half the exchange step."""

from pathlib import Path

import pytest
import yaml

from cosim.assemble import prepare
from cosim.core.places import reference_folder
from cosim.outcome import Outcome, judged_run
from cosim.scenario import load
from cosim.validate import KPI_FILE, compare, reference_scenarios

NAMES = reference_scenarios()


def golden(name: str) -> dict[str, object]:
    return yaml.safe_load((reference_folder() / name / KPI_FILE).read_text(encoding="utf-8"))


def halved(name: str) -> dict[str, object]:
    """Return the clock of a scenario with every step halved."""
    clock = load(name).clock.model_dump()
    windows = [{**window, "step_s": window["step_s"] / 2} for window in clock["windows"]]
    return {"clock": {"step_s": clock["step_s"] / 2, "windows": windows}}


def wrong(name: str, outcome: Outcome) -> list[str]:
    checks = list(compare(name, golden(name), outcome))
    assert len(checks) > 5
    return [
        f"{c.what}: {c.value:.7g}, expected {c.expected:.7g} ± {c.tolerance:g}" for c in checks if not c.good
    ]


def test_the_three_scenarios_of_the_first_study_are_references():
    assert {"anhui_handover", "anhui_handover_stressed", "anhui_spike"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_scenario_gives_its_golden_kpis(name, tmp_path):
    assert wrong(name, judged_run(prepare(name), tmp_path)) == []


@pytest.mark.parametrize("name", NAMES)
def test_halving_the_exchange_step_changes_each_golden_kpi_by_less_than_its_tolerance(name, tmp_path):
    assert wrong(name, judged_run(prepare(name, changes=halved(name)), tmp_path)) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_golden_number_says_why_and_how_close(name):
    for row in golden(name)["kpis"]:
        assert row["because"]
        assert row["tolerance"] >= 0


def test_the_stressed_hand_over_names_the_circuit_the_trip_and_the_move(tmp_path: Path):
    verdict = judged_run(prepare("anhui_handover_stressed"), tmp_path).verdict
    assert not verdict.passed
    assert verdict.first.element == "Pingshan plant - Suixi 500 2"
    assert verdict.first.t_s > 300.0  # the outage alone is survived; the hand-over is what breaks it
    assert "Pingshan plant - Suixi 500 1" in verdict.first.cause
    assert "migrate" in verdict.first.cause
