"""Input ports: where their values come from, worked out once, before the first exchange."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cosim.core.component import Port
from cosim.core.errors import ScenarioError
from cosim.core.types import Bools, Floats, Ints
from cosim.plan import Wire
from cosim.simulators.board import Board, frozen


@dataclass(frozen=True)
class _Feed:
    """One wire as index arrays."""

    source: str
    port: str
    source_index: Ints | slice
    target_index: Ints | slice
    delayed: bool
    repeats: bool

    def carried(self, board: Board) -> Floats:
        """Return what this wire carries, one value per end."""
        return board.outputs[self.source][self.port][self.source_index]

    def add_to(self, values: Floats, board: Board) -> None:
        """Add what this wire carries to `values`, shape (units of the target,)."""
        found = self.carried(board)
        if isinstance(self.target_index, slice) or not self.repeats:
            values[self.target_index] += found
        else:
            np.add.at(values, self.target_index, found)


def _places(index: Sequence[int]) -> Ints | slice:
    """Return an index array, or where it counts up by one the slice: that takes a view, not a copy."""
    places = np.array(index, dtype=np.int64)
    if places.size and (np.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def _feed(wire: Wire) -> _Feed:
    return _Feed(
        wire.source,
        wire.source_port,
        _places(wire.source_index),
        _places(wire.target_index),
        wire.delayed,
        len(set(wire.target_index)) < len(wire.target_index),
    )


class Inlet:
    """One input port of a kind or of the grid.

    Units no wire reaches hold the port's default until `hold` changes it; all others are the sum of
    their wires. In the first exchange a unit fed late by another component has the default instead of
    what that component has not yet said.

    Parameters
    ----------
    owner
        Kind or `grid`, for messages.
    port
        The port.
    size
        Number of units.
    wires
        The wires that end at this port.

    Raises
    ------
    ScenarioError
        When the port has no default and some unit no wire.
    """

    def __init__(self, owner: str, port: Port, size: int, wires: Iterable[Wire]) -> None:
        self.name, self._default = port.name, port.default
        wires = tuple(wires)
        self._feeds = tuple(_feed(wire) for wire in wires)
        alone = len(self._feeds) == 1 and tuple(wires[0].target_index) == tuple(range(size))
        self._whole = self._feeds[0] if alone else None
        self.wired: Bools = np.zeros(size, dtype=np.bool_)
        for feed in self._feeds:
            self.wired[feed.target_index] = True
        if port.default is None and not self.wired.all():
            msg = f"{owner}: input {port.name} has no default and is not wired for every unit"
            raise ScenarioError(msg)
        self._resting = frozen(np.where(self.wired, 0.0, 0.0 if port.default is None else port.default))

    def hold(self, unit: int, value: float) -> None:
        """Let the port of a unit no wire reaches hold `value` from now on."""
        resting = self._resting.copy()
        resting[unit] = value
        self._resting = frozen(resting)

    def collect(self, now: Board, late: Board) -> Floats:
        """Return the values of this exchange, read-only, shape (units,)."""
        if not self._feeds:
            return self._resting
        if self._whole is not None:  # one wire for all units in their order: nothing to add up
            board = late if self._whole.delayed else now
            if self._whole.source in board.outputs:
                return frozen(self._whole.carried(board))
        values = self._resting.copy()
        silent = None
        for feed in self._feeds:
            if not feed.delayed:
                feed.add_to(values, now)
            elif feed.source in late.outputs:
                feed.add_to(values, late)
            else:
                silent = np.zeros(values.size, dtype=np.bool_) if silent is None else silent
                silent[feed.target_index] = True
        if silent is not None:
            values[silent] += self._default or 0.0
        return frozen(values)


def inlets(owner: str, ports: Sequence[Port], size: int, wires: Iterable[Wire]) -> Mapping[str, Inlet]:
    """Return the inlets of all `ports` of a kind or of the grid, by port name.

    Raises ScenarioError when a wire ends at a port that is not there.
    """
    found: dict[str, list[Wire]] = {port.name: [] for port in ports}
    for wire in wires:
        if wire.target_port not in found:
            msg = f"{owner}: no input {wire.target_port}, which {wire.source}.{wire.source_port} is wired to"
            raise ScenarioError(msg)
        found[wire.target_port].append(wire)
    return {port.name: Inlet(owner, port, size, found[port.name]) for port in ports}
