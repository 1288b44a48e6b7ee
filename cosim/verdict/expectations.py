"""What the author of a scenario expects of its KPIs, judged like a limit."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cosim.core.errors import ScenarioError
from cosim.core.units import unit_of
from cosim.kpi import describe, measure
from cosim.verdict.cause import Evidence, no_value
from cosim.verdict.findings import Finding, Outcome

if TYPE_CHECKING:
    from cosim.results import Results

KEYS = ("kpi", "at", "at_least", "at_most", "equals", "tolerance", "because")


def judge_expectation(results: "Results", expectation: Any, position: int, evidence: Evidence) -> Finding:
    """Return the finding of one expectation. Raises ScenarioError for an unknown KPI, place or key."""
    wanted = _read(expectation, position)
    kpi, at = wanted["kpi"], wanted["at"]
    found = measure(results, kpi, at)
    at_least, at_most = _bounds(wanted, position)
    above = found.value - at_least if at_least is not None else math.inf
    below = at_most - found.value if at_most is not None else math.inf
    margin = min(above, below)
    outcome: Outcome = "held" if margin >= 0.0 else "violated"
    if math.isnan(found.value) or (found.unknown_s > 0.0 and outcome == "held"):
        outcome = "unknown"
    cause = ""
    if outcome == "unknown":
        cause = no_value(evidence, found.t_s)
    elif outcome == "violated" and found.t_s is not None:
        cause = evidence.cause(found.t_s, "", found.at)
    unit = unit_of(kpi)
    return Finding(
        id=f"expect_{position}_{kpi}",
        title=f"Expected: {describe(kpi)}",
        kind="expectation",
        outcome=outcome,
        quantity=f"{kpi} at {at}" if at else kpi,
        unit=unit.symbol if unit else "",
        at_least=at_least,
        at_most=at_most,
        document="scenario",
        clause=f"expect {position}",
        remark=wanted["because"] or "",
        t_s=found.t_s,
        element=found.at or (at or ""),
        value=found.value,
        limit=at_least if above < below else at_most,
        margin=margin,
        worst_value=found.value,
        worst_element=found.at,
        worst_t_s=found.t_s,
        unknown_s=found.unknown_s,
        kpi=kpi,
        at=at or "",
        cause=cause,
    )


def _read(expectation: Any, position: int) -> dict[str, Any]:
    if not isinstance(expectation, Mapping):
        return {key: getattr(expectation, key, None) for key in KEYS}
    unknown = sorted(set(expectation) - set(KEYS))
    if unknown or "kpi" not in expectation:
        problem = f"unknown keys {', '.join(unknown)}" if unknown else "kpi is missing"
        msg = f"expectation {position}: {problem} (allowed: {', '.join(KEYS)})"
        raise ScenarioError(msg)
    return {key: expectation.get(key) for key in KEYS}


def _bounds(wanted: dict[str, Any], position: int) -> tuple[float | None, float | None]:
    at_least, at_most, equals = wanted["at_least"], wanted["at_most"], wanted["equals"]
    if equals is None:
        if at_least is None and at_most is None:
            msg = f"expectation {position} ({wanted['kpi']}): needs at_least, at_most or equals"
            raise ScenarioError(msg)
        return at_least, at_most
    tolerance = wanted["tolerance"] or 0.0
    return equals - tolerance, equals + tolerance
