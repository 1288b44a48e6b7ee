"""What a judgement consists of."""

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cosim.verdict.limits import Limit
from cosim.verdict.text import quantity, verdict_table

SOLUTION = "power_flow_solution"
"""Id of the rule that every exchange has a solution."""

Outcome = Literal["held", "violated", "unknown", "not_applicable"]


@dataclass(frozen=True)
class Finding:
    """One limit or expectation, judged.

    `value`, `element`, `t_s` are those of the first violation, or of the smallest margin where the
    limit held. `margin` is positive where it holds.
    """

    id: str
    title: str
    kind: Literal["limit", "expectation", "completeness", "always", "event"]
    outcome: Outcome
    severity: Literal["fail", "warn"] = "fail"
    quantity: str = ""
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    document: str = ""
    clause: str = ""
    status: str = ""
    remark: str = ""
    t_s: float | None = None
    element: str = ""
    where: str = ""
    """Table, voltage and zone of the element."""
    value: float = math.nan
    limit: float | None = None
    """The bound that was broken, or came closest."""
    margin: float = math.nan
    lasted_s: float = 0.0
    """How long any element was beyond the limit."""
    worst_value: float = math.nan
    worst_element: str = ""
    worst_t_s: float | None = None
    elements: tuple[str, ...] = ()
    """Every element beyond the limit, in order of time."""
    unknown_s: float = 0.0
    kpi: str = ""
    at: str = ""
    """What an expectation is about, as the scenario says it."""
    cause: str = ""

    @property
    def asked(self) -> bool:
        """Whether somebody asked for this: a limit set or a scenario, not the testbed's own rules."""
        return self.kind in ("limit", "expectation")

    @property
    def fails(self) -> bool:
        """Whether this alone makes the verdict fail: broken or unknown, and not a mere warning."""
        return self.severity == "fail" and self.outcome in ("violated", "unknown")

    def sentence(self) -> str:
        """Return the finding as one line of plain text."""
        unconfirmed = " (unconfirmed)" if self.status == "unconfirmed" else ""
        if self.outcome == "not_applicable":
            return f"{self.title}: not applicable, {self.remark}"
        if self.outcome == "unknown":
            when = "" if self.t_s is None else f" first at {self.t_s:g} s"
            return f"{self.title}: no value for {self.unknown_s:g} s{when}: {self.cause}"
        if self.kind == "completeness":
            return self.title
        when = "" if self.t_s is None else f" at {self.t_s:g} s"
        if math.isnan(self.value):  # an event or a missing solution: no number says it
            return f"{self.title}{when}: {self.cause}"
        place = f" at {self.element}" + (f" ({self.where})" if self.where else "") if self.element else ""
        bound = f", limit {quantity(self.limit, self.unit)}" if self.limit is not None else ""
        text = f"{self.title}: {quantity(self.value, self.unit)}{place}{when}{bound}{unconfirmed}"
        return f"{text}; {self.cause}" if self.outcome == "violated" and self.cause else text


@dataclass(frozen=True)
class Verdict:
    """Pass or fail of a run, and everything it rests on."""

    passed: bool
    run_status: str
    limit_sets: tuple[str, ...]
    findings: tuple[Finding, ...] = field(default=())
    """What is broken or unknown, failures and warnings, sorted by time."""
    held: tuple[Finding, ...] = field(default=())
    """What held, smallest relative margin first."""
    not_applicable: tuple[Finding, ...] = field(default=())
    limits: tuple[Limit, ...] = field(default=())
    """The rules it was judged by."""

    @property
    def first(self) -> Finding | None:
        """The first finding that makes the verdict fail, or None when it passed."""
        return next((finding for finding in self.findings if finding.fails), None)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that do not decide."""
        return tuple(finding for finding in self.findings if not finding.fails)

    @property
    def satisfied(self) -> tuple[Finding, ...]:
        """Limits and expectations that held, smallest relative margin first: without the own rules."""
        return tuple(finding for finding in self.held if finding.asked)

    @property
    def judged(self) -> bool:
        """Whether any limit or expectation was compared with the run."""
        return bool(self.satisfied) or any(finding.asked for finding in self.findings)

    def scope(self) -> str:
        """Return what a pass rests on; a run judged by nothing says that it is complete, and no more."""
        if self.judged:
            return f"{len(self.satisfied)} limits and expectations hold"
        why = (
            f"none of the {len(self.not_applicable)} limits applies to this run"
            if self.not_applicable
            else "no limits and no expectations were given"
        )
        solved = " and solved in every exchange" if any(f.id == SOLUTION for f in self.held) else ""
        return f"{why}; the run is complete{solved}, nothing else was judged"

    def summary(self) -> str:
        """Return the verdict in one line."""
        if self.first is not None:
            more = sum(f.fails for f in self.findings) - 1
            return f"FAIL: {self.first.sentence()}" + (f" (and {more} more)" if more else "")
        warned = f", {len(self.warnings)} warnings" if self.warnings else ""
        closest = f"; closest: {self.satisfied[0].sentence()}" if self.satisfied else ""
        return f"PASS: {self.scope()}{warned}{closest}"

    def table(self) -> str:
        """Return the verdict as a plain-text table for the terminal."""
        return verdict_table(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the content of `verdict.json`: plain JSON types, None for what is not a number."""
        content = {"passed": self.passed, "summary": self.summary(), **dataclasses.asdict(self)}
        content["limits"] = [limit.model_dump() for limit in self.limits]
        cleaned: dict[str, Any] = _without_nan(content)
        return cleaned

    def write(self, path: Path) -> None:
        """Write `verdict.json`."""
        path.write_text(json.dumps(self.as_dict(), indent=2, ensure_ascii=False), encoding="utf-8")


def _without_nan(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
