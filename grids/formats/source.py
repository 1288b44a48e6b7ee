"""A network as other programs describe it: buses by number, impedances in per unit of one base.

Readers of a format fill a `SourceGrid`; `grids.formats.tables` makes the tables of a case of it.
"""

from dataclasses import dataclass, field

SMALLEST_X_PU = 1e-4
"""A branch without resistance and less reactance is a jumper (THRSHZ of PSS/E); it gets this reactance."""


def without_jumper(r_pu: float, x_pu: float) -> tuple[float, str]:
    """Return a reactance that can be divided by, and a note where it is not the one given."""
    if r_pu == 0.0 and abs(x_pu) < SMALLEST_X_PU:
        return SMALLEST_X_PU, f"jumper of x {x_pu:g} pu: takes {SMALLEST_X_PU:g}"
    return x_pu, ""


@dataclass(frozen=True)
class Bus:
    """One bus; `vm_pu, va_degree` as the file has them, solved or not."""

    number: int
    label: str
    vn_kv: float
    area: str = ""
    note: str = ""
    vm_pu: float = 1.0
    va_degree: float = 0.0
    min_vm_pu: float = 0.9
    max_vm_pu: float = 1.1
    name: str = ""
    """Stands for the number in names of elements, where buses of the format have names of their own."""


@dataclass(frozen=True)
class Load:
    """Power drawn at a bus."""

    bus: int
    key: str
    p_mw: float
    q_mvar: float
    in_service: bool = True
    note: str = ""


@dataclass(frozen=True)
class Shunt:
    """Admittance at a bus: power drawn at 1 pu (`q_mvar` > 0: a reactor), of each of its steps."""

    bus: int
    key: str
    p_mw: float
    q_mvar: float
    in_service: bool = True
    note: str = ""
    steps: int = 1
    on: int = 1
    """Steps that are on."""
    band_pu: tuple[float, float] | None = None
    """Voltages between which it is switched to hold the bus."""


@dataclass(frozen=True)
class Machine:
    """A generator. Where `slack`, it holds the angle of its network."""

    bus: int
    key: str
    p_mw: float
    vm_pu: float
    sn_mva: float
    min_p_mw: float
    max_p_mw: float
    min_q_mvar: float
    max_q_mvar: float
    slack: bool = False
    va_degree: float = 0.0
    r_pu: float = 0.0
    """Impedance of the machine on its own base, for models that take it from the power-flow data."""
    x_pu: float = 0.0
    in_service: bool = True
    note: str = ""


@dataclass(frozen=True)
class Injection:
    """Power delivered without voltage control."""

    bus: int
    key: str
    p_mw: float
    q_mvar: float
    type: str = ""
    in_service: bool = True
    note: str = ""
    sn_mva: float = 0.0
    """0: not known."""


@dataclass(frozen=True)
class Link:
    """A direct-current link between two injections, each by bus and key."""

    name: str
    sending: tuple[int, str]
    receiving: tuple[int, str]
    sn_mw: float
    vn_kv: float = 0.0
    """0: not known."""


@dataclass(frozen=True)
class Branch:
    """A line (both taps 1, one voltage) or a transformer.

    Transformers are two ideal ratios with `r_pu + jx_pu` between them; `shift_degree` is how far the
    first side leads. Half of `b_pu` stands at each end of a line.
    """

    one: int
    other: int
    key: str
    r_pu: float
    x_pu: float
    b_pu: float = 0.0
    tap_one: float = 1.0
    tap_other: float = 1.0
    shift_degree: float = 0.0
    transformer: bool = False
    rating_mva: float = 0.0
    """0: no rating."""
    in_service: bool = True
    note: str = ""


@dataclass
class SourceGrid:
    """Everything a reader found, and in `remarks` what it had to decide."""

    title: str
    file: str
    base_mva: float
    f_hz: float
    buses: dict[int, Bus] = field(default_factory=dict)
    loads: list[Load] = field(default_factory=list)
    shunts: list[Shunt] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)
    injections: list[Injection] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    solved: bool = False
    """The stored voltages solve the network."""
