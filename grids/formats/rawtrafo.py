r"""Transformers of a RAW file: what the codes CW, CZ and CM mean.

CW: 1 ratios in per unit of the bus voltage, 2 in kV, 3 in per unit of the winding's nominal voltage.
CZ: 1 impedance on the system's base, 2 on the winding's, 3 load loss [W] and \|Z\| on the winding's.
CM: 1 magnetising admittance on the system's base, 2 no-load loss [W] and exciting current on the winding's.

A transformer with three windings is a star: a bus of its own (named after it) and one leg to each winding,
:math:`Z_1 = (Z_{12}+Z_{31}-Z_{23})/2` and so on; a leg may be negative. The magnetising admittance is a
shunt at the bus of winding 1, outside of its ratio.
"""

import math
from dataclasses import dataclass

from cosim.core.errors import CaseError
from grids.formats.rawtext import RawText, Record
from grids.formats.source import Branch, Bus, Shunt, SourceGrid, without_jumper

SMALLEST_LEG_PU = 1e-5
"""Legs of a star without impedance get this reactance."""


@dataclass(frozen=True)
class _Head:
    """First line of a transformer: its buses and codes."""

    record: Record
    buses: tuple[int, ...]
    key: str
    cw: int
    cz: int
    cm: int
    status: int

    @property
    def name(self) -> str:
        return "_".join([*map(str, self.buses), self.key])


def transformers(text: RawText, grid: SourceGrid) -> None:
    """Take the transformers of a file.

    Raises
    ------
    CaseError
        When a code is unknown, a bus is missing, or lines of the last one are missing.
    """
    records = text["transformer"]
    place = 0
    while place < len(records):
        r = records[place]
        three = r.whole(2, "K", 0) != 0
        wanted = 5 if three else 4
        lines = records[place : place + wanted]
        if len(lines) < wanted:
            msg = f"{r.file}, line {r.line}, section transformer: has {len(lines)} lines, not {wanted}"
            raise CaseError(msg)
        place += len(lines)
        head = _head(r, three=three)
        if any(bus not in grid.buses for bus in head.buses):
            missing = next(bus for bus in head.buses if bus not in grid.buses)
            grid.remarks.append(f"transformer {head.name} is left out: bus {missing} is isolated or missing")
            continue
        _magnetising(head, lines, grid)
        if three:
            _star(head, lines, grid)
        else:
            _pair(head, lines, grid)


def _head(r: Record, *, three: bool) -> _Head:
    buses = [abs(r.whole(place, name)) for place, name in enumerate("IJK"[: 3 if three else 2])]
    cw, cz, cm = _code(r, 4, "CW", 3), _code(r, 5, "CZ", 3), _code(r, 6, "CM", 2)
    return _Head(r, tuple(buses), r.text(3, "1"), cw, cz, cm, r.whole(11, "STAT", 1))


def _code(r: Record, place: int, name: str, most: int) -> int:
    code = r.whole(place, name, 1)
    if not 1 <= code <= most:
        msg = f"{r.where(name, place)}: {code} is unknown (allowed: 1 to {most})"
        raise CaseError(msg)
    return code


def _ratio(head: _Head, line: Record, vn_kv: float) -> float:
    """Return a winding's ratio in per unit of its bus voltage."""
    nominal_kv = line.number(1, "NOMV", 0.0) or vn_kv
    given = line.number(0, "WINDV", vn_kv if head.cw == 2 else 1.0)
    ratio = {1: given, 2: given / vn_kv, 3: given * nominal_kv / vn_kv}[head.cw]
    if ratio <= 0.0:
        msg = f"{line.where('WINDV', 0)}: {given:g} is not above 0"
        raise CaseError(msg)
    return ratio


def _impedance(head: _Head, line: Record, first: int, base_mva: float) -> complex:
    """Return the impedance of a pair of windings on the system's base."""
    r, x = line.number(first, "R", 0.0), line.number(first + 1, "X")
    own_mva = line.number(first + 2, "SBASE", base_mva) or base_mva
    if head.cz == 3:
        resistance = r / 1e6 / own_mva
        if abs(x) < resistance:
            why = f"|Z| {x:g} is below the resistance {resistance:g} of the loss"
            msg = f"{line.where('X', first + 1)}: {why}"
            raise CaseError(msg)
        r, x = resistance, math.copysign(math.sqrt(x * x - resistance * resistance), x)
    return complex(r, x) * (1.0 if head.cz == 1 else base_mva / own_mva)


def _magnetising(head: _Head, lines: tuple[Record, ...], grid: SourceGrid) -> None:
    g, b = head.record.number(7, "MAG1", 0.0), head.record.number(8, "MAG2", 0.0)
    if not (g or b):
        return
    if head.cm == 1:
        p_mw, q_mvar = g * grid.base_mva, -b * grid.base_mva
    else:
        vn_kv = grid.buses[head.buses[0]].vn_kv
        square = (vn_kv / (lines[2].number(1, "NOMV1", 0.0) or vn_kv)) ** 2
        own_mva = lines[1].number(2, "SBASE1-2", grid.base_mva) or grid.base_mva
        p_mw = g / 1e6 * square
        q_mvar = math.sqrt(max((abs(b) * own_mva * square) ** 2 - p_mw**2, 0.0))
    note = f"magnetising admittance of transformer {head.name}"
    grid.shunts.append(Shunt(head.buses[0], f"m{head.name}", p_mw, q_mvar, head.status != 0, note))


def _pair(head: _Head, lines: tuple[Record, ...], grid: SourceGrid) -> None:
    one, other = head.buses
    z = _impedance(head, lines[1], 0, grid.base_mva)
    x_pu, note = without_jumper(z.real, z.imag)
    grid.branches.append(
        Branch(
            one=one,
            other=other,
            key=head.key,
            r_pu=z.real,
            x_pu=x_pu,
            tap_one=_ratio(head, lines[2], grid.buses[one].vn_kv),
            tap_other=_ratio(head, lines[3], grid.buses[other].vn_kv),
            shift_degree=lines[2].number(2, "ANG1", 0.0),
            transformer=True,
            rating_mva=lines[2].number(3, "RATA1", 0.0),
            in_service=head.status == 1,
            note=note,
        )
    )


_OFF = {2: 1, 3: 2, 4: 0}
"""Status of a transformer -> its winding that is off."""


def _star(head: _Head, lines: tuple[Record, ...], grid: SourceGrid) -> None:
    if head.status == 0:
        grid.remarks.append(f"three-winding transformer {head.name} is out of service and left out")
        return
    z12, z23, z31 = (_impedance(head, lines[1], first, grid.base_mva) for first in (0, 3, 6))
    legs = (z12 + z31 - z23) / 2, (z12 + z23 - z31) / 2, (z23 + z31 - z12) / 2
    first = grid.buses[head.buses[0]]
    star = -1 - sum(number < 0 for number in grid.buses)
    grid.buses[star] = Bus(
        number=star,
        label=f"star_{head.name}",
        vn_kv=first.vn_kv,
        area=first.area,
        note="star point of a three-winding transformer",
        vm_pu=lines[1].number(9, "VMSTAR", 1.0),
        va_degree=lines[1].number(10, "ANSTAR", 0.0),
    )
    for winding, (bus, leg) in enumerate(zip(head.buses, legs, strict=True)):
        line = lines[2 + winding]
        z = leg if abs(leg) >= SMALLEST_LEG_PU else complex(0.0, SMALLEST_LEG_PU)
        grid.branches.append(
            Branch(
                one=bus,
                other=star,
                key=f"{head.name}_w{winding + 1}",
                r_pu=z.real,
                x_pu=z.imag,
                tap_one=_ratio(head, line, grid.buses[bus].vn_kv),
                shift_degree=line.number(2, f"ANG{winding + 1}", 0.0),
                transformer=True,
                rating_mva=line.number(3, f"RATA{winding + 1}", 0.0),
                in_service=_OFF.get(head.status) != winding,
                note=f"winding {winding + 1} of a three-winding transformer",
            )
        )
