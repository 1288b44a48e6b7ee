"""What a scenario can tell the rms engine to do, as disturbances of its session."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from pydantic import Field

from cosim.core.grid import SWITCHING, EventParams, GridEvent
from grids.dynamics.device import Device
from grids.dynamics.events import (
    BRANCHES,
    BusFault,
    Custom,
    Event,
    GeneratorTrip,
    LineTrip,
    LoadStep,
    LoadTrip,
    SetInput,
)
from grids.dynamics.events_hvdc import DcBlock, DcRamp, DcRunback
from grids.dynamics.session import Session
from grids.links.orders import LINK_ACTIONS, Block, Ramp, Runback


class Fault(EventParams):
    """A three-phase fault to ground at a bus, cleared by itself."""

    subject: ClassVar[str] = "bus"
    bus: str = Field(description="where")
    clear_after_s: float = Field(gt=0, description="how long it lasts; need not meet an exchange")
    r_pu: float = Field(default=0.0, ge=0, description="fault resistance, on the system's base")
    x_pu: float = Field(
        default=1e-4, gt=0, description="fault reactance; not zero, so that the bus keeps a voltage"
    )


class Step(EventParams):
    """A load draws more (or less) from now on, or one appears at a bus."""

    element: str = Field(description="a load that takes orders, or a bus")
    p_mw: float = Field(description="change of active power")
    q_mvar: float = Field(default=0.0, description="change of reactive power")


class Input(EventParams):
    """An input of a dynamic model holds this value from now on."""

    element: str = Field(description="element of the case, or connected unit")
    signal: str = Field(min_length=1, description="input signal that no model of the element writes")
    value_pu: float = Field(description="value, in the signal's own unit")


ACTIONS: Mapping[str, type[EventParams]] = {
    **SWITCHING,
    "fault": Fault,
    "load_step": Step,
    "set_input": Input,
    **LINK_ACTIONS,
}


def disturbance(event: GridEvent, at_s: float, table: str) -> Event:
    """Return what an event of a scenario is for a session, at the session's own time.

    Parameters
    ----------
    event
        The event.
    at_s
        When, since the session began.
    table
        Table its subject stands in: a load step at a bus is a load of its own there.
    """
    name, p = event.element, event.params
    if isinstance(p, Fault):
        return BusFault(name, at_s, p.clear_after_s, p.r_pu, p.x_pu)
    if isinstance(p, Step):
        load, bus = (None, name) if table == "bus" else (name, None)
        return LoadStep(p.p_mw, at_s, load=load, bus=bus, q_mvar=p.q_mvar)
    if isinstance(p, Input):
        return SetInput(name, p.signal, p.value_pu, at_s)
    if isinstance(p, Block):
        return DcBlock(name, at_s, p.pole_share_pu, p.restart_after_s)
    if isinstance(p, Ramp | Runback):
        kind = DcRamp if isinstance(p, Ramp) else DcRunback
        return kind(name, p.to_mw, at_s, p.over_s or kind.over_s)
    return _switched(event, at_s, table)


def inputs_of(models: Iterable[type[Device]]) -> list[str]:
    """Return the signals the models of one element read and none of them writes."""
    known = list(models)
    written = {name for cls in known for name in cls.writes}
    return sorted({name for cls in known for name in cls.reads} - written)


def _switched(event: GridEvent, at_s: float, table: str) -> Event:
    """Return the switching of a branch, or of an element with all its models."""
    name, closes = event.element, event.action == "close"
    if table in BRANCHES:
        line = LineTrip(name, at_s)
        return Custom(at_s, f"{name} closed", line.close) if closes else line
    if closes:
        return Custom(at_s, f"{name} connected", lambda session: connect(session, name))
    return LoadTrip(name, at_s) if table == "load" else GeneratorTrip(name, at_s)


def connect(session: Session, element: str) -> None:
    """Connect a load or static generator again that was tripped."""
    for group in session.system.groups:
        for k, name in enumerate(group.elements):
            if name == element:
                group.block.on[k] = True
    session.solution.refresh()
