"""What all adapters of one run have in common."""

import json
from dataclasses import dataclass, field
from typing import NamedTuple

from cosim.core.clock import Clock
from cosim.core.component import Context, Emit
from cosim.core.streams import Streams
from cosim.results import Event
from cosim.simulators.watch import Watch


class Instant(NamedTuple):
    """One exchange: its tick, start and length [s], and the tick of the next."""

    tick: int
    t_s: float
    dt_s: float
    following: int


@dataclass
class Shared:
    """Clock, watchdog and the events of the exchange under way."""

    clock: Clock
    context: Context
    """Start and seed, as every model gets them; names are filled in per kind."""
    watch: Watch
    events: list[Event] = field(default_factory=list)
    """In order of emission; the ring makes that order the same in every run. The recorder empties it."""

    def __post_init__(self) -> None:
        clock = self.clock
        ticks = clock.ticks.tolist()
        rows = zip(ticks, clock.t_s.tolist(), clock.dt_s.tolist(), [*ticks[1:], clock.until], strict=True)
        self._instants = {row[0]: Instant(*row) for row in rows}

    def at(self, tick: int) -> Instant:
        """Return the exchange that starts at `tick`."""
        return self._instants[tick]

    def context_for(self, names: tuple[str, ...]) -> Context:
        """Return what one model gets at reset."""
        return Context(self.context.start, Streams(self.context.streams.seed), names, self.emitter())

    def emitter(self) -> Emit:
        """Return a function that writes one row of the events table."""

        def emit(t_s: float, unit: str, kind: str, text: str, data: str = "", /) -> None:
            self.events.append(Event(float(t_s), unit, kind, text, data))

        return emit

    def note(self, t_s: float, source: str, kind: str, text: str, data: object = None) -> None:
        """Write one row of the events table with data."""
        packed = "" if data is None else json.dumps(data, ensure_ascii=False, sort_keys=True)
        self.events.append(Event(t_s, source, kind, text, packed))
