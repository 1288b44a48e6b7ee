"""What travels on mosaik's links: one exchange's outputs, by reference and read-only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cosim.core.grid import Tables
from cosim.core.types import Floats


@dataclass(frozen=True, slots=True)
class Board:
    """Everything published so far in one exchange.

    `outputs` maps a kind, or `grid`, to its output ports; the grid's are the columns of its table
    `point`. `tables` are the grid's tables, for the recorder.
    """

    outputs: Mapping[str, Mapping[str, Floats]] = field(default_factory=dict)
    tables: Tables = field(default_factory=dict)

    def with_outputs(self, outputs: Mapping[str, Mapping[str, Floats]]) -> "Board":
        """Return this board with further outputs."""
        return Board({**self.outputs, **outputs}, self.tables)


def frozen(values: Floats) -> Floats:
    """Return `values`, made read-only in place; views taken from now on are read-only too."""
    values.flags.writeable = False
    return values


def shelf(names: Sequence[str], values: Floats) -> dict[str, Floats]:
    """Return the rows of `values`, shape (names, elements), as read-only arrays by name."""
    return dict(zip(names, frozen(values), strict=True))


def constant(size: int, value: float) -> Floats:
    """Return a read-only array of one value, shape (size,)."""
    return frozen(np.full(size, value))
