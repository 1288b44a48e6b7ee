"""Grid cases and reference scenarios against what must hold and what is expected: what CI runs."""

import math
import os
import tempfile
import xml.etree.ElementTree as ET  # only written, never parsed
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import yaml

from cosim.assemble import prepare
from cosim.core.errors import ComponentError, ScenarioError, SuandianError
from cosim.core.places import reference_folder
from cosim.core.registry import nearest
from cosim.kpi import compute
from cosim.outcome import Outcome, judged_run
from cosim.validation_table import EXPECTED, TRAJECTORIES, Check, print_checks
from grids.case import JOINED, list_cases
from grids.checks.finding import Finding, State
from grids.checks.run import check_case_points, check_points
from grids.expected import check_case
from grids.expected_dynamics import check_dynamics
from grids.inventory import common_points

KPI_FILE = "kpis.yaml"


@dataclass(frozen=True)
class Validation:
    """Everything that was compared."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Return whether everything holds; a note does not count."""
        return all(check.good for check in self.checks)

    def print(self) -> None:
        """Print one table of rows by checks, and a line for everything that fails or should be known."""
        print_checks(self.checks)

    def write_junit(self, path: Path) -> None:
        """Write the checks as a JUnit XML file, one test case each."""
        failed = sum(not check.good for check in self.checks)
        counts = {"tests": str(len(self.checks)), "failures": str(failed)}
        suite = ET.Element("testsuite", {"name": "suandian validate", **counts})
        for check in self.checks:
            what = f"{check.point}: {check.what}" if check.point else check.what
            case = ET.SubElement(suite, "testcase", classname=check.name, name=what)
            if not check.good:
                ET.SubElement(case, "failure", message=f"{check.numbers()} {check.note}".strip())
        ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def reference_scenarios() -> tuple[str, ...]:
    """Return the scenarios that have golden KPIs."""
    return tuple(sorted(path.parent.name for path in reference_folder().glob(f"*/{KPI_FILE}")))


def validate_all(names: Sequence[str], *, record: bool = False, jobs: int | None = None) -> Validation:
    """Check the named grid cases and scenarios, all of them when `names` is empty.

    Parameters
    ----------
    names
        Grid cases, by name or folder, cases joined by `+`, and scenarios with golden KPIs.
    record
        Rewrite the golden values of scenarios with what this run gives; tolerances stay.
    jobs
        Processes that share the work; those the machine has when None.

    Raises
    ------
    ScenarioError
        When there is no case or scenario of a name.
    ComponentError
        When a process died (killed, or out of memory).
    """
    shipped, scenarios = list_cases(), reference_scenarios()
    known = (*shipped, *scenarios)
    unknown = [(name, part) for name in names if name not in scenarios for part in _unknown(name, shipped)]
    if unknown:
        said = [
            f"{part!r}{'' if part == name else f' in {name!r}'} is no reference case or scenario: "
            f"{', '.join(known)}.{nearest(part, known)}"
            for name, part in unknown
        ]
        raise ScenarioError("\n".join(said))
    cases = (*shipped, *(name for name in names if name not in scenarios))
    chosen = tuple(names) or known
    workers = min(jobs or _processors(), len(chosen))
    work = partial(_checks_of, cases=cases, record=record)
    found = [work(name) for name in chosen] if workers == 1 else _shared(work, chosen, workers)
    return Validation(tuple(check for checks in found for check in checks))


def _unknown(name: str, shipped: Sequence[str]) -> Iterator[str]:
    """Yield what a name, or one of the names it joins, is not: a shipped case or the folder of one."""
    for part in [name] if Path(name).is_dir() else name.split(JOINED):
        if part not in shipped and not (Path(part) / "case.yaml").is_file():
            yield part


def _shared(work: Callable[[str], list[Check]], names: Sequence[str], workers: int) -> list[list[Check]]:
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            return list(pool.map(work, names))
        except BrokenProcessPool as error:
            msg = "a process of the checks died (killed, or out of memory); --jobs 1 needs the least memory"
            raise ComponentError(msg) from error


def _processors() -> int:
    """Return the processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _checks_of(name: str, *, cases: Sequence[str], record: bool) -> list[Check]:
    return list(_case_checks(name) if name in cases else _scenario_checks(name, record=record))


def _broke(name: str, error: SuandianError, column: str = EXPECTED) -> Check:
    text = f"{type(error).__name__}: {error}"
    return Check(name, "runs", False, math.nan, math.nan, math.nan, text, column=column)


def _case_checks(name: str) -> Iterator[Check]:
    """Yield what must hold at every operating point of a case, then what is expected of its numbers.

    Cases that are joined have no published totals and no expected numbers.
    """
    points = common_points(name)
    alone = (points[0] or "") if len(points) == 1 else ""
    findings = check_points(name)
    yield from (_check(name, finding, finding.point) for finding in findings)
    if JOINED in name and not Path(name).is_dir():
        return
    said = {finding.text for finding in findings}
    try:
        for finding in check_case_points(name):
            yield _check(name, finding, alone)
        for row in check_case(name):
            what = f"{row.quantity} {row.element}".strip()
            numbers = (row.value, row.expected, row.tolerance)
            yield Check(name, what, row.good, *numbers, row.source, row.point)
    except SuandianError as error:
        if str(error) not in said:
            yield _broke(name, error)
        return
    try:
        for run in check_dynamics(name):
            what = f"{run.run}: {run.quantity}"
            yield Check(name, what, run.good, run.value, 0.0, run.bar, run.source, alone, TRAJECTORIES)
    except SuandianError as error:
        yield _broke(name, error, TRAJECTORIES)


def _check(name: str, finding: Finding, point: str) -> Check:
    value, limit = (math.nan if x is None else x for x in (finding.value, finding.limit))
    return Check(
        name,
        finding.check,
        finding.state is not State.BAD,
        value,
        limit,
        math.nan,
        finding.text,
        point,
        finding.check,
        noted=finding.state is State.NOTE,
    )


def _scenario_checks(name: str, *, record: bool) -> Iterator[Check]:
    path = reference_folder() / name / KPI_FILE
    golden = yaml.safe_load(path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="suandian-validate-") as folder:
        try:
            outcome = judged_run(prepare(name), Path(folder))
        except SuandianError as error:
            yield _broke(name, error)
            return
        if record:
            _record(path, golden, outcome)
        yield from compare(name, golden, outcome)


def compare(name: str, golden: dict[str, Any], outcome: Outcome) -> Iterator[Check]:
    """Yield every golden number of a scenario beside what `outcome` gives."""
    wanted, got = golden["verdict"], "pass" if outcome.verdict.passed else "fail"
    verdict = float(wanted == got)
    yield Check(name, "verdict", wanted == got, verdict, 1.0, 0.0, f"{got}, expected {wanted}")
    for row in golden["kpis"]:
        value = compute(outcome.results, row["kpi"], row.get("at"))
        good = abs(value - row["value"]) <= row["tolerance"]
        what = f"{row['kpi']} {row.get('at') or ''}".strip()
        yield Check(name, what, good, value, row["value"], row["tolerance"], row["because"])


def _record(path: Path, golden: dict[str, Any], outcome: Outcome) -> None:
    golden["verdict"] = "pass" if outcome.verdict.passed else "fail"
    for row in golden["kpis"]:
        row["value"] = float(f"{compute(outcome.results, row['kpi'], row.get('at')):.7g}")
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    rows = [
        yaml.safe_dump(row, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
        for row in golden["kpis"]
    ]
    body = [f"verdict: {golden['verdict']}", "kpis:", *(f"  - {row.rstrip()}" for row in rows)]
    path.write_text("\n".join([*head, *body]) + "\n", encoding="utf-8")
