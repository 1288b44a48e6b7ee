"""Orders a scenario gives by event, beside those that come over wires."""

import numpy as np
from pydantic import Field

from cosim.core.component import Emit
from cosim.core.params import Params


class Order(Params):
    """Event `order`: a power from now on, beside what is wired, with the sign of the unit's `p_order_mw`."""

    p_mw: float = Field(description="wanted power")
    q_mvar: float = Field(default=0.0, description="wanted reactive power, > 0 draws")


class Orders:
    """What each unit was last ordered by event; nothing at the start."""

    def __init__(self, units: int) -> None:
        self.p_mw, self.q_mvar = np.zeros(units), np.zeros(units)

    def give(self, t_s: float, unit: int, name: str, order: Order, emit: Emit) -> None:
        """Take an order over for a unit, and write it to the events."""
        self.p_mw[unit], self.q_mvar[unit] = order.p_mw, order.q_mvar
        emit(t_s, name, "order", f"{order.p_mw:g} MW and {order.q_mvar:g} Mvar are wanted from now on")
