"""What our mosaik simulators have in common: time-based, one entity, one board in and one out."""

from typing import Any

import mosaik_api_v3

from cosim.simulators.board import Board
from cosim.simulators.shared import Instant, Shared

MODEL, ENTITY = "Exchange", "all"

NOW, LATE, ROWS = "now", "late", "rows"
"""Attributes: the board of this exchange, that of the one before, and the recorder's row count."""

META = {
    "api_version": "3.0",
    "type": "time-based",
    "models": {MODEL: {"public": True, "params": [], "attrs": [NOW, LATE, ROWS]}},
}

Inputs = dict[str, dict[str, dict[str, Any]]]
"""mosaik's inputs: entity -> attribute -> source -> value."""


def board_in(inputs: Inputs, attribute: str) -> Board:
    """Return the board that arrived on an attribute, an empty one for the first of the ring."""
    for board in inputs.get(ENTITY, {}).get(attribute, {}).values():
        if isinstance(board, Board):
            return board
    return Board()


class RingSimulator(mosaik_api_v3.Simulator):  # type: ignore[misc]  # mosaik_api_v3 has no usable types
    """A simulator that steps at every instant of the clock and passes a board on.

    Attributes
    ----------
    exchanges_count
        How many exchanges it has done: the runner compares it with the clock.
    """

    def __init__(self, shared: Shared) -> None:
        super().__init__(META)
        self.shared = shared
        self.exchanges_count = 0
        self.board = Board()

    def init(self, sid: str, time_resolution: float = 1.0, **params: Any) -> Any:
        """Return the description mosaik asks for; everything else came by the constructor."""
        del sid, time_resolution, params
        return self.meta

    def create(self, num: int, model: str, **params: Any) -> list[dict[str, Any]]:
        """Create the one entity."""
        del num, params
        return [{"eid": ENTITY, "type": model}]

    def step(self, time: int, inputs: Inputs, max_advance: int) -> int:
        """Do one exchange and return the tick of the next."""
        del max_advance
        at = self.shared.at(time)
        self.board = self.exchange(at, board_in(inputs, NOW), board_in(inputs, LATE))
        self.exchanges_count += 1
        return at.following

    def exchange(self, at: Instant, now: Board, late: Board) -> Board:
        """Return the board with this simulator's part added."""
        raise NotImplementedError

    def get_data(self, outputs: Any) -> dict[str, dict[str, Any]]:
        """Return the board."""
        del outputs
        return {ENTITY: {NOW: self.board, ROWS: self.exchanges_count}}
