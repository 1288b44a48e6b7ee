"""The language of a scenario file: what each key means, checked once, then frozen."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from cosim.core.registry import nearest
from cosim.scenario.parents import Draft
from cosim.scenario.source import dump

Name = Annotated[str, Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class WindowSpec(_Model):
    """A span of the run with a finer exchange step."""

    from_s: float = Field(ge=0, description="start, a multiple of the base step")
    to_s: float = Field(gt=0, description="end, a multiple of the base step")
    step_s: float = Field(gt=0, description="exchange step inside the window; divides the base step")


class ClockSpec(_Model):
    """When simulators exchange values."""

    step_s: float = Field(gt=0, description="exchange step outside windows; divides until_s")
    windows: tuple[WindowSpec, ...] = Field(default=(), description="spans with a finer step")


class GridWindowSpec(BaseModel):
    """A span of the run another grid engine takes over; every key not listed here belongs to that engine."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    name: Name = Field(description="what the window is called in events and reports")
    from_s: float = Field(ge=0, description="start, a multiple of the base step")
    to_s: float = Field(gt=0, description="end, a multiple of the base step")
    engine: Name = Field(default="rms", description="installed grid engine that takes over")
    exchange_s: float | None = Field(
        default=None, gt=0, description="exchange step inside the window; by default that of the clock"
    )

    @property
    def params(self) -> dict[str, Any]:
        """Return the engine's own keys."""
        return dict(self.model_extra or {})


class GridSpec(BaseModel):
    """The network; every key but `engine` and `windows` belongs to the engine."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    engine: Name = Field(default="powerflow", description="installed grid engine")
    windows: tuple[GridWindowSpec, ...] = Field(
        default=(), description="spans another engine takes over, such as rms around a fault"
    )

    @property
    def params(self) -> dict[str, Any]:
        """Return the engine's own keys."""
        return dict(self.model_extra or {})


class UnitSpec(BaseModel):
    """One unit of a component kind; every key not listed here is a parameter of that kind."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    component: Name = Field(description="installed component kind")
    at: Name | None = Field(default=None, description="named point or bus of the grid it is connected to")
    process: bool = Field(default=False, description="run this kind as a process of its own")
    inputs: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict, description="wires into input ports: {port: unit.port}; several add up"
    )
    late: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict, description="the same, arriving one exchange late: what a loop needs"
    )

    @property
    def params(self) -> dict[str, Any]:
        """Return the parameters of the kind."""
        return dict(self.model_extra or {})


class CampusSpec(_Model):
    """What stands behind the connection points of one customer, and where it is metered."""

    at: tuple[Name, ...] = Field(min_length=1, description="points or buses its units are connected to")
    meters: tuple[Name, ...] = Field(
        default=(),
        description="lines and transformers it is metered in; by default each point, by what its units draw",
    )
    critical: tuple[Name, ...] = Field(
        default=(), description="units its own sources must be able to carry without the grid"
    )


class Event(BaseModel):
    """Something that happens at an instant: `at_s` and exactly one action."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    at_s: float = Field(ge=0, description="start of an exchange")

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        actions = self.model_extra or {}
        if len(actions) != 1:
            given = ", ".join(actions) or "none"
            msg = f"needs exactly one action beside at_s; given: {given}"
            raise ValueError(msg)
        return self

    @property
    def action(self) -> str:
        """Return what happens: trip, close, set or a command of a component kind."""
        return next(iter(self.model_extra or {}))

    @property
    def body(self) -> Any:
        """Return what is written under the action."""
        return (self.model_extra or {})[self.action]


class FlexibilitySpec(_Model):
    """How often, and for how long a time ahead, units say how far their power can be moved."""

    every_s: float = Field(gt=0, description="time between two looks, a multiple of clock.step_s")
    horizon_s: float = Field(gt=0, description="time for which a change of power must be held")


class Expectation(_Model):
    """What the study expects of one KPI, and why."""

    kpi: Name = Field(description="name of a KPI")
    at: Name | None = Field(default=None, description="element or unit it is taken at; all when left out")
    at_least: float | None = Field(default=None, description="lower bound, in the KPI's unit")
    at_most: float | None = Field(default=None, description="upper bound, in the KPI's unit")
    equals: float | None = Field(default=None, description="expected value, in the KPI's unit")
    tolerance: float | None = Field(default=None, ge=0, description="allowed distance from `equals`")
    because: Name = Field(description="where the number comes from")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.equals is None) != (self.tolerance is None):
            msg = "equals and tolerance go together"
            raise ValueError(msg)
        if self.at_least is None and self.at_most is None and self.equals is None:
            msg = "needs at_least, at_most, or equals with tolerance"
            raise ValueError(msg)
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            msg = f"at_least={self.at_least:g} is above at_most={self.at_most:g}"
            raise ValueError(msg)
        return self


class Text(_Model):
    """Everything a scenario says, parents merged in."""

    title: Name = Field(description="the study in one line")
    description: str = Field(default="", description="what happens and what is asked")
    zone: Name | None = Field(default=None, description="time zone of the place, such as Asia/Shanghai")
    start: datetime = Field(description="date and time at t_s = 0, with an offset unless `zone` is given")
    until_s: float = Field(gt=0, description="end of the run")
    seed: int = Field(ge=0, description="of every random stream")
    clock: ClockSpec = Field(description="when simulators exchange values")
    grid: GridSpec = Field(description="the network: engine, case, operating point")
    units: dict[str, UnitSpec] = Field(default_factory=dict, description="what acts, by name")
    campuses: dict[str, CampusSpec] = Field(
        default_factory=dict, description="what is metered and accounted as one, by name"
    )
    events: tuple[Event, ...] = Field(default=(), description="what happens when")
    flexibility: FlexibilitySpec | None = Field(
        default=None, description="table `flexibility`: the feasible range of every unit; none: not asked"
    )
    limits: tuple[Name, ...] = Field(default=("cn",), description="named limit sets the verdict uses")
    expect: tuple[Expectation, ...] = Field(default=(), description="expected KPIs, each with its reason")

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str | None) -> str | None:
        if zone is not None and zone not in available_timezones():
            msg = f"unknown time zone.{nearest(zone, available_timezones())}"
            raise ValueError(msg)
        return zone

    @field_validator("start")
    @classmethod
    def _has_a_zone(cls, start: datetime, info: ValidationInfo) -> datetime:
        if start.tzinfo is None and info.data.get("zone", "") is None:
            msg = "needs an offset such as +08:00, or `zone: Asia/Shanghai` beside it"
            raise ValueError(msg)
        return start

    def begins(self) -> datetime:
        """Return date and time at t_s = 0 with its zone."""
        if self.zone is None:
            return self.start
        zone = ZoneInfo(self.zone)
        return self.start.replace(tzinfo=zone) if self.start.tzinfo is None else self.start.astimezone(zone)


class Scenario(Text):
    """A scenario that was read from a file.

    `start` carries its zone. `hash` is the sha256 of the resolved content: comments and the way a
    number is written do not change it. The order of units does, as it is that of the arrays.
    """

    hash: str
    text: str
    """The resolved scenario as YAML: loads without its parents."""
    _draft: Draft = PrivateAttr()

    @classmethod
    def of(cls, said: Text, draft: Draft) -> Self:
        """Return what a draft says, once it was found right."""
        content = {name: getattr(said, name) for name in Text.model_fields}
        content["start"] = said.begins()
        scenario = cls(**content, hash=digest(said), text=dump(draft.data))
        scenario._draft = draft
        return scenario

    @property
    def draft(self) -> Draft:
        """Return where each key comes from: what assembly needs for its messages."""
        return self._draft

    @property
    def name(self) -> str:
        """Return the name of the scenario: that of its file."""
        return self._draft.name

    @property
    def files(self) -> tuple[str, ...]:
        """Return the file and its parents, as shown in messages."""
        return tuple(self._draft.files)


def digest(said: Text) -> str:
    """Return the sha256 of what a scenario says, however it is written."""

    def plain(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            order = value if path == ("units",) else sorted(value)
            return {key: plain(value[key], (*path, key)) for key in order}
        if isinstance(value, list | tuple):
            return [plain(item, (*path, "")) for item in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    left_out = {key for key in ("flexibility", "campuses") if not getattr(said, key)}
    content = plain(said.model_dump(mode="json", exclude=left_out), ())
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
