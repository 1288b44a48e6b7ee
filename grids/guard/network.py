"""The topologies a guard looks at: the whole network, and without the elements whose loss matters most."""

from dataclasses import dataclass, field

import numpy as np

from cosim.core.types import Floats, Ints
from grids.branches import Ratings
from grids.guard.params import GuardParams
from grids.network_state import NetworkState
from grids.numbers import Complexes
from grids.situation import Loss, Situation, islands, losses_of

TOLERANCE_MVA = 1e-4
"""Of a trial: 1e-6 of the power that is looked for."""


@dataclass(frozen=True)
class Limit:
    """One thing watched."""

    what: str
    """`voltage`, `loading`, `frequency` or `rocof`; `dip`, a voltage on the way."""
    at: str
    without: str
    """What is lost, empty: nothing."""
    unit: str
    is_least: bool
    """Whether it is the lower limit that counts."""

    def __str__(self) -> str:
        return f"{self.what} of {self.at}" + (f" without {self.without}" if self.without else "")


@dataclass
class Network:
    """The network of the run, read only, and the topologies made of it.

    They are kept from call to call, and made anew when taps, shunts or switches have moved.
    """

    state: NetworkState
    ratings: Ratings
    _made: dict[str, Situation] = field(default_factory=dict)
    _islanding: dict[str, bool] = field(default_factory=dict)
    _losses: tuple[Loss, ...] = ()
    _key: tuple[object, Complexes, Complexes] | None = None

    def refresh(self) -> None:
        """Forget topologies that are no longer those of the run."""
        model, before = self.state.model, self._key
        if before is None or before[0] is not model:
            self._losses, self._islanding = losses_of(self.state), {}
        elif np.array_equal(before[1], model.branch_y) and np.array_equal(before[2], model.bus_y):
            return
        self._key, self._made = (model, model.branch_y.copy(), model.bus_y.copy()), {}

    def situation(self, loss: Loss | None) -> Situation:
        """Return the network without an element, None: the whole."""
        name = "" if loss is None else f"{loss.table} {loss.name}"
        if name not in self._made:
            self._made[name] = Situation(self.state, self.ratings, loss, tolerance_mva=TOLERANCE_MVA)
        return self._made[name]

    def worst(self, before: Floats, after: Floats, count: int) -> tuple[Loss, ...]:
        """Return the losses to try: half the most loaded branches, half those whose loading rises most.

        Left out are elements whose loss leaves buses without a source.

        Parameters
        ----------
        before, after
            Loading of lines, then transformers, without and with what is asked for [%].
        """
        lines = len(self.state.elements.names["line"])
        at = np.array(
            [loss.row + (lines if loss.table == "trafo" else 0) for loss in self._losses], dtype=int
        )
        found: dict[int, Loss] = {}
        for score, most in ((after - before, (count + 1) // 2), (after, count)):
            for place in np.argsort(-score[at], kind="stable").tolist():
                if len(found) >= most:
                    break
                if not self._islands(self._losses[place]):
                    found[place] = self._losses[place]
        return tuple(found.values())

    def _islands(self, loss: Loss) -> bool:
        key = f"{loss.table} {loss.name}"
        if key not in self._islanding:
            self._islanding[key] = islands(self.state.model, loss)
        return self._islanding[key]

    def limits(self, p: GuardParams, loss: Loss | None) -> Floats:
        """Return lowest and highest value and width of all that a situation returns, shape (3, values)."""
        buses = self.live.size
        names = self.state.elements.names
        lines, trafos = len(names["line"]), len(names["trafo"]) + len(names["trafo3w"])
        after = p.after_loss
        if loss is None:
            low, high, line, trafo = p.vm_min_pu, p.vm_max_pu, p.loading_percent, p.loading_percent
        else:
            low, high, line, trafo = after.vm_min_pu, after.vm_max_pu, after.line_percent, after.trafo_percent
        columns = (
            np.tile([[low], [high], [high - low]], buses),
            np.tile([[-np.inf], [line], [line]], lines),
            np.tile([[-np.inf], [trafo], [trafo]], trafos),
        )
        return np.concatenate(columns, axis=1)

    @property
    def live(self) -> Ints:
        """Energised rows of the bus table."""
        return np.flatnonzero(self.state.model.row_bus >= 0)

    def bus_name(self, place: int) -> str:
        """Return the name of an energised bus by its place among them."""
        return self.state.bus_names[int(self.live[place])]

    def limit(self, place: int, loss: Loss | None, *, is_least: bool) -> Limit:
        """Return what the value at a place of a situation is."""
        without, buses = "" if loss is None else loss.name, self.live.size
        if place < buses:
            return Limit("voltage", self.bus_name(place), without, "pu", is_least)
        names = [name for table in ("line", "trafo", "trafo3w") for name in self.state.elements.names[table]]
        return Limit("loading", names[place - buses], without, "%", is_least)
