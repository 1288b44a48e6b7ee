"""What a grid is: the contract of every engine, ours and a stranger's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from pydantic import Field

from cosim.core.component import Context, DeviceOffer, DroopOffer
from cosim.core.params import Params
from cosim.core.types import Floats

Tables = Mapping[str, Mapping[str, Floats]]
"""table name -> column name -> values over the table's elements"""


@dataclass(frozen=True)
class Connections:
    """Who is connected to a grid: fixed before the first step.

    Units appear in one fixed order; arrays over units in `step` follow it.
    """

    units: tuple[str, ...] = ()
    """Unit names."""
    points: tuple[str, ...] = ()
    """Named point or bus of each unit."""
    devices: tuple[DroopOffer | None, ...] = ()
    """Fast response each unit offers, if any."""
    hosted: tuple[DeviceOffer | None, ...] = ()
    """Dynamic models each unit hands over, if any; for engines that host such models."""
    drivers: tuple[str, ...] = ()
    """Names of units that scale grid elements."""
    driven: tuple[str, ...] = ()
    """What each driver scales: a `type` in the load, sgen or gen table, or one element's name."""
    asking: tuple[bool, ...] = ()
    """Which units ask for leave before they draw more: `ask_mw` in, `room_mw` in the table `point`."""


class EventParams(Params):
    """What a scenario writes under one action of the grid."""

    subject: ClassVar[str] = "element"
    """The field that says what the event acts on."""


class Switch(EventParams):
    """An element is disconnected, or connected again."""

    element: str = Field(description="a line, trafo, gen, sgen or load")


SWITCHING: Mapping[str, type[EventParams]] = {"trip": Switch, "close": Switch}
"""Actions of every engine, also of one without `actions`."""


@dataclass(frozen=True)
class GridEvent:
    """A scheduled change of the network."""

    at_s: float
    action: str
    """`trip`, `close`, or another of the engine's `actions`."""
    element: str
    """Name of what it acts on: a line, trafo, gen, sgen or load; a bus, or a unit."""
    params: EventParams | None = None
    """What the action takes beside."""


def actions_of(engine: type[Any]) -> Mapping[str, type[EventParams]]:
    """Return the scenario events an engine class can carry out: action -> its parameters."""
    actions: Mapping[str, type[EventParams]] = getattr(engine, "actions", SWITCHING)
    return actions


@dataclass(frozen=True)
class GridWindow:
    """A span of the run another engine takes over."""

    name: str
    from_s: float
    to_s: float
    params: Params


@dataclass(frozen=True)
class Geography:
    """Where elements are, for maps: arrays follow the `bus`, `line` and `trafo` tables."""

    lat: tuple[float, ...]
    lon: tuple[float, ...]
    vn_kv: tuple[float, ...]
    line_from: tuple[int, ...]
    line_to: tuple[int, ...]
    trafo_hv: tuple[int, ...]
    trafo_lv: tuple[int, ...]
    points: Mapping[str, str] = field(default_factory=dict)
    """Named place -> bus."""
    f_nominal_hz: tuple[float, ...] = ()
    """Of each row of the `area` table."""


@runtime_checkable
class Grid(Protocol):
    """A network with frequency: takes power at points, returns tables of results.

    An engine class has `params_type`, is built with `(params, connections)`, and may have

    * `actions`: the scenario events it can carry out, `{action: EventParams}`, beside trip and close;
    * `hosts_devices = True`: it integrates the models of a `DeviceOffer`;
    * `guards = True`: it answers units that ask for leave (`Connections.asking`);
    * `points_of(params)`: points and buses units can connect to, without building the grid;
    * `window_type` and `within(grid, windows, connections)`: it can take over another engine's grid for
      windows of a run, each with parameters of its own.

    A grid may have `switchable`, the names that can be tripped and closed, and `subjects(action)`, the
    names any action may act on; and `expect(events)`, which is told at assembly of everything scheduled.
    """

    elements: Mapping[str, tuple[str, ...]]
    """Output table -> names of its rows. Fixed for the run."""
    columns: Mapping[str, tuple[str, ...]]
    """Output table -> names of its columns."""

    def reset(self, context: Context) -> Tables:
        """Return to the operating point and return its tables (the state just before t_s = 0)."""

    def step(
        self, t_s: float, dt_s: float, inputs: Mapping[str, Floats], events: Sequence[GridEvent]
    ) -> Tables:
        """Apply `events`, advance frequency over [t_s, t_s + dt_s) and solve the power flow.

        `inputs` holds arrays over connected units `p_mw, q_mvar, droop_mw_per_hz, droop_up_mw,
        droop_down_mw` and the output ports named by a `DeviceOffer`, and over drivers `scale_pu`; where
        units ask for leave, `ask_mw` and `coming_mw`, too.
        Raises SolveError only under the policy `stop`.
        """

    def finish(self) -> None:
        """Do what is due after the last exchange, such as a last cross-check."""

    def geography(self) -> Geography:
        """Return coordinates and connections of all elements."""

    def provenance(self) -> Mapping[str, Any]:
        """Return what the report says about the model: case, point, sources, evidence shares."""
