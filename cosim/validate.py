"""Reference grid cases and scenarios against their expected numbers: what CI runs."""

import math
import sys
import tempfile
import xml.etree.ElementTree as ET  # only written, never parsed
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from cosim.assemble import prepare
from cosim.core.errors import ScenarioError, SuandianError
from cosim.core.places import reference_folder
from cosim.core.registry import nearest
from cosim.kpi import compute
from cosim.outcome import Outcome, judged_run
from grids.case import list_cases
from grids.expected import check_case
from grids.expected_dynamics import check_dynamics, check_start

KPI_FILE = "kpis.yaml"
WIDTH = 118
"""Columns of the printed table where there is no terminal to ask."""


@dataclass(frozen=True)
class Check:
    """One expected number, or one thing that went wrong before there was a number."""

    name: str
    what: str
    good: bool
    value: float
    expected: float
    tolerance: float
    note: str


@dataclass(frozen=True)
class Validation:
    """Everything that was compared."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Return whether everything agrees."""
        return all(check.good for check in self.checks)

    def print(self) -> None:
        """Print one table: every failed number, and a line per case and scenario."""
        table = Table(title="Reference cases and scenarios")
        for header in ("", "name", "what", "value", "expected", "tolerance", "note"):
            table.add_column(header, overflow="fold")
        for name in dict.fromkeys(check.name for check in self.checks):
            mine = [check for check in self.checks if check.name == name]
            bad = [check for check in mine if not check.good]
            table.add_row("FAIL" if bad else "ok", name, f"{len(mine) - len(bad)} of {len(mine)} agree")
            for check in bad:
                numbers = (f"{check.value:.6g}", f"{check.expected:.6g}", f"{check.tolerance:.3g}")
                table.add_row("", "", check.what, *numbers, check.note)
        console = Console(width=None if sys.stdout.isatty() else WIDTH)
        console.print(table)
        failed = sum(not check.good for check in self.checks)
        console.print(f"{len(self.checks) - failed} passed, {failed} failed")

    def write_junit(self, path: Path) -> None:
        """Write the checks as a JUnit XML file, one test case each."""
        failed = sum(not check.good for check in self.checks)
        counts = {"tests": str(len(self.checks)), "failures": str(failed)}
        suite = ET.Element("testsuite", {"name": "suandian validate", **counts})
        for check in self.checks:
            case = ET.SubElement(suite, "testcase", classname=check.name, name=check.what)
            if not check.good:
                text = (
                    f"{check.value:.9g}, expected {check.expected:.9g} ± {check.tolerance:.3g}. {check.note}"
                )
                ET.SubElement(case, "failure", message=text)
        ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def reference_scenarios() -> tuple[str, ...]:
    """Return the scenarios that have golden KPIs."""
    return tuple(sorted(path.parent.name for path in reference_folder().glob(f"*/{KPI_FILE}")))


def validate_all(names: Sequence[str], *, record: bool = False) -> Validation:
    """Check the named grid cases and scenarios, all of them when `names` is empty.

    Parameters
    ----------
    names
        Grid cases and scenarios with golden KPIs.
    record
        Rewrite the golden values of scenarios with what this run gives; tolerances stay.
    """
    cases, scenarios = list_cases(), reference_scenarios()
    known = (*cases, *scenarios)
    for name in names:
        if name not in known:
            msg = f"{name!r} is no reference case or scenario: {', '.join(known)}.{nearest(name, known)}"
            raise ScenarioError(msg)
    chosen = names or known
    checks: list[Check] = []
    for name in chosen:
        checks.extend(_case_checks(name) if name in cases else _scenario_checks(name, record=record))
    return Validation(tuple(checks))


def _broke(name: str, error: SuandianError) -> Check:
    return Check(name, "runs", False, math.nan, math.nan, 0.0, f"{type(error).__name__}: {error}")


def _case_checks(name: str) -> Iterator[Check]:
    try:
        rows = check_case(name)
    except SuandianError as error:
        yield _broke(name, error)
        return
    for row in rows:
        what = f"{row.point}: {row.quantity} {row.element}".strip()
        yield Check(name, what, row.good, row.value, row.expected, row.tolerance, row.source)
    try:
        for run in (*check_start(name), *check_dynamics(name)):
            what = f"{run.run}: {run.quantity}"
            yield Check(name, what, run.good, run.value, 0.0, run.bar, run.source)
    except SuandianError as error:
        yield _broke(name, error)


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
