"""The contract check finds components whose ranges are not true."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import pytest

from cosim.core.activations import Activations
from cosim.core.component import Context, Port
from cosim.core.flexibility import Activate, Flexibility, Side
from cosim.core.params import Params
from cosim.core.types import Floats
from cosim.testing import check_component


class BoilerParams(Params):
    """A steady load that can be shed, for the tests."""

    p_rated_mw: float = 10.0
    told_mw: float = 4.0
    given_mw: float = 4.0
    more_for_longer: bool = False
    remembers: bool = False


class Boiler:
    """Draws its rated power, less what it promised and can give."""

    params_type: ClassVar[type[Params]] = BoilerParams
    inputs: ClassVar[tuple[Port, ...]] = (Port("vm_pu", "voltage", 1.0),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("p_mw", "drawn"), Port("q_mvar", "none"))
    commands: ClassVar[Mapping[str, type[Params]]] = {"activate": Activate}

    def __init__(self, params: Sequence[BoilerParams]) -> None:
        self._of = params

    def reset(self, context: Context) -> None:
        """Draw rated power."""
        self._context, self._promises, self._asked = context, Activations(len(self._of)), 0

    def flexibility(self, t_s: float, horizon_s: float, inputs: Mapping[str, Floats]) -> Flexibility:
        """Say what `told_mw` says."""
        del t_s, inputs
        self._asked += 1
        told_mw = np.array([p.told_mw * (1.0 + horizon_s * p.more_for_longer) for p in self._of])
        down = Side.of(np.where(self._promises.busy, 0.0, told_mw), np.ones_like(told_mw))
        return Flexibility(np.array([p.p_rated_mw for p in self._of]), down, Side.none(told_mw.size))

    def command(self, t_s: float, unit: int, name: str, command: Activate) -> None:
        """Take an order in."""
        del t_s, name
        self._promises.give(unit, command)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Give as much as `given_mw` of what is promised."""
        change_mw = np.zeros(len(self._of))
        if self._promises.open:
            self._promises.accept(self, self._context, t_s, inputs)
            change_mw = self._promises.change_mw(t_s, dt_s)
        given_mw = np.minimum(-change_mw, [p.given_mw for p in self._of])
        asked = np.array([self._asked * p.remembers for p in self._of])
        p_mw = np.array([p.p_rated_mw for p in self._of]) - given_mw + asked
        return {"p_mw": p_mw, "q_mvar": np.zeros_like(p_mw)}


def test_what_is_true_passes():
    assert list(check_component(Boiler, [BoilerParams(), BoilerParams(told_mw=0.0)])) == []


@pytest.mark.parametrize(
    ("lie", "text"),
    [
        ({"given_mw": 3.9}, "ordered of all it publishes, unit 0 promises -4 MW down and delivers -3.9"),
        ({"told_mw": -1.0, "given_mw": 0.0}, None),
        ({"told_mw": float("1e308"), "more_for_longer": True}, "wanted (1,) finite numbers"),
        ({"more_for_longer": True}, "is more than over a shorter time"),
        ({"remembers": True}, "being asked for its range changes the component in p_mw"),
    ],
)
def test_what_is_not_is_told(lie, text):
    with np.errstate(over="ignore"):
        found = list(check_component(Boiler, [BoilerParams(**lie)]))
    assert found == [] if text is None else any(text in line for line in found), found
