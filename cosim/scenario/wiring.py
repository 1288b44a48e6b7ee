"""Which output feeds which input, unit by unit: from `at`, `drives`, links and explicit wires."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cosim.core.component import DeviceOffer, DroopOffer, Link, devices_of, links_of, offer_of
from cosim.core.registry import nearest
from cosim.scenario.findings import Finding, KeyPath, one_of, unknown
from cosim.scenario.roster import Kind, Member, Roster

GRID = "grid"
TO_GRID = ("p_mw", "q_mvar")
OFFER = ("droop_mw_per_hz", "droop_up_mw", "droop_down_mw")
FROM_GRID = ("vm_pu", "f_hz", "p_droop_mw")
ASKING = ("ask_mw", "coming_mw")
"""Output ports of a unit that asks for leave before it draws more."""
ROOM = "room_mw"
"""What it may add in the next exchange."""
WITHOUT_SUM = ("_degc", "_hz", "_kv", "_degree", "_code", "cap_pu", "limit_gpu")
"""Ends of the names of ports that take one wire only; powers, work and shares add up, limits do not."""
DRIVEN = "scale_pu"
"""Output port of a unit whose parameter `drives` names what it scales in the grid."""


@dataclass(frozen=True)
class Asked:
    """How a unit is asked for its range."""

    over_s: float
    """What holds for so long."""
    every_s: float
    without: tuple[str, ...]
    """Its input ports that who asks feeds: it is asked as if they rested."""


@dataclass(frozen=True)
class Strand:
    """One output of one unit into one input of another; `path` is the key that asked for it."""

    source: str
    source_port: str
    target: str
    target_port: str
    late: bool
    path: KeyPath
    row: tuple[str, str] | None = None
    """Table and row of the grid it comes from, None: from a port."""
    asks: Asked | None = None
    """Of a range."""

    def __str__(self) -> str:
        return f"{self.source}.{self.source_port} -> {self.target}.{self.target_port}"


@dataclass
class Wiring:
    """All strands of a scenario and what is wrong with them."""

    strands: list[Strand] = field(default_factory=list)
    connected: list[Member] = field(default_factory=list)
    drivers: list[Member] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    wished: set[tuple[str, str]] = field(default_factory=set)
    """(unit, input port) the scenario wants fed, also where the wire itself is wrong."""


def connect(roster: Roster, *, hosts: bool = False, guards: bool = False) -> Wiring:
    """Return every wire the scenario asks for.

    `hosts` says whether the grid runs units' dynamic models, `guards` whether it answers those that ask for
    leave.
    """
    wiring = Wiring()
    for member in roster.members.values():
        if member.spec.at is not None:
            _connect_to_grid(member, roster.kinds[member.kind], wiring, hosts=hosts, guards=guards)
        if drives_of(member) is not None:
            wiring.drivers.append(member)
            path = (*member.path, "drives")
            wiring.strands.append(Strand(member.name, DRIVEN, GRID, DRIVEN, late=False, path=path))
        for link in links_of(member.model):
            _follow(link, member, roster, wiring)
        for key, wires in (("inputs", member.spec.inputs), ("late", member.spec.late)):
            _lay(key, wires, member, roster, wiring)
    wiring.findings += _doubled(wiring)
    for member in roster.members.values():
        if member.name not in roster.suspects:
            wiring.findings += _unfed(member, roster, wiring)
        wiring.findings += _adrift(member, wiring) + _unanswered(member, wiring)
    return wiring


def drives_of(member: Member) -> str | None:
    """Return what a unit scales in the grid, or None."""
    if member.params is None or not member.has_output(DRIVEN):
        return None
    drives: str | None = getattr(member.params, "drives", None)
    return drives


def can_ask(member: Member) -> bool:
    """Return whether a unit has the ports to ask the grid for leave."""
    return member.has_output(ASKING[0]) and member.has_input(ROOM)


def asks(member: Member) -> bool:
    """Return whether a unit asks the grid for leave before it draws more."""
    return can_ask(member) and bool(getattr(member.params, "guarded", True))


def _connect_to_grid(member: Member, kind: Kind, wiring: Wiring, *, hosts: bool, guards: bool) -> None:
    path = (*member.path, "at")
    sends = [port for port in TO_GRID if member.has_output(port)]
    gets = [port for port in FROM_GRID if member.has_input(port)]
    if asks(member) and guards:
        sends += [port for port in ASKING if member.has_output(port)]
        gets.append(ROOM)
    if not sends and not gets and not can_ask(member):
        text = f"a {member.kind} has no port that meets the grid"
        ports = f"leave `at` out, or a kind with one of {one_of((*TO_GRID, *FROM_GRID))}"
        wiring.findings.append(Finding(path, text, ports))
        return
    wiring.connected.append(member)
    devices = None if kind.component is None else devices_of(kind.component)
    offers = () if devices is None else devices[kind.index(member.name)]
    if offer_of(offers, DroopOffer) is not None:
        sends += [port for port in OFFER if member.has_output(port)]
    hosted = offer_of(offers, DeviceOffer) if hosts else None
    if hosted is not None:
        wiring.findings += _device_findings(hosted, member, path)
        sends += [port for port in hosted.inputs if port not in sends and member.has_output(port)]
        gets += [port for port in hosted.reports if port not in gets and member.has_input(port)]
    for port in sends:
        wiring.strands.append(Strand(member.name, port, GRID, port, late=False, path=path))
    for port in gets:
        wiring.strands.append(Strand(GRID, port, member.name, port, late=True, path=path))


def _device_findings(offer: DeviceOffer, member: Member, path: KeyPath) -> list[Finding]:
    """Return the ports a device is wired to that its component does not have."""
    outputs = [port.name for port in member.model.outputs]
    inputs = [port.name for port in member.model.inputs]
    lacking = [(port, "output", outputs) for port in offer.inputs if port not in outputs]
    lacking += [(port, "input", inputs) for port in offer.reports if port not in inputs]
    return [
        Finding(path, f"the device of a {member.kind} names {what} {port}, which it lacks", one_of(known))
        for port, what, known in lacking
    ]


def _follow(link: Link, member: Member, roster: Roster, wiring: Wiring) -> None:
    """Lay the wires that follow from a parameter which names other units."""
    source = member.spec.params if member.params is None else member.params.model_dump()
    value = source.get(link.param)
    if not isinstance(value, str | list | tuple):
        return
    wiring.wished |= {(member.name, port) for port in (*link.takes.values(), *link.late.values())}
    is_one = isinstance(value, str)
    for place, name in enumerate((value,) if is_one else value):
        path: KeyPath = (*member.path, link.param) if is_one else (*member.path, link.param, place)
        if not isinstance(name, str):
            continue  # the parameters are wrong, and told so
        if name not in roster.named:
            wiring.findings.append(unknown(path, "unit", name, roster.named))
            continue
        other = roster.members.get(name)
        if other is None:
            continue  # broken itself, and told so
        lacking = _lacking(link, other)
        if lacking:
            text = f"{name} is a {other.kind} and has no {one_of(lacking)}"
            fitting = [m.name for m in roster.members.values() if not _lacking(link, m) and m != member]
            wiring.findings.append(Finding(path, text, one_of(fitting)))
            continue
        wiring.strands += _strands(link, member.name, name, path)
        _ask(link, member, other, path, wiring)


def _lacking(link: Link, other: Member) -> list[str]:
    inputs = [f"input {port}" for port in link.gives.values() if not other.has_input(port)]
    sources = (*link.takes, *link.late)
    return inputs + [f"output {port}" for port in sources if not other.has_output(port)]


def _strands(link: Link, mine: str, other: str, path: KeyPath) -> Iterator[Strand]:
    for source, target in link.gives.items():
        yield Strand(mine, source, other, target, late=False, path=path)
    for source, target in link.takes.items():
        yield Strand(other, source, mine, target, late=False, path=path)
    for source, target in link.late.items():
        yield Strand(other, source, mine, target, late=True, path=path)


def _ask(link: Link, member: Member, other: Member, path: KeyPath, wiring: Wiring) -> None:
    """Lay the wires of a range that is asked for."""
    over_s = getattr(member.params, "asks_over_s", None)
    if not link.asks or over_s is None:
        return
    if not hasattr(other.model, "flexibility"):
        text = f"{other.name} is a {other.kind}, which does not say how far it can be moved"
        wiring.findings.append(Finding((*member.path, "asks_over_s"), text, "none: what is stated counts"))
        return
    every_s = float(getattr(member.params, "asks_every_s", over_s))
    asks = Asked(float(over_s), every_s, tuple(link.gives.values()))
    for source, target in link.asks.items():
        wiring.strands.append(Strand(other.name, source, member.name, target, True, path, asks=asks))


def _lay(
    key: str, wires: Mapping[str, str | tuple[str, ...]], member: Member, roster: Roster, wiring: Wiring
) -> None:
    """Lay the wires written out under `inputs` or `late`."""
    for port, sources in wires.items():
        path = (*member.path, key, port)
        if not member.has_input(port):
            wiring.findings.append(unknown(path, "input port", port, [p.name for p in member.model.inputs]))
            continue
        wiring.wished.add((member.name, port))
        is_one = isinstance(sources, str)
        for place, source in enumerate((sources,) if isinstance(sources, str) else sources):
            here: KeyPath = path if is_one else (*path, place)
            if source.startswith(f"{GRID}."):
                strand = _of_grid(source, port, member, here, is_late=key == "late")
            else:
                strand = _explicit(source, port, member, roster, here, is_late=key == "late")
            if isinstance(strand, Strand):
                wiring.strands.append(strand)
            elif strand is not None:
                wiring.findings.append(strand)


def _explicit(
    source: str, port: str, member: Member, roster: Roster, path: KeyPath, *, is_late: bool
) -> Strand | Finding | None:
    unit, dot, output = source.partition(".")
    if not dot:
        return Finding(path, "must name a unit and one of its outputs", "unit.port")
    if unit not in roster.named:
        return unknown(path, "unit", unit, roster.named)
    other = roster.members.get(unit)
    if other is None:
        return None  # broken itself, and told so
    outputs = [p.name for p in other.model.outputs]
    if output not in outputs:
        text = f"a {other.kind} has no output {output}"
        return Finding(path, text, one_of(outputs), nearest(output, outputs))
    default = next(p.default for p in member.model.inputs if p.name == port)
    if is_late and default is None:
        text = f"{port} has no default that a late wire could start from"
        return Finding(path, text, "a wire under `inputs`")
    return Strand(unit, output, member.name, port, is_late, path)


def _of_grid(
    source: str, port: str, member: Member, path: KeyPath, *, is_late: bool
) -> Strand | Finding | None:
    """Return the wire from a table of the grid; whether it has that row is known once it is built."""
    table, _, rest = source.removeprefix(f"{GRID}.").partition(".")
    row, _, column = rest.rpartition(".")
    if not is_late:
        return Finding(path, "the grid steps after its units and is heard one exchange late", "`late:`")
    if not (table and row and column):
        return Finding(path, "must name table, row and column of the grid", "grid.table.row.column")
    return Strand(GRID, column, member.name, port, True, path, row=(table, row))


def _doubled(wiring: Wiring) -> list[Finding]:
    """Return second wires into a port whose values have no sum: voltages, frequencies, temperatures."""
    first: dict[tuple[str, str], Strand] = {}
    found = []
    for strand in sorted(wiring.strands, key=lambda strand: strand.source != GRID):
        end = (strand.target, strand.target_port)
        if end not in first:
            first[end] = strand
        elif strand.target != GRID and (first[end].source == GRID or end[1].endswith(WITHOUT_SUM)):
            told = f"{end[0]}.{end[1]} already comes from {first[end].source}.{first[end].source_port}"
            found.append(Finding(strand.path, told, "one wire, as these values have no sum"))
    return found


def _unfed(member: Member, roster: Roster, wiring: Wiring) -> list[Finding]:
    """Return the inputs of a unit that need a wire and have none."""
    fed = {s.target_port for s in wiring.strands if s.target == member.name}
    fed |= {port for unit, port in wiring.wished if unit == member.name}
    lacking = [p for p in member.model.inputs if p.default is None and p.name not in fed]
    if member.params is None or not lacking:
        return []  # with broken parameters its links are unknown
    what = "; ".join(f"{port.name} ({port.description})" for port in lacking)
    return [Finding(member.path, f"nothing feeds {what}", _ways_to_feed(member, lacking[0].name, roster))]


def _ways_to_feed(member: Member, port: str, roster: Roster) -> str:
    ways = [f"`{link.param}:`" for link in links_of(member.model) if port in {*link.takes.values()}]
    ways += [
        f"`{link.param}: {member.name}` at {other.name}"
        for other in roster.members.values()
        for link in links_of(other.model)
        if port in link.gives.values()
    ]
    if port in FROM_GRID:
        ways.append("`at:`")
    return " or ".join([*ways, f"`inputs: {{{port}: unit.port}}`"])


def _unanswered(member: Member, wiring: Wiring) -> list[Finding]:
    """Return a unit that asks for leave which nobody gives."""
    fed = any(strand.target == member.name and strand.target_port == ROOM for strand in wiring.strands)
    if member.params is None or fed or not asks(member):
        return []
    text = "asks for leave, but nothing answers: the grid's engine has no guard, or it is connected nowhere"
    return [Finding(member.path, text, "`at:` a point of a grid with a guard, or `guarded: false`")]


def _adrift(member: Member, wiring: Wiring) -> list[Finding]:
    """Return a unit that draws power nobody delivers."""
    feeds = {s.source_port for s in wiring.strands if s.source == member.name}
    if not member.has_output("p_mw") or "p_mw" in feeds or drives_of(member) is not None:
        return []
    if member.params is None:
        return []
    return [Finding(member.path, "draws p_mw but is connected nowhere", "`at:` a point of the grid")]
