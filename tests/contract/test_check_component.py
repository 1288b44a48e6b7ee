"""The contract check accepts a sound component and names each way in which one can be broken."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest

from cosim.core.component import Balance, Context, Port
from cosim.core.params import Params, column
from cosim.core.types import Floats
from cosim.testing import check_component


class LagParams(Params):
    """A first-order lag."""

    tau_s: float = 5.0


class Sound:
    """Follows its input with a lag, exactly at any step."""

    params_type: ClassVar[type[Params]] = LagParams
    inputs: ClassVar[tuple[Port, ...]] = (Port("p_order_mw", "wanted", default=10.0),)
    outputs: ClassVar[tuple[Port, ...]] = (Port("p_mw", "drawn"), Port("heat_mw", "given off"))
    balances: ClassVar[tuple[Balance, ...]] = (Balance("energy", ("p_mw",), ("heat_mw",)),)

    def __init__(self, params):
        self.tau_s = column(params, "tau_s")

    def reset(self, context: Context) -> None:
        self.now = None

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        wanted = inputs["p_order_mw"]
        before = wanted if self.now is None else self.now
        decay = np.exp(-dt_s / self.tau_s)
        self.now = wanted + (before - wanted) * decay
        mean = wanted + (before - wanted) * (1 - decay) * self.tau_s / dt_s
        return {"p_mw": mean, "heat_mw": mean.copy()}


class Forgetless(Sound):
    """Keeps its state through reset."""

    def __init__(self, params):
        super().__init__(params)
        self.now = np.full(len(params), 3.0)

    def reset(self, context: Context) -> None:
        pass


class Random(Sound):
    """Draws from a generator nobody seeded."""

    def step(self, t_s, dt_s, inputs):
        noise = np.random.default_rng().random(self.tau_s.size)
        return {"p_mw": noise, "heat_mw": noise.copy()}


class Meddler(Sound):
    """Writes into its inputs."""

    def step(self, t_s, dt_s, inputs):
        inputs["p_order_mw"][:] = 0.0
        return super().step(t_s, dt_s, inputs)


class Leaky(Sound):
    """Loses a thousandth of its energy."""

    def step(self, t_s, dt_s, inputs):
        out = super().step(t_s, dt_s, inputs)
        return {**out, "heat_mw": 0.999 * out["heat_mw"]}


class Nan(Sound):
    """Divides by zero."""

    def step(self, t_s, dt_s, inputs):
        return {**super().step(t_s, dt_s, inputs), "heat_mw": np.full(self.tau_s.size, np.nan)}


class Scalar(Sound):
    """Returns one number for all units."""

    def step(self, t_s, dt_s, inputs):
        return {**super().step(t_s, dt_s, inputs), "heat_mw": np.array(1.0)}


class Incomplete(Sound):
    """Forgets an output and invents another."""

    def step(self, t_s, dt_s, inputs):
        return {"p_mw": super().step(t_s, dt_s, inputs)["p_mw"], "extra_mw": np.zeros(self.tau_s.size)}


class Reuser(Sound):
    """Hands out the same buffer at every step."""

    def reset(self, context):
        super().reset(context)
        self.buffer = np.zeros(self.tau_s.size)

    def step(self, t_s, dt_s, inputs):
        out = super().step(t_s, dt_s, inputs)
        self.buffer[:] = out["heat_mw"]
        return {**out, "heat_mw": self.buffer}


class Unstable(Sound):
    """Adds a fixed amount a step, so shorter steps give more."""

    balances: ClassVar[tuple[Balance, ...]] = ()

    def step(self, t_s, dt_s, inputs):
        self.now = (np.zeros(self.tau_s.size) if self.now is None else self.now) + 1.0
        return {"p_mw": np.full(self.tau_s.size, 5.0), "heat_mw": self.now**3}


class Jumper(Sound):
    """Starts at zero although its input is not."""

    def reset(self, context):
        self.now = np.zeros(self.tau_s.size)


def test_a_sound_component_has_no_findings():
    assert list(check_component(Sound, [LagParams(), LagParams(tau_s=60)], dt_s=2.0)) == []


@pytest.mark.parametrize(
    ("kind", "fragment"),
    [
        (Forgetless, "reset does not forget"),
        (Random, "not deterministic"),
        (Meddler, "inputs must not be changed"),
        (Leaky, "balance 'energy' does not close"),
        (Nan, "'heat_mw' is not finite"),
        (Scalar, "'heat_mw' is float64(), wanted float64(2,)"),
        (Incomplete, "'heat_mw' is missing"),
        (Incomplete, "'extra_mw' is not declared"),
        (Reuser, "return fresh arrays"),
        (Unstable, "does not converge in 'heat_mw'"),
        (Jumper, "does not start flat"),
    ],
)
def test_each_breach_is_named(kind, fragment):
    findings = list(check_component(kind, [LagParams(), LagParams(tau_s=60)], dt_s=2.0))
    assert any(fragment in finding for finding in findings), findings


def test_a_balance_over_unknown_ports_is_named():
    kind = type("Odd", (Sound,), {"balances": (Balance("odd", ("p_mw",), ("lost_mw",)),)})
    assert any("'lost_mw'" in finding for finding in check_component(kind, [LagParams()]))


def test_a_ledger_with_columns_of_different_length_is_named():
    kind = type("Uneven", (Sound,), {"ledgers": lambda _: {"job": {"job": ["a", "b"], "gpus": [1.0]}}})
    found = list(check_component(kind, [LagParams(), LagParams(tau_s=60)], dt_s=2.0))
    assert found == ["ledger job has no columns of one length: {'job': 2, 'gpus': 1}"]
