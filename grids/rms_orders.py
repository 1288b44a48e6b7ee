"""Orders to governors: the plan and AGC change what machines deliver through their auxiliary inputs."""

from cosim.core.types import Floats
from grids.dynamics.session import Session

INPUT = "paux"
SECONDARY = "agc"
"""Role of a case's own secondary control, which then gives all orders."""


class Orders:
    """What each machine was ordered beyond the operating point, handed to its governor as it changes.

    Governors that take no orders keep their set-point. A case with an `agc` of its own has its orders from
    there: none are given here.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        base_mva = session.system.point.model.base_mva
        self._per_mw: dict[str, float] = {}
        if any(group.cls.role == SECONDARY for group in session.system.groups):
            return
        for group in session.system.groups:
            per_power = group.cls.aux_per_power(group.block)
            if per_power is not None:
                self._per_mw |= dict(zip(group.elements, (per_power / base_mva).tolist(), strict=True))
        self._given_mw = dict.fromkeys(self._per_mw, 0.0)

    def give(self, names: tuple[str, ...], order_mw: Floats) -> None:
        """Order machines to deliver so much more than at the operating point [MW], shape (machines,)."""
        system = self._session.system
        for name, wanted in zip(names, order_mw.tolist(), strict=True):
            if name in self._per_mw and wanted != self._given_mw[name]:
                more_mw = wanted - self._given_mw[name]
                system.s[system.slots[name, INPUT]] += more_mw * self._per_mw[name]
                self._given_mw[name] = wanted
