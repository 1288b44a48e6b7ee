"""What travels on mosaik's links: one exchange's outputs, by reference and read-only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
