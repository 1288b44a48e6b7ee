"""Numbers against limits: what is broken, where first, by how much, for how long, and why."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cosim.core.types import Bools, Floats
from cosim.core.units import unit_of
from cosim.kpi.nominal import of_the_grid_hz
from cosim.kpi.panel import Panel, joined
from cosim.kpi.record import recorded
from cosim.verdict.cause import Evidence, no_value
from cosim.verdict.doubts import doubts
from cosim.verdict.expectations import judge_expectation
from cosim.verdict.findings import Finding, Outcome, Verdict
from cosim.verdict.limits import Limit, LimitSet, load_limits
from cosim.verdict.outage import without_solution, without_voltage
from cosim.verdict.quantities import limited_panel, tables_of, where
from cosim.verdict.resonance import resonance

if TYPE_CHECKING:
    from cosim.results import Results

TOLERANCE = 1e-9
"""Slack of every comparison, in the limit's own unit: above rounding, below any meaning."""

REST_DEGC = 20.0
"""Where temperatures rest undisturbed: the room a limit leaves is counted from here."""


def judge(
    results: "Results", limits: Sequence[str | LimitSet] = ("cn",), expectations: Sequence[Any] = ()
) -> Verdict:
    """Judge a run against limit sets (names, files or loaded sets) and a scenario's expectations.

    An expectation is any object with the attributes `kpi, at, at_least, at_most, equals, tolerance,
    because`, or a mapping with these keys. A run that is not complete never passes, and a value that
    is missing never counts as satisfied. Whatever the limits: an exchange without a solution and a unit
    without voltage fail, and what the run itself doubts (a solution pandapower does not confirm, a
    dispatch that could not be followed) is a warning.

    Raises ScenarioError for an unknown limit set, column, KPI or place.
    """
    results = recorded(results)
    sets = [limit_set if isinstance(limit_set, LimitSet) else load_limits(limit_set) for limit_set in limits]
    evidence = Evidence(results)
    found = [_completeness(results), *without_solution(results, evidence)]
    found += [*without_voltage(results, evidence, expectations), *doubts(results)]
    found += [_judge_limit(results, limit, evidence) for s in sets for limit in s.limits]
    found += [judge_expectation(results, e, i, evidence) for i, e in enumerate(expectations, start=1)]
    rest_hz = of_the_grid_hz(results)
    broken = [f for f in found if f.outcome in ("violated", "unknown")]
    held = [f for f in found if f.outcome == "held" and f.kind != "completeness"]
    return Verdict(
        passed=not any(finding.fails for finding in broken),
        run_status=str(results.status),
        limit_sets=tuple(s if isinstance(s, str) else s.title for s in limits),
        findings=tuple(sorted(broken, key=_order)),
        held=tuple(sorted(held, key=lambda f: _closeness(f, rest_hz))),
        not_applicable=tuple(f for f in found if f.outcome == "not_applicable"),
        limits=tuple(limit for s in sets for limit in s.limits),
    )


def _order(finding: Finding) -> tuple[float, bool]:
    return (math.inf if finding.t_s is None else finding.t_s, not finding.fails)


def _closeness(finding: Finding, rest_hz: float) -> float:
    """Margin relative to the room between nominal and limit, so that hertz and percent rank together."""
    if finding.limit is None or not math.isfinite(finding.margin):
        return math.inf
    rest = {"Hz": rest_hz, "°C": REST_DEGC, "pu": 1.0 if "vm_" in finding.quantity else 0.0}
    is_difference = finding.quantity.startswith(("spread", "change", "deviation"))
    nominal = 0.0 if is_difference else rest.get(finding.unit, 0.0)
    room = abs(finding.limit - nominal)
    return finding.margin / (room if np.isfinite(room) and room > 0.0 else 1.0)


def _completeness(results: "Results") -> Finding:
    rows = int(results.dt_s.size) if results.tables else 0
    if results.status == "complete" and rows:
        return Finding("complete", "The run is complete", "completeness", "held")
    end_s = float(results.dt_s.index[-1] + results.dt_s.iloc[-1]) if rows else 0.0
    reason = results.manifest.get("error") or results.manifest.get("reason") or ""
    title = f"The run is not complete: status {results.status}, results until {end_s:g} s"
    title = f"{title}; {reason}" if reason else title
    return Finding("complete", title, "completeness", "violated", t_s=end_s)


@dataclass(frozen=True)
class _Case:
    """One limit and the numbers it is held against."""

    results: "Results"
    limit: Limit
    panel: Panel
    margin: Floats
    origin: Mapping[str, str]
    """Element -> table it comes from."""

    def spot(self, row: int, element: int) -> dict[str, Any]:
        """Return time, place, value and margin of one entry of the matrix."""
        name, value = self.panel.names[element], float(self.panel.matrix[row, element])
        low, high = self.limit.at_least, self.limit.at_most
        low_is_nearer = high is None or (low is not None and value - low < high - value)
        return {
            "t_s": float(self.panel.t_s[row]),
            "element": name,
            "where": where(self.results, self.origin[name], name),
            "value": value,
            "limit": low if low_is_nearer else high,
            "margin": self._margin(row, element),
        }

    def _margin(self, row: int, element: int) -> float:
        """Return the margin without rounding noise; a yes or no (is there a solution) has none."""
        if self.limit.quantity.column == "converged_pu":
            return math.nan
        margin = float(self.margin[row, element])
        return 0.0 if abs(margin) <= TOLERANCE else margin


def _judge_limit(results: "Results", limit: Limit, evidence: Evidence) -> Finding:
    tables = tables_of(results, limit.quantity)
    panels = {t: p for t in tables if (p := limited_panel(results, limit.quantity, t)) is not None}
    if not panels:
        return _finding(limit, "not_applicable", remark=_why_not(limit, tables))
    panel = joined(list(panels.values()))
    margin = margins(panel.matrix, limit.at_least, limit.at_most)
    origin = {name: table for table, p in panels.items() for name in p.names}
    case = _Case(results, limit, panel, margin, origin)
    broken = lasting(margin < -TOLERANCE, panel.dt_s, limit.over_s)
    if broken.any():
        return _violated(case, broken, evidence)
    if panel.unknown.any() or np.isnan(margin).all():
        return _unknown(case, evidence)
    return _finding(limit, "held", **case.spot(*_nearest(margin, panel.t_s, limit.over_s)))


def _violated(case: _Case, broken: Bools, evidence: Evidence) -> Finding:
    panel, margin = case.panel, case.margin
    row = int(np.argmax(broken.any(axis=1)))
    element = _smallest(np.where(broken[row], margin[row], np.nan)[None, :])[1]
    worst_row, worst = _smallest(np.where(broken, margin, np.nan))
    first_rows = np.where(broken.any(axis=0), broken.argmax(axis=0), broken.shape[0])
    order = [i for i in np.argsort(first_rows, kind="stable") if first_rows[i] < broken.shape[0]]
    name = panel.names[element]
    cause = evidence.cause(float(panel.t_s[row]), case.origin[name], name)
    if case.limit.quantity.measure == "oscillation":
        most = panel.names[worst]
        cause = resonance(case.results, case.limit.quantity, case.origin[most], worst_row, most) or cause
    return _finding(
        case.limit,
        "violated",
        **case.spot(row, element),
        lasted_s=float(panel.dt_s[broken.any(axis=1)].sum()),
        worst_value=float(panel.matrix[worst_row, worst]),
        worst_element=panel.names[worst],
        worst_t_s=float(panel.t_s[worst_row]),
        elements=tuple(panel.names[i] for i in order),
        unknown_s=panel.unknown_s,
        cause=cause,
    )


def _unknown(case: _Case, evidence: Evidence) -> Finding:
    panel = case.panel
    row = int(np.argmax(panel.unknown.any(axis=1)))
    name, t_s = panel.names[int(np.argmax(panel.unknown[row]))], float(panel.t_s[row])
    return _finding(
        case.limit,
        "unknown",
        t_s=t_s,
        element=name,
        where=where(case.results, case.origin[name], name),
        unknown_s=panel.unknown_s,
        cause=no_value(evidence, t_s),
    )


def margins(values: Floats, at_least: float | None, at_most: float | None) -> Floats:
    """Return the distance to the nearer bound, negative beyond it, NaN where unknown."""
    low = values - at_least if at_least is not None else np.full_like(values, np.inf)
    high = at_most - values if at_most is not None else np.full_like(values, np.inf)
    nearer: Floats = np.minimum(low, high)
    return nearer


def lasting(broken: Bools, dt_s: Floats, over_s: float) -> Bools:
    """Return `broken` without stretches of at most `over_s`. Shape (rows, elements)."""
    if over_s <= 0.0:
        return broken
    kept = np.zeros_like(broken)
    for element in range(broken.shape[1]):
        edges = np.diff(broken[:, element].astype(np.int8), prepend=0, append=0)
        for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
            kept[start:end, element] = dt_s[start:end].sum() > over_s
    return kept


def _smallest(margin: Floats) -> tuple[int, int]:
    row, element = divmod(int(np.nanargmin(margin)), margin.shape[1])
    return row, element


def _nearest(margin: Floats, t_s: Floats, over_s: float) -> tuple[int, int]:
    """Return row and element of the smallest margin that counts: where a breach may last, the best within it.

    Rows within `over_s` of each other are as far from the limit as the best of them; a run shorter than
    that is judged by its best row. What has no value there, a bus without voltage, breaks no limit then.
    """
    if over_s <= 0.0:
        return _smallest(margin)
    unbroken = np.finfo(np.float64).max  # pandas takes infinity for a missing value
    frame = pd.DataFrame(np.nan_to_num(margin, nan=unbroken), index=pd.to_timedelta(t_s, unit="s"))
    best = frame.rolling(pd.Timedelta(seconds=over_s), closed="both", min_periods=1).max().to_numpy()
    whole = t_s - t_s[0] >= over_s
    best[~whole] = np.nan
    if not whole.any():
        best[-1] = np.nanmax(margin, axis=0)
    best[best == unbroken] = np.nan
    if np.isnan(best).all():
        return _smallest(margin)
    row, element = _smallest(best)
    window = np.flatnonzero((t_s >= t_s[row] - over_s) & (t_s <= t_s[row]))
    return int(window[np.nanargmax(margin[window, element])]), element


def _why_not(limit: Limit, tables: tuple[str, ...]) -> str:
    if tables:
        return f"no element is {limit.quantity}"
    column = limit.quantity.column
    if limit.quantity.table == "*":
        return f"no component kind has {column}"
    return f"no table {limit.quantity.table!r} with {column}"


def _finding(rule: Limit, outcome: Outcome, **found: Any) -> Finding:
    unit = unit_of(rule.quantity.column)
    found.setdefault("remark", rule.remark)
    return Finding(
        id=rule.id,
        title=rule.title,
        kind="limit",
        outcome=outcome,
        severity=rule.severity,
        quantity=str(rule.quantity),
        unit=unit.symbol if unit else "",
        at_least=rule.at_least,
        at_most=rule.at_most,
        document=rule.clause.document,
        clause=rule.clause.number,
        status=rule.status,
        **found,
    )
