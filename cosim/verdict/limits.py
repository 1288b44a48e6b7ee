"""Limit sets: numbers with the clause they come from, read from YAML and checked at the door."""

from importlib.resources import files
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cosim.core.errors import ScenarioError
from cosim.core.registry import closest
from cosim.kpi.nominal import is_frequency
from cosim.scenario.explain import validated
from cosim.scenario.findings import listed
from cosim.scenario.source import parse

Status = Literal["published", "derived", "unconfirmed"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Quantity(_Frozen):
    """What is limited: a column of a table, possibly of some elements only, possibly transformed."""

    table: str = Field(description="table of the results, or * for every component kind with the column")
    column: str = Field(description="column of the table; its unit is the limit's")
    measure: Literal["value", "magnitude", "change", "spread", "deviation", "apart", "oscillation"] = Field(
        default="value",
        description="the value itself, its absolute value, its largest change within window_s, the "
        "sum of the largest deviations above and below 1 so far, a frequency less its nominal, the "
        "distance to the element farthest away, or the amplitude of what lasts through window_s",
    )
    window_s: float = Field(default=60.0, gt=0, description="window of the measures `change`, `oscillation`")
    vn_kv_at_least: float | None = Field(default=None, description="only elements of this voltage or more")
    vn_kv_at_most: float | None = Field(default=None, description="only elements of this voltage or less")
    vn_kv_above: float | None = Field(default=None, description="only elements of more than this voltage")
    vn_kv_below: float | None = Field(default=None, description="only elements of less than this voltage")
    names: tuple[str, ...] = Field(default=(), description="only elements matching one of these patterns")

    @model_validator(mode="after")
    def _deviates_from_something(self) -> Self:
        if self.measure == "deviation" and not is_frequency(self.column):
            msg = f"measure deviation: {self.column} has no nominal (it is for frequencies, such as f_min_hz)"
            raise ValueError(msg)
        return self

    def __str__(self) -> str:
        """Return the quantity as it is written in tables: `bus.vm_pu, 35 kV and above`."""
        parts = [f"{self.table}.{self.column}"]
        if self.measure != "value":
            parts[0] = f"{self.measure} of {parts[0]}"
        if self.measure in ("change", "oscillation"):
            parts[0] += f" in {self.window_s:g} s"
        if self.vn_kv_at_least is not None:
            parts.append(f"{self.vn_kv_at_least:g} kV and above")
        if self.vn_kv_at_most is not None:
            parts.append(f"{self.vn_kv_at_most:g} kV and below")
        if self.vn_kv_above is not None:
            parts.append(f"above {self.vn_kv_above:g} kV")
        if self.vn_kv_below is not None:
            parts.append(f"below {self.vn_kv_below:g} kV")
        return ", ".join(parts + ([" ".join(self.names)] if self.names else []))


class Clause(_Frozen):
    """Where a limit is written."""

    document: str
    number: str = "-"


class Limit(_Frozen):
    """One limit: what, how much, for how long at most, how bad, and who says so."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    quantity: Quantity
    at_least: float | None = None
    at_most: float | None = None
    over_s: float = Field(default=0.0, ge=0, description="a breach up to this long is allowed")
    severity: Literal["fail", "warn"] = "fail"
    clause: Clause
    status: Status
    remark: str = ""

    @model_validator(mode="after")
    def _has_a_bound(self) -> Self:
        if self.at_least is None and self.at_most is None:
            msg = "needs at_least or at_most"
            raise ValueError(msg)
        if None not in (self.at_least, self.at_most) and self.at_least > self.at_most:  # type: ignore[operator]
            msg = f"at_least={self.at_least:g} is above at_most={self.at_most:g}"
            raise ValueError(msg)
        return self


class LimitSet(_Frozen):
    """A named list of limits."""

    title: str
    limits: tuple[Limit, ...]

    @model_validator(mode="after")
    def _has_limits_of_different_ids(self) -> Self:
        if not self.limits:
            msg = "limits: holds none"
            raise ValueError(msg)
        ids = [limit.id for limit in self.limits]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            msg = f"ids used twice: {', '.join(twice)}"
            raise ValueError(msg)
        return self


def limit_sets() -> tuple[str, ...]:
    """Return the names of the limit sets that come with the package."""
    folder = files("cosim") / "limits"
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")))


def load_limits(name_or_path: str | Path) -> LimitSet:
    """Return a limit set by name, or from a YAML file of the user's.

    Raises ScenarioError with all findings, each with file, line, key and what is allowed.
    """
    name = str(name_or_path)
    if name in limit_sets():
        text = (files("cosim") / "limits" / f"{name}.yaml").read_text(encoding="utf-8")
        return _parsed(text, f"{name}.yaml")
    path = Path(name_or_path)
    if not path.is_file():
        match = closest(name, limit_sets())
        hint = f"; did you mean {match!r}?" if match else ""
        msg = f"no limit set and no file called {name!r}{hint}; installed sets: {', '.join(limit_sets())}"
        raise ScenarioError(msg)
    return _parsed(path.read_text(encoding="utf-8"), name)


def _parsed(text: str, source: str) -> LimitSet:
    document = parse(text, source)
    limits, wrong = (None, []) if document.findings else validated(LimitSet, document.data, ())
    if limits is None:
        findings = [*document.findings, *wrong]
        raise ScenarioError("\n".join(listed(findings, document.data, document.marks, source)))
    return limits
