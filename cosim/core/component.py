"""What a component model is: the contract ours and a stranger's fulfil alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol, TypeVar, runtime_checkable
from zoneinfo import ZoneInfo

from cosim.core.params import Params
from cosim.core.streams import Streams
from cosim.core.types import Floats
from cosim.core.units import unit_of


@dataclass(frozen=True)
class Port:
    """One input or output: a float64 array over the units of a kind.

    An input nobody wires keeps `default`; an input without a default must be wired.
    Several wires into one input add up.
    """

    name: str
    description: str
    default: float | None = None

    def __post_init__(self) -> None:
        if unit_of(self.name) is None:
            msg = f"port {self.name!r} does not end in a known unit"
            raise TypeError(msg)


@dataclass(frozen=True)
class Link:
    """A parameter that names another unit (or a list of them), and the wires that follow from it.

    `gives` maps my output port to its input port, `takes` its output port to my input port, both
    within the same exchange. `late` is `takes` one exchange late, for loops; its first value is
    the port's default. `asks` maps what the other unit says of its range (`RANGE` of
    `cosim.core.flexibility`) to my input port, late as well: it is asked where my parameter `asks_over_s` is
    not None, what holds for so long, every `asks_every_s`, as if what `gives` feeds rested.
    """

    param: str
    gives: Mapping[str, str] = field(default_factory=dict)
    takes: Mapping[str, str] = field(default_factory=dict)
    late: Mapping[str, str] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)


Ledger = Mapping[str, Any]
"""A table that is written once: column -> numbers (an array) or words (a list), all of one length."""


@dataclass(frozen=True)
class Balance:
    """A conservation law over outputs: sum(inflow)·dt - sum(outflow)·dt = change of `stored`.

    Flows are means over the step [MW] and `stored` is in MWh; or flows in [GPU] and stored [GPU·h].
    """

    name: str
    inflow: tuple[str, ...]
    outflow: tuple[str, ...]
    stored: str | None = None


@dataclass(frozen=True)
class SideTable:
    """A table of results beside that of the outputs: the same, told apart by other things than units.

    Its rows are the same all the run; `columns` end in units, as ports do.
    """

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class DroopOffer:
    """A fast frequency response the grid may use inside an exchange.

    The static part of an offer; its size is published each exchange on the outputs
    `droop_mw_per_hz`, `droop_up_mw` and `droop_down_mw` (both >= 0: how much consumption may rise
    and fall).
    """

    deadband_hz: float = 0.033
    time_constant_s: float = 0.2


@dataclass(frozen=True)
class DeviceInput:
    """How an output port drives an input of a device, each exchange.

    The device hears `(value - v0) / base`: `base` is in the port's unit, or `system` for the grid's power
    base, or `start` for the value at which the device starts (1 where that is zero). `v0` is the value at
    the start when `from_start`, else 0: what offsets of set-points need.
    """

    signal: str
    base: float | Literal["system", "start"] = "system"
    from_start: bool = False


@dataclass(frozen=True)
class DeviceReport:
    """What an input port hears of a device, one exchange late: `scale` times a signal.

    The signals `p_mw` and `q_mvar` are what the unit drew at the end of the exchange, for every model.
    """

    signal: str
    scale: float = 1.0
    rest: float = 0.0
    """What the port hears while no engine runs the device."""


@dataclass(frozen=True)
class DevicePart:
    """One of several devices that share the power of a unit, such as a group of its supplies.

    It starts at its share of what the unit draws, in proportion to `share_pu` times the ports of `power`;
    inputs with the base `system` are handed over times the share, and so are its reports, which add up.
    """

    name: str
    """What it is called behind the unit's name."""
    share_pu: float
    models: Mapping[str, Mapping[str, Any]]
    inputs: Mapping[str, DeviceInput] = field(default_factory=dict)
    reports: Mapping[str, DeviceReport] = field(default_factory=dict)
    power: tuple[str, str] = ("p_mw", "q_mvar")
    """Output ports, handed to the grid, of the active and reactive power it has a share of."""


@dataclass(frozen=True)
class DeviceOffer:
    """Dynamic models that stand for a unit where the grid integrates such models.

    They start at the `p_mw` and `q_mvar` the unit publishes first, and from then on the unit's power is
    theirs. An engine without dynamic models ignores the offer and takes `p_mw` and `q_mvar` as drawn.
    """

    @classmethod
    def of(cls, parts: Sequence[DevicePart], f_nominal_hz: float | None = None) -> "DeviceOffer":
        """Return the offer of a unit whose power several devices share."""
        inputs = {port: how for part in parts for port, how in part.inputs.items()}
        reports = {port: report for part in parts for port, report in part.reports.items()}
        return cls({}, inputs, reports, f_nominal_hz, tuple(parts))

    models: Mapping[str, Mapping[str, Any]]
    """Name of each model -> its parameters; several work on the same unit, as a converter and its control."""
    inputs: Mapping[str, DeviceInput] = field(default_factory=dict)
    """Output port -> what it drives."""
    reports: Mapping[str, DeviceReport] = field(default_factory=dict)
    """Input port -> what it hears."""
    f_nominal_hz: float | None = None
    """Nominal frequency its parameters are per unit of; a grid of another one refuses it."""
    parts: tuple[DevicePart, ...] = ()
    """Devices that share the unit's power, instead of `models`; `inputs` and `reports` are all of theirs."""

    def devices(self) -> tuple[DevicePart, ...]:
        """Return its parts, or itself as the only one, which has no name."""
        return self.parts or (DevicePart("", 1.0, self.models, self.inputs, self.reports),)


Offer = DroopOffer | DeviceOffer | None


class Emit(Protocol):
    """Writes one row of the events table; `data` is JSON, or empty."""

    def __call__(self, t_s: float, unit: str, kind: str, text: str, data: str = "", /) -> None:
        """Write it."""


def silent(t_s: float, unit: str, kind: str, text: str, data: str = "", /) -> None:
    """Write nothing."""
    del t_s, unit, kind, text, data


@dataclass(frozen=True)
class Context:
    """What a component gets at reset, and nothing more."""

    start: datetime = datetime(2025, 8, 5, 20, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    """Wall-clock time with zone at t_s = 0: sun, weather and tariffs follow it."""
    streams: Streams = field(default_factory=lambda: Streams(0))
    names: tuple[str, ...] = ()
    """Unit names, in the order of the parameters."""
    emit: Emit = silent


@runtime_checkable
class Component(Protocol):
    """All units of one kind: parameters, state and `step`, arrays over units.

    The class attributes `links`, `commands`, `balances` may be left out when empty, as may the methods

    * `command(t_s, unit, name, command)`: obey a scenario event;
    * `devices()`: per unit a `DroopOffer`, a `DeviceOffer`, both in a tuple, or None (asked after `reset`);
    * `refusal(unit, command) -> str | None`: why a command can never be obeyed, so that a scenario is
      refused before it runs;
    * `uncovered(end_s) -> list[str]`: which of its data end before the run does (asked after `reset`);
    * `unfit(longest_s) -> list[str]`: which units cannot work in exchanges of up to so long, and why, each
      text beginning with the unit's name and a colon (asked after `reset`);
    * `ledgers()`: tables of single things it keeps, such as a row for each job: name -> column -> values of
      equal length; asked for once, when a run is over;
    * `flexibility(t_s, horizon_s, inputs)`: how far each unit can be moved (`cosim.core.flexibility`);
    * `side_tables() -> Sequence[SideTable]` and `told(table)`: tables of its own, known before a run, and
      what the last step brought to one, column -> values over its rows.
    """

    params_type: ClassVar[type[Params]]
    inputs: ClassVar[tuple[Port, ...]]
    outputs: ClassVar[tuple[Port, ...]]

    def __init__(self, params: Sequence[Any]) -> None:
        """Take one parameter model per unit. Raise ScenarioError when they cannot work together."""

    def reset(self, context: Context) -> None:
        """Return to the initial state; nothing of an earlier run may remain."""

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Advance from t_s to t_s + dt_s and return every output, each of shape (units,).

        Inputs hold over the step and must not be changed. Outputs are fresh arrays each step.
        """


def links_of(kind: type[Component]) -> tuple[Link, ...]:
    """Return the links a component class declares."""
    links: tuple[Link, ...] = getattr(kind, "links", ())
    return links


def balances_of(kind: type[Component]) -> tuple[Balance, ...]:
    """Return the balances a component class declares."""
    balances: tuple[Balance, ...] = getattr(kind, "balances", ())
    return balances


def side_tables_of(component: Component) -> tuple[SideTable, ...]:
    """Return the tables a component publishes beside that of its outputs; those without rows are left out."""
    tables = getattr(component, "side_tables", None)
    return () if tables is None else tuple(table for table in tables() if table.rows)


def commands_of(kind: type[Component]) -> Mapping[str, type[Params]]:
    """Return the scenario events a component class answers to: name -> parameter model."""
    commands: Mapping[str, type[Params]] = getattr(kind, "commands", {})
    return commands


def ledgers_of(component: Component) -> Mapping[str, Ledger]:
    """Return the tables of single things a component keeps: name -> column -> values."""
    asked = getattr(component, "ledgers", None)
    return {} if asked is None else asked()


def devices_of(component: Component) -> tuple[tuple[DroopOffer | DeviceOffer, ...], ...] | None:
    """Return what each unit hands the grid, or None where the kind hands over nothing."""
    devices = getattr(component, "devices", None)
    if devices is None:
        return None
    return tuple(_as_tuple(offer) for offer in devices())


def _as_tuple(offer: Offer | tuple[Offer, ...]) -> tuple[DroopOffer | DeviceOffer, ...]:
    several = offer if isinstance(offer, tuple) else (offer,)
    return tuple(one for one in several if one is not None)


_Kind = TypeVar("_Kind", DroopOffer, DeviceOffer)


def offer_of(offers: Sequence[DroopOffer | DeviceOffer], kind: type[_Kind]) -> _Kind | None:
    """Return the offer of one kind among those of a unit, or None."""
    return next((offer for offer in offers if isinstance(offer, kind)), None)
