"""What a dynamic model is: parameters, states, signals, and up to four compiled kernels.

A model class holds no data. All its units share one `Block` of arrays, so a kernel is a loop over units.
The driver (`grids.dynamics.driver`) calls, at each stage of each step:

1. `inject` of every class: the current its units put into their buses,
2. the network solution, again with the non-linear injections until the voltages stand,
3. `measure` of every class: signals that follow from its own states and its terminal,
4. `rhs` of every class, writers of a signal before its readers: derivatives, and signals,

and after each accepted step `after`, where discrete logic lives (counters, relays, latches).
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from cosim.core.params import Params
from cosim.core.types import Bools, Floats, Ints
from grids.numbers import Complexes

Kernel = Callable[..., Any]


class Block(NamedTuple):
    """All units of one model as arrays; what every kernel gets first."""

    p: Floats
    """Parameters, shape (parameters, units): the fields of `params_type`, then `derived`."""
    port: Ints
    """Port of the network each unit stands at, shape (units,)."""
    wire: Ints
    """Place of each signal in the signal array, shape (signals, units): `reads`, then `writes`."""
    z: Floats
    """Memory of the discrete logic, and what one kernel leaves for the next; shape (memory, units)."""
    on: Bools
    """False once a unit is tripped, shape (units,)."""


class Site(NamedTuple):
    """Where the units stand and what they deliver before anything happens, each of shape (units,)."""

    v_pu: Complexes
    """Terminal voltage."""
    s_pu: Complexes
    """Power delivered into the bus, on the system's base."""
    element_mva: Floats
    """Rating of the machine or converter the unit belongs to, nan where there is none."""
    base_mva: float
    """Power base of the system."""
    omega_base: float
    """Nominal angular frequency [rad/s]."""
    elements: tuple[str, ...]
    """Their names, for messages."""
    params: tuple[Any, ...]
    """Their rows: what is not a number stands only here."""


def rows(*groups: Any) -> Any:
    """Return a named tuple that numbers names, so a kernel writes `u.p[P.xd_pu, k]`.

    A group is a parameter model (its numeric fields) or a sequence of names.
    """
    names: list[str] = []
    for group in groups:
        names += list(parameter_names(group)) if isinstance(group, type) else list(group)
    return namedtuple("Rows", names)(*range(len(names)))


def parameter_names(params_type: type[Params]) -> tuple[str, ...]:
    """Return the names of the numeric fields of a parameter model, in order."""
    return tuple(n for n, field in params_type.model_fields.items() if field.annotation in (float, int))


class Device:
    """Base of every dynamic model. Override what applies; everything is a class attribute or method."""

    params_type: ClassVar[type[Params]]
    """One row of the model's table."""
    role: ClassVar[str]
    """What the unit is to its element; an element has at most one unit of each role."""
    carries_power: ClassVar[bool] = False
    """The unit stands for its element's power of the operating point; controls and additions do not."""
    tables: ClassVar[tuple[str, ...]] = ("gen", "ext_grid")
    """Tables of the case whose elements can carry it."""
    derived: ClassVar[tuple[str, ...]] = ()
    """Further rows of `Block.p`, written by `start`."""
    states: ClassVar[tuple[str, ...]] = ()
    reads: ClassVar[tuple[str, ...]] = ()
    """Signals of the same element that `rhs` reads."""
    writes: ClassVar[tuple[str, ...]] = ()
    """Signals of the same element that `measure` or `rhs` write."""
    measured: ClassVar[tuple[str, ...]] = ()
    """Those of `writes` that `measure` writes: they are there before any `rhs`."""
    angles: ClassVar[tuple[str, ...]] = ()
    """States that are angles [rad] of the rotating frame."""
    rotor: ClassVar[tuple[str, str] | None] = None
    """Names of angle and speed state of a unit that has inertia."""
    memory: ClassVar[tuple[str, ...]] = ()
    """Rows of `Block.z`."""
    synchronises: ClassVar[bool] = False
    """A machine whose breaker can close in mid-run: it has `synchronise`."""

    inject: ClassVar[Kernel | None] = None
    """`inject(u, x, v, w, current)` adds each unit's current [pu] to `current`, shape (ports,)."""
    measure: ClassVar[Kernel | None] = None
    """`measure(u, x, v, w, s)` writes signals from states and terminal."""
    rhs: ClassVar[Kernel | None] = None
    """`rhs(u, x, v, w, s, dx)` writes signals and derivatives [1/s]."""
    after: ClassVar[Kernel | None] = None
    """`after(u, x, v, w, s, t_s, h_s) -> bool` may latch memory; True asks the session to `act`."""

    @classmethod
    def start(cls, u: Block, x: Floats, s: Floats, site: Site) -> None:
        """Write derived parameters, initial states `x` of shape (states, units) and signals.

        Readers of a signal start before its writers: what a machine needs from its exciter stands in
        `s[u.wire[...]]` when the exciter starts.
        """

    @classmethod
    def nonlinear(cls, u: Block) -> bool:
        """Say whether the injected current depends on the voltage."""
        return False

    @classmethod
    def injects(cls, u: Block) -> Bools:
        """Say which units put a current into their bus, shape (units,)."""
        return np.full(u.port.size, cls.inject is not None)

    @classmethod
    def admittance(cls, u: Block) -> Complexes:
        """Return the admittance of each unit that belongs to the network [pu], shape (units,)."""
        return np.zeros(u.port.size, dtype=np.complex128)

    @classmethod
    def is_source(cls) -> bool:
        """Say whether a unit keeps an island alive: it has a voltage of its own."""
        return cls.rotor is not None

    @classmethod
    def inertia(cls, u: Block) -> Floats:
        """Return twice the inertia constant of each unit [s] on the system's base, shape (units,)."""
        return np.zeros(u.port.size)

    @classmethod
    def lags(cls, u: Block) -> dict[str, Floats]:
        """Return the time constants [s] of states that are plain lags: they are integrated exactly."""
        return {}

    @classmethod
    def time_constants(cls, u: Block) -> dict[str, Floats]:
        """Return the other time constants [s] a step must resolve, by parameter name."""
        return {}

    @classmethod
    def bounds(cls, u: Block) -> dict[str, tuple[Floats, Floats]]:
        """Return the fixed bounds of states that do not wind up."""
        return {}

    @classmethod
    def demands(
        cls, u: Block, x: Floats, v: Complexes, s: Floats
    ) -> dict[str, tuple[Floats, Floats, Floats]]:
        """Return what the operating point asks of limits that move or stand before no state.

        By quantity (and the parameters that limit it): value, lower and upper limit, each of shape
        (units,). `x` has shape (states, units), `v` holds the voltages of the ports, `s` all signals.
        """
        return {}

    @classmethod
    def release(cls, u: Block) -> None:
        """Let go of what is held within a step; called before the network is solved anew."""

    @classmethod
    def findings(cls, params: Any) -> Sequence[str]:
        """Return what contradicts physics between the parameters of one row: 'name=value why'."""
        return ()

    @classmethod
    def act(cls, u: Block, session: Any) -> None:
        """Do what `after` asked for: trip, shed, say so."""

    @classmethod
    def ready(cls, u: Block, session: Any) -> None:
        """Check that what the units need of other elements is there, once all have started."""

    @classmethod
    def synchronise(cls, u: Block, x: Floats, k: int, v_pu: complex, speed_pu: float) -> None:
        """Bring unit `k` to no load at a voltage and speed, before its breaker closes; 0 pu: a dead bus."""

    @classmethod
    def aux_per_power(cls, u: Block) -> Floats | None:
        """Return the `paux` that orders one pu of the system's base; None where the model takes none."""
        return None

    @classmethod
    def take(cls, u: Block, s: Floats, k: int) -> None:
        """Copy to parameters or memory what `inject` needs of an input that was set from outside."""

    @classmethod
    def shed(cls, u: Block, k: int, share_pu: float) -> bool:
        """Disconnect a share of what is left of load `k` for good; False where the model cannot."""
        return False

    @classmethod
    def demand(cls, u: Block, s: Floats, k: int) -> complex | None:
        """Return what load `k` is ordered to draw [pu], None where the model takes no orders."""
        return None

    @classmethod
    def set_demand(cls, u: Block, s: Floats, k: int, s_pu: complex) -> None:
        """Order load `k` to draw a power [pu]; called only where `demand` is not None."""


def field_row(cls: type[Device], name: str) -> int:
    """Return the row of a parameter or derived value in `Block.p`."""
    return (*parameter_names(cls.params_type), *cls.derived).index(name)


def not_below(params: Any, pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return a finding for each pair of parameters of which the first is not below the second."""
    return [
        f"{low}={getattr(params, low):g} is not below {high}={getattr(params, high):g}"
        for low, high in pairs
        if getattr(params, low) >= getattr(params, high)
    ]


def own_ratio(sn_mva: Floats, site: Site) -> Floats:
    """Return the rating of each unit, that of its machine where it states none, over the system's base."""
    return np.asarray(np.where(sn_mva > 0.0, sn_mva, site.element_mva) / site.base_mva)


def quadratic_saturation(e1: Floats, se1: Floats, e2: Floats, se2: Floats) -> tuple[Floats, Floats]:
    r"""Return start `A` and gain `B` of :math:`S(E)E = B(E-A)^2` through two points, each (units,).

    No saturation (`B = 0`) where the first value is zero, the convention of the usual programs.
    """
    ratio = np.sqrt(np.where(se2 > 0.0, se1 * e1, 0.0) / np.where(se2 > 0.0, se2 * e2, 1.0))
    bends = (ratio > 0.0) & (e1 != e2)
    gap = np.where(bends, e1 - e2, 1.0)
    start = np.where(bends, e2 - (e1 - e2) / np.where(bends, ratio - 1.0, 1.0), e1)
    return start, np.where(bends, se2 * e2 * (ratio - 1.0) ** 2 / gap**2, 0.0)
