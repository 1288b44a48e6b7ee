"""What a grid is: the contract of every engine, ours and a stranger's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from cosim.core.component import Context, DroopOffer
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
    drivers: tuple[str, ...] = ()
    """Names of units that scale grid elements."""
    driven: tuple[str, ...] = ()
    """What each driver scales: a `type` in the load, sgen or gen table, or one element's name."""


@dataclass(frozen=True)
class GridEvent:
    """A scheduled change of the network."""

    at_s: float
    action: str
    """`trip` or `close`."""
    element: str
    """Name of a line, trafo, gen, sgen or load."""


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
    """A network with frequency: takes power at points, returns tables of results."""

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
        droop_down_mw` and over drivers `scale_pu`. Raises SolveError only under the policy `stop`.
        """

    def finish(self) -> None:
        """Do what is due after the last exchange, such as a last cross-check."""

    def geography(self) -> Geography:
        """Return coordinates and connections of all elements."""

    def provenance(self) -> Mapping[str, Any]:
        """Return what the report says about the model: case, point, sources, evidence shares."""
