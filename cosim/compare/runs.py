"""Runs to compare, read and judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosim.core.errors import ResultsError, SuandianError, collected
from cosim.kpi import compute_all
from cosim.kpi.record import recorded
from cosim.outcome import refuse_without_exchange
from cosim.results import Results, load
from cosim.scenario import parse
from cosim.verdict import Verdict, judge


@dataclass(frozen=True)
class Run:
    """One side of a comparison."""

    label: str
    """Name of its scenario; of its folder where two runs are of one scenario."""
    results: Results
    verdict: Verdict
    kpis: Mapping[str, Mapping[str, Any]]
    """As in `kpis.json`."""


def read_runs(folders: Sequence[Path]) -> tuple[Run, ...]:
    """Read and judge runs, each by its own limits; nothing is written into their folders.

    Raises
    ------
    ResultsError
        With everything that is wrong: less than two runs, one given twice, folders that are no results,
        runs without a recorded exchange or a readable scenario, runs that have no key figure in common.
    """
    wrong = [] if len(folders) > 1 else [f"{len(folders)} run given: two or more are compared"]
    there = [str(folder.resolve()) for folder in folders]
    wrong += [
        f"{path}: given {there.count(path)} times" for path in dict.fromkeys(there) if there.count(path) > 1
    ]
    sides: list[tuple[Results, Verdict, Mapping[str, Mapping[str, Any]]]] = []
    for folder in folders:
        try:
            sides.append(_judged(folder))
        except (SuandianError, OSError) as error:
            wrong += [
                line if str(folder) in line else f"{folder}: {line}" for line in str(error).splitlines()
            ]
    collected(wrong, ResultsError)
    names = _labels([results for results, *_ in sides])
    runs = tuple(Run(name, *side) for name, side in zip(names, sides, strict=True))
    if not set.intersection(*(set(run.kpis) for run in runs)):
        told = "; ".join(f"{run.label} has {_few(list(run.kpis))}" for run in runs)
        msg = f"the runs have no key figure in common: {told}"
        raise ResultsError(msg)
    return runs


def _judged(folder: Path) -> tuple[Results, Verdict, Mapping[str, Mapping[str, Any]]]:
    results = recorded(load(folder))
    refuse_without_exchange(results)
    scenario = results.manifest.get("scenario")
    if not isinstance(scenario, Mapping) or "text" not in scenario:
        msg = f"{folder}: its manifest has no text of a scenario"
        raise ResultsError(msg)
    read = parse(str(scenario["text"]))
    return results, judge(results, tuple(read.limits), read.expect), compute_all(results)


def _labels(every: Sequence[Results]) -> list[str]:
    names = [str(results.manifest["scenario"].get("name") or results.path.name) for results in every]
    if len(set(names)) == len(names):
        return names
    folders = [results.path.name for results in every]
    if len(set(folders)) == len(folders):
        return folders
    return [str(results.path) for results in every]


def _few(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - 4} more" if len(keys) > 4 else ""
    return (", ".join(keys[:4]) or "none") + more
