"""A run with what follows from it: KPIs and the verdict, both written beside the results."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cosim.core.errors import ResultsError, SolveError
from cosim.kpi import compute_all, orders
from cosim.plan import Plan
from cosim.results import Results, load
from cosim.results.layout import ORDERS
from cosim.run import run, run_folder
from cosim.scenario import parse
from cosim.verdict import Verdict, judge


@dataclass(frozen=True)
class Outcome:
    """What a user gets from a run."""

    results: Results
    verdict: Verdict


def refuse_without_exchange(results: Results) -> None:
    """Raise ResultsError, with how the run ended, when it recorded no exchange: there is nothing to judge."""
    if results.dt_s.size:
        return
    error = results.manifest.get("error")
    told = f"run {results.status}: {error}" if error else f"run {results.status}"
    msg = f"{results.path}: no exchange was recorded ({told})"
    raise ResultsError(msg)


def judge_results(results: Results, limits: Sequence[str] | None = None) -> Verdict:
    """Compute KPIs and verdict of a run folder and return the verdict.

    Writes `kpis.json` and `verdict.json`, and `orders.csv` where units were ordered to change their power.

    Parameters
    ----------
    results
        A run, complete or not; an incomplete one never passes.
    limits
        Names or files of limit sets; those of the scenario when None.

    Raises
    ------
    ResultsError
        When the run ended before its tables were laid out.
    """
    if not results.tables:
        refuse_without_exchange(results)
    scenario = parse(results.manifest["scenario"]["text"])
    chosen = scenario.limits if limits is None else limits
    verdict = judge(results, tuple(chosen), scenario.expect)
    kpis = compute_all(results)
    (results.path / "kpis.json").write_text(json.dumps(kpis, indent=2, ensure_ascii=False), encoding="utf-8")
    found = orders(results)
    if len(found):
        found.to_csv(results.path / ORDERS, index=False)
    verdict.write(results.path / "verdict.json")
    return verdict


def judged_run(plan: Plan, out: Path, *, progress: bool = False) -> Outcome:
    """Run a plan and judge it.

    Raises
    ------
    ComponentError
        When a model broke; everything written so far stays readable under `out`.

    A grid without solution that stops the run by policy is a finding, not an error: what there is
    until then is judged, and never passes.
    """
    try:
        results = run(plan, out, progress=progress)
    except SolveError:
        results = load(run_folder(plan, out))
        if not results.tables:
            raise
    return Outcome(results, judge_results(results, plan.limits))
