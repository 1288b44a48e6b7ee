"""What differs between runs: key figures and limits, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass

from cosim.compare.runs import Run
from cosim.verdict import Finding

SAME = 1e-6
"""Values this close, by size or as they are, are equal: below what is printed, above what solvers leave."""

Key = tuple[str | float | None, ...]


@dataclass(frozen=True)
class FigureRow:
    """One key figure of all runs; None where a run does not have it or it is unknown."""

    key: str
    unit: str
    values: tuple[float | None, ...]

    @property
    def differs(self) -> bool:
        """Whether any run has another value than the first."""
        first = self.values[0]
        return any(not _same(first, value) for value in self.values[1:])

    @property
    def differences(self) -> tuple[float | None, ...]:
        """Return how much each run after the first is above it."""
        first = self.values[0]
        return tuple(None if first is None or v is None else v - first for v in self.values[1:])


@dataclass(frozen=True)
class LimitRow:
    """One limit or expectation of all runs; None where a run was not judged by it."""

    title: str
    findings: tuple[Finding | None, ...]

    @property
    def differs(self) -> bool:
        """Whether it came out differently, or some run was not judged by it."""
        outcomes = {None if f is None else (f.outcome, f.fails) for f in self.findings}
        return len(outcomes) > 1


def figures_apart(runs: Sequence[Run]) -> list[FigureRow]:
    """Return all key figures of all runs, in the order of the first run that has them."""
    keys = dict.fromkeys(key for run in runs for key in run.kpis)
    order = {name: i for i, name in enumerate(dict.fromkeys(key.split("@")[0] for key in keys))}
    rows = []
    for key in sorted(keys, key=lambda key: order[key.split("@")[0]]):
        records = [run.kpis.get(key) for run in runs]
        unit = next(str(record["unit"]) for record in records if record is not None)
        rows.append(FigureRow(key, unit, tuple(None if r is None else r["value"] for r in records)))
    return rows


def limits_apart(runs: Sequence[Run]) -> list[LimitRow]:
    """Return all limits and expectations of all runs: a limit of the same bounds is the same one."""
    sides = [
        {_key(f): f for f in (*v.findings, *v.held, *v.not_applicable) if f.kind != "completeness"}
        for v in (run.verdict for run in runs)
    ]
    keys = dict.fromkeys(key for side in sides for key in side)
    rows = []
    for key in keys:
        found = tuple(side.get(key) for side in sides)
        rows.append(LimitRow(next(f.title for f in found if f is not None), found))
    return rows


def _key(finding: Finding) -> Key:
    about = (finding.kpi, finding.at) if finding.kind == "expectation" else (finding.id, finding.document)
    return (finding.kind, *about, finding.at_least, finding.at_most)


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SAME * max(abs(one), abs(other), 1.0)
