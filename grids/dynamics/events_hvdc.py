"""Disturbances of direct-current links: blocks, runbacks and ramps.

A link is the element one of its ends stands for, the name of a dcline, or what stands at `bus=`. What is
said of one end holds for its partner, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cosim.core.errors import ScenarioError
from cosim.core.registry import nearest
from grids.dynamics.events import Action, Address, Event, find_bus
from grids.dynamics.operating import dcline_ends

if TYPE_CHECKING:
    from grids.dynamics.session import Session

ROLE = "hvdc"
"""Role of the models whose units are ends of links; their parameters have `partner` and `p_rated_mw`."""


@dataclass(frozen=True)
class Link:
    """One link within the case: one end, or both."""

    ends: tuple[str, ...]
    p_rated_mw: float

    @property
    def name(self) -> str:
        """Its ends, for messages."""
        return " - ".join(self.ends)

    def read(self, session: "Session", name: str) -> float:
        """Return an input of the link."""
        return session.signal(self.ends[0], name)

    def set(self, session: "Session", name: str, value: float) -> None:
        """Set an input at both ends."""
        for end in self.ends:
            session.set_input(end, name, value)


def find_link(session: "Session", link: Address | None, bus: Address | None) -> Link:
    """Return a link by the name of an end or of its dcline, by the index of its dcline, or by a bus.

    Raises
    ------
    ScenarioError
        When there is none, or several stand at the bus.
    """
    ends = {
        name: params
        for group in session.system.groups
        if group.cls.role == ROLE
        for name, params in zip(group.elements, group.params, strict=True)
    }
    point = session.system.point
    if link is not None:
        of_index = {e.name for e in point.elements if e.table == "dcline" and e.index == link}
        wanted = {str(link), *dcline_ends(str(link))} | of_index
        found, what = [name for name in ends if name in wanted], f"{link!r}"
    elif bus is not None:
        at = find_bus(point, bus)
        found, what = [e.name for e in point.elements if e.name in ends and e.bus == at], f"at bus {bus!r}"
    else:
        msg = "say which link: by the name of an end or of its dcline, or by bus="
        raise ScenarioError(msg)
    links = {frozenset((name, ends[name].partner or name)) for name in found}  # type: ignore[attr-defined]
    if len(links) != 1:
        hint = nearest(str(link), ends) if link is not None else ""
        msg = f"no one direct-current link {what}: {', '.join(found) or 'none'}.{hint}"
        raise ScenarioError(msg)
    both = tuple(name for name in ends if name in next(iter(links)))
    return Link(both, float(ends[both[0]].p_rated_mw))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class DcBlock(Event):
    """Poles of a link are blocked at once, and restarted if so wished."""

    link: Address | None = None
    at_s: float = 0.0
    pole_share: float = 1.0
    """Share of the poles the link was built with."""
    restart_after_s: float | None = None
    bus: Address | None = None

    def actions(self, session: "Session") -> Sequence[Action]:
        """Block, and restart."""
        link = find_link(session, self.link, self.bus)
        if not 0.0 < self.pole_share <= 1.0:
            msg = f"DcBlock of {link.name}: pole_share={self.pole_share:g} (allowed: above 0 up to 1)"
            raise ScenarioError(msg)
        text = f"{link.name}: {self.pole_share:.0%} of the poles"
        done = [Action(self.at_s, f"{text} blocked", lambda s: _change_poles(s, link, -self.pole_share))]
        if self.restart_after_s is not None:
            end_s = self.at_s + self.restart_after_s
            restart = Action(end_s, f"{text} restarted", lambda s: _change_poles(s, link, self.pole_share))
            done.append(restart)
        return tuple(done)


def _change_poles(session: "Session", link: Link, by: float) -> None:
    poles = round(min(max(link.read(session, "poles") + by, 0.0), 1.0), 12)
    link.set(session, "poles", poles)
    session.solution.refresh()


@dataclass(frozen=True)
class DcRamp(Event):
    """The scheduled power of a link goes to another value: an emergency power raise, a new schedule.

    The power is that at the rectifier, or at the one end that stands in the case.
    """

    link: Address | None = None
    to_mw: float = 0.0
    at_s: float = 0.0
    over_s: float = 1.0
    """How long the ramp takes."""
    bus: Address | None = None

    def actions(self, session: "Session") -> Sequence[Action]:
        """Set the schedule and its ramp."""
        link = find_link(session, self.link, self.bus)
        if self.over_s <= 0.0:
            msg = f"{type(self).__name__} of {link.name}: over_s={self.over_s:g} (allowed: above 0)"
            raise ScenarioError(msg)
        text = f"{link.name}: to {self.to_mw:g} MW in {self.over_s:g} s"
        return (Action(self.at_s, text, lambda s: self._change(s, link)),)

    def _change(self, session: "Session", link: Link) -> None:
        wanted = self.to_mw / link.p_rated_mw
        change = abs(wanted - link.read(session, "pref"))
        if change > 0.0:
            link.set(session, "ramp", change / self.over_s)
            link.set(session, "pref", wanted)


@dataclass(frozen=True)
class DcRunback(DcRamp):
    """The scheduled power of a link is cut to a lower value, fast."""

    over_s: float = 0.2

    def _change(self, session: "Session", link: Link) -> None:
        now_mw = link.read(session, "pref") * link.p_rated_mw
        if abs(self.to_mw) > abs(now_mw):
            msg = f"runback of {link.name} to {self.to_mw:g} MW: it carries {now_mw:g} MW; DcRamp raises it"
            raise ScenarioError(msg)
        super()._change(session, link)
