"""What every component must do, checked from outside: units, shapes, memory, laws, convergence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.core.component import Balance, Component, Context, balances_of, commands_of, ledgers_of
from cosim.core.errors import SuandianError
from cosim.core.flexibility import flexible
from cosim.core.params import Params
from cosim.core.types import Floats
from cosim.core.units import unit_of
from cosim.testing.flexibility import Moment, check_promises, check_range

Trace = dict[str, Floats]
"""output port -> values of shape (steps, units)"""

STEPS = 24
BALANCE_RTOL = 1e-9
HALVING_RTOL = 1e-6
FLAT_RTOL = 1e-6
HOURS_PER_S = 1.0 / 3600.0


@dataclass(frozen=True)
class Probe:
    """How a component is excited: constant or gently varying inputs over a few steps."""

    kind: type[Component]
    params: Sequence[Params]
    dt_s: float
    levels: Mapping[str, float]
    varied: bool = True

    def inputs(self, step: int) -> dict[str, Floats]:
        """Return read-only inputs of coarse step `step`, the same for every run."""
        rng = np.random.default_rng(step)
        arrays = {}
        for port in self.kind.inputs:
            level = self.levels.get(port.name, port.default if port.default is not None else 0.0)
            factor = rng.uniform(0.95, 1.05, len(self.params)) if self.varied else 1.0
            array = np.broadcast_to(level * factor, (len(self.params),)).astype(np.float64)
            array.flags.writeable = False
            arrays[port.name] = array
        return arrays

    def start(self) -> Component:
        """Return a new component, reset."""
        component = self.kind(list(self.params))
        component.reset(self.context())
        return component

    def context(self) -> Context:
        """Return the context of all checks."""
        return Context(names=tuple(f"unit_{i}" for i in range(len(self.params))))

    def run(self, component: Component, split: int = 1) -> Trace:
        """Step through all coarse steps, each in `split` parts, and return every output."""
        rows: dict[str, list[Floats]] = {port.name: [] for port in self.kind.outputs}
        part_s = self.dt_s / split
        for step in range(STEPS):
            inputs = self.inputs(step)
            for part in range(split):
                outputs = component.step(step * self.dt_s + part * part_s, part_s, inputs)
                for name, row in rows.items():
                    row.append(np.array(outputs[name], dtype=np.float64))
        return {name: np.array(row) for name, row in rows.items()}


def check_component(
    kind: type[Any],
    params: Sequence[Params],
    dt_s: float = 1.0,
    levels: Mapping[str, float] | None = None,
) -> Iterator[str]:
    """Yield every way in which `kind` breaks the component contract; nothing when it keeps it.

    Checked: units in names, outputs complete, of shape (units,), finite and fresh, inputs left
    alone, determinism, `reset` forgets, declared balances close, columns of a ledger are of
    one length, halving the step converges, and
    the terminal power starts flat under constant inputs. Where it has `flexibility`: that being asked leaves
    no trace, that ranges are sound and never larger for longer, and that what is published is delivered.

    Parameters
    ----------
    kind
        The component class.
    params
        One parameter model per unit; use at least two different ones where possible.
    dt_s
        Exchange step of the check [s].
    levels
        Input port -> level it is excited around (its default otherwise, 0 where it has none).
    """
    ports = list(_check_ports(kind))
    yield from ports
    if ports:
        return
    probe = Probe(kind, params, dt_s, levels or {})
    broken = list(_check_one_step(probe))
    yield from broken
    if broken:
        return
    component = probe.start()
    first = probe.run(component)
    component.reset(probe.context())
    yield from _different(first, probe.run(component), "reset does not forget: a second run differs")
    yield from _different(first, probe.run(probe.start()), "not deterministic: a second object differs")
    yield from _check_ledgers(component)
    for balance in balances_of(kind):
        yield from _check_balance(balance, probe, first)
    yield from _check_halving(probe, first)
    yield from _check_flat_start(probe)
    if flexible(component) is not None:
        yield from _check_flexibility(probe, first)


def _check_ledgers(component: Component) -> Iterator[str]:
    for name, ledger in ledgers_of(component).items():
        sizes = {column: len(values) for column, values in ledger.items()}
        if len(set(sizes.values())) != 1:
            yield f"ledger {name} has no columns of one length: {sizes}"


def _check_ports(kind: type[Any]) -> Iterator[str]:
    for attribute in ("params_type", "inputs", "outputs"):
        if not hasattr(kind, attribute):
            yield f"{kind.__name__} has no class attribute {attribute}"
            return
    if not issubclass(kind.params_type, Params):
        yield f"params_type {kind.params_type.__name__} is not derived from cosim.core.params.Params"
    for ports in (kind.inputs, kind.outputs):
        names = [port.name for port in ports]
        yield from (
            f"port {name!r} is declared twice" for name in sorted({n for n in names if names.count(n) > 1})
        )
        yield from (f"port {name!r} ends in no known unit" for name in names if unit_of(name) is None)
    known = {port.name for port in kind.outputs}
    for balance in balances_of(kind):
        terms = {*balance.inflow, *balance.outflow, *([balance.stored] if balance.stored else [])}
        yield from (
            f"balance {balance.name!r} names {t!r}, which is no output" for t in sorted(terms - known)
        )


def _check_one_step(probe: Probe) -> Iterator[str]:
    component, units = probe.start(), len(probe.params)
    inputs = probe.inputs(0)
    try:
        outputs = component.step(0.0, probe.dt_s, inputs)
        again = component.step(probe.dt_s, probe.dt_s, inputs)
    except ValueError as error:
        yield f"step raised {error!r}" + (": inputs must not be changed" if "read-only" in str(error) else "")
        return
    except SuandianError as error:
        yield f"step raised {error!r}"
        return
    expected = {port.name for port in probe.kind.outputs}
    yield from (f"output {name!r} is missing" for name in sorted(expected - set(outputs)))
    yield from (f"output {name!r} is not declared" for name in sorted(set(outputs) - expected))
    for name in sorted(expected & set(outputs)):
        value = np.asarray(outputs[name])
        if value.shape != (units,) or value.dtype != np.float64:
            yield f"output {name!r} is {value.dtype}{value.shape}, wanted float64({units},)"
        elif not np.isfinite(value).all():
            yield f"output {name!r} is not finite: {value}"
        elif np.shares_memory(value, np.asarray(again[name])):
            yield f"output {name!r} is the same memory at every step: return fresh arrays"


def _different(a: Trace, b: Trace, text: str) -> Iterator[str]:
    names = [name for name in a if not np.array_equal(a[name], b[name])]
    if names:
        yield f"{text} in {', '.join(names)}"


def _check_balance(balance: Balance, probe: Probe, trace: Trace) -> Iterator[str]:
    flow = sum((trace[name] for name in balance.inflow), np.zeros(()))
    flow = flow - sum((trace[name] for name in balance.outflow), np.zeros(()))
    gross = sum((np.abs(trace[name]) for name in (*balance.inflow, *balance.outflow)), np.zeros(()))
    hours = probe.dt_s * HOURS_PER_S
    if balance.stored is None:
        gap, scale = np.abs(flow) * hours, gross * hours
    else:
        stored = trace[balance.stored]
        gap = np.abs(flow[1:] * hours - np.diff(stored, axis=0))
        # a difference of large numbers cannot be closer than their own rounding
        scale = gross[1:] * hours + np.abs(stored[1:]) * 1e-5
    worst = np.max(gap - BALANCE_RTOL * scale, initial=0.0)
    if worst > 0.0:
        text = f"{np.max(gap):.3g} of {np.max(scale):.3g} (MWh or GPU·h)"
        yield f"balance {balance.name!r} does not close: {text}"


def _gap(coarse: Floats, fine: Floats) -> float:
    """Return how far `fine`, taken as means or as end values, is from `coarse`."""
    parts = fine.reshape(len(coarse), -1, *fine.shape[1:])
    by_mean = np.max(np.abs(parts.mean(axis=1) - coarse), initial=0.0)
    by_end = np.max(np.abs(parts[:, -1] - coarse), initial=0.0)
    return float(min(by_mean, by_end))


def _check_halving(probe: Probe, whole: Trace) -> Iterator[str]:
    halves, quarters = probe.run(probe.start(), 2), probe.run(probe.start(), 4)
    for name, value in whole.items():
        if name.endswith("_code"):
            continue
        noise = HALVING_RTOL * max(1.0, float(np.max(np.abs(value), initial=0.0)))
        first, second = _gap(value, halves[name]), _gap(halves[name], quarters[name])
        if second > max(first, noise):
            yield f"halving the step does not converge in {name!r}: {first:.3g}, then {second:.3g}"


def _check_flat_start(probe: Probe) -> Iterator[str]:
    if "p_mw" not in {port.name for port in probe.kind.outputs}:
        return
    calm = Probe(probe.kind, probe.params, probe.dt_s, probe.levels, varied=False)
    power = calm.run(calm.start())["p_mw"]
    jump = np.max(np.abs(power[1] - power[0]))
    if jump > FLAT_RTOL * max(1.0, float(np.max(np.abs(power)))):
        yield f"p_mw does not start flat under constant inputs: it moves by {jump:.3g} MW in the first step"


def _check_flexibility(probe: Probe, whole: Trace) -> Iterator[str]:
    asked = probe.start()
    Moment(asked, 0.0, probe.dt_s, probe.inputs(0)).range(probe.dt_s)
    yield from _different(whole, probe.run(asked), "being asked for its range changes the component")
    calm = Probe(probe.kind, probe.params, probe.dt_s, probe.levels, varied=False)
    component = calm.start()
    calm.run(component)
    moment = Moment(component, STEPS * probe.dt_s, probe.dt_s, calm.inputs(0))
    broken = list(check_range(moment, tuple(share * STEPS * probe.dt_s for share in (0.5, 1.0, 4.0))))
    yield from broken
    if not broken and "activate" in commands_of(probe.kind):
        yield from check_promises(moment, STEPS * probe.dt_s)
