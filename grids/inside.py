"""What the power flow shows of itself to an engine that takes over where it stands."""

from dataclasses import dataclass

from cosim.core.types import Ints
from grids.case import Case
from grids.elements import Elements
from grids.links.links import Links
from grids.network_state import NetworkState
from grids.response import Response, Tie
from grids.schedule import Schedule


@dataclass(frozen=True)
class Inside:
    """What another engine needs to take over where this one stands."""

    case: Case
    state: NetworkState
    elements: Elements
    schedule: Schedule
    response: Response
    ties: tuple[Tie, ...]
    row_area: Ints
    """Area of each row of `net.bus`."""
    unit_row: Ints
    """Row of `net.bus` of each connected unit."""
    unit_area: Ints
    links: Links | None
    """Direct-current links, where the case has any."""
