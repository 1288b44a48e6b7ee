"""What every element draws at the end of an exchange: plan, units, links and answer put together."""

import numpy as np

from cosim.core.types import Floats
from grids.inside import Inside
from grids.kernels.answer import compose
from grids.links.support import Support
from grids.response import Answer


class Drawn:
    """Writes what the elements of a grid draw.

    Parameters
    ----------
    inside
        The network, its plan and its links.
    """

    def __init__(self, inside: Inside) -> None:
        e = inside.elements
        self._elements, self._schedule, self._links = e, inside.schedule, inside.links
        self._area = inside.row_area[e.row]
        self._follows = ~e.reference[e.section["gen"]]
        self._injects = np.array([tie.table != "ext_grid" for tie in inside.ties], dtype=np.bool_)

    def write(self, answer: Answer, units: Floats) -> float:
        """Write it for `p_mw` and `q_mvar` of the connected units, shape (2, units).

        Returns what the slack brings beyond losses [MW]: answers and imports that enter there.
        """
        return self._write(answer, units, (self._elements.p_mw, self._elements.q_mvar))

    def as_if(self, answer: Answer, units: Floats, support: Support | None) -> tuple[Floats, Floats]:
        """Return what every element (elements,) would draw [MW, Mvar]; nothing of the run changes."""
        drawn = (self._elements.p_mw.copy(), self._elements.q_mvar.copy())
        self._write(answer, units, drawn, support)
        return drawn

    def _write(
        self, answer: Answer, units: Floats, drawn: tuple[Floats, Floats], support: Support | None = None
    ) -> float:
        plan = self._schedule
        given = compose(
            plan.p_mw, plan.q_mvar, plan.gens_mw(), answer.gen_mw, self._follows, answer.load_factor_pu,
            self._area, units[0], units[1], answer.droop_mw, answer.tie_mw, self._injects,
            self._elements.section["load"].stop, *drawn,
        )  # fmt: skip
        if self._links is not None:
            self._links.apply(*drawn, support)
        return answer.slack_mw + given
