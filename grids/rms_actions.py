"""Who obeys an event where a power flow has windows of the dynamic model: one of them, or both."""

from collections.abc import Sequence
from dataclasses import replace

from cosim.core.grid import SWITCHING, Connections, GridEvent, GridWindow
from cosim.core.registry import nearest
from grids.dynamics.events_hvdc import ROLE as HVDC
from grids.dynamics.operating import dcline_ends
from grids.engine import PowerFlowGrid
from grids.links.orders import LINK_ACTIONS
from grids.rms_events import ACTIONS, Input, inputs_of
from grids.rms_units import models_of


class WindowEvents:
    """Divides events between the power flow and the dynamic model, and refuses those neither can obey.

    Parameters
    ----------
    flow
        The power flow of the whole run.
    connections
        Who is connected.
    """

    def __init__(self, flow: PowerFlowGrid, connections: Connections) -> None:
        self._flow, self._inside = flow, flow.inside
        self._models = models_of(flow.inside, connections)
        self._terminals = self._terminals_of()
        """Links of the case with a dynamic model: name -> element that carries a terminal of it."""

    def subjects(self, action: str) -> tuple[str, ...]:
        """Return the names an action may act on."""
        model = ACTIONS[action]
        if action in {"trip", "close"}:
            return self._flow.switchable
        buses = self._flow.elements["bus"]
        if model.subject == "bus":
            return buses
        if action == "load_step":
            names = self._inside.elements.names
            return (*names["load"], *names["sgen"], *buses)
        if action == "set_input":
            return tuple(name for name, known in self._models.items() if inputs_of(known))
        ends = [name for name, known in self._models.items() if any(cls.role == HVDC for cls in known)]
        net = self._inside.case.net
        lines = [str(name) for name in net["dcline"]["name"]] if "dcline" in net else []
        own = self._flow.subjects(action)
        return (*own, *(name for name in lines if set(dcline_ends(name)) & set(ends)), *ends)

    def _terminals_of(self) -> dict[str, str]:
        links = self._inside.links
        if links is None:
            return {}
        names = {link: links.ends.of(k) for k, link in enumerate(links.names)}
        modelled = {
            link: [name for name in ends if any(cls.role == HVDC for cls in self._models.get(name, ()))]
            for link, ends in names.items()
        }
        return {link: ends[0] for link, ends in modelled.items() if ends}

    def _is_link(self, event: GridEvent) -> bool:
        """Say whether an event is about a link of the case, which the power flow schedules."""
        return event.action in LINK_ACTIONS and event.element in self._flow.subjects(event.action)

    def of_flow(self, events: Sequence[GridEvent]) -> list[GridEvent]:
        """Return the events the power flow carries out, too."""
        return [event for event in events if event.action in SWITCHING or self._is_link(event)]

    def of_session(self, events: Sequence[GridEvent]) -> list[GridEvent]:
        """Return the events of the dynamic model; links without a model of their own are set by the flow."""
        found = []
        for event in events:
            if not self._is_link(event):
                found.append(event)
            elif event.element in self._terminals:
                found.append(replace(event, element=self._terminals[event.element]))
        return found

    def refusal(self, event: GridEvent, window: GridWindow | None) -> str | None:
        """Return why an event cannot be in a window, or outside of all, or None."""
        if isinstance(event.params, Input):
            known = inputs_of(self._models.get(event.element, []))
            if event.params.signal not in known:
                hint = nearest(event.params.signal, known)
                return (
                    f"{event.element!r} has no input {event.params.signal!r}, only {', '.join(known)}.{hint}"
                )
        if self._is_link(event) and event.at_s == 0.0 and window is not None:
            return "the first exchange of a run defines what is scheduled: give a later instant"
        if event.action != "close" or window is None:
            return None
        names = self._inside.elements.names
        if event.element in names["gen"]:
            return (
                f"{event.element!r}: the dynamic model cannot synchronise a machine; only the power flow can"
            )
        tables = [table for table, known in names.items() if event.element in known]
        row = names[tables[0]].index(event.element)
        if not bool(self._inside.case.net[tables[0]]["in_service"].iloc[row]):
            return f"{event.element!r} is out of service in the case: the dynamic model does not know it"
        return None
