"""Two-terminal direct-current lines of a RAW file, as two injections with the angles at their minimum."""

import math

from cosim.core.errors import CaseError
from grids.formats.converters import tan_phi
from grids.formats.rawtext import RawText, Record
from grids.formats.source import Injection, Link, SourceGrid


def dc_lines(text: RawText, grid: SourceGrid) -> None:
    """Take the direct-current lines in operation.

    Raises
    ------
    CaseError
        When lines of a record are missing or its schedule has no solution.
    """
    records = text["two-terminal dc"]
    if len(records) % 3:
        r = records[-1]
        msg = f"{r.file}, line {r.line}, section two-terminal dc: a link has three lines (allowed: 3 each)"
        raise CaseError(msg)
    for place in range(0, len(records), 3):
        link, *ends = records[place : place + 3]
        if link.whole(1, "MDC", 0) != 0:
            _link(link, ends[0], ends[1], grid)


def _link(link: Record, rectifier: Record, inverter: Record, grid: SourceGrid) -> None:
    r_ohm = link.number(2, "RDC", 0.0)
    i_ka = _current(link, r_ohm)
    inverter_kv = link.number(4, "VSCHD") - i_ka * link.number(6, "RCOMP", 0.0)
    rectifier_kv = inverter_kv + i_ka * r_ohm
    name = link.text(0, f"dc{link.line}")
    for r, volts_kv, sign in ((rectifier, rectifier_kv, -1.0), (inverter, inverter_kv, 1.0)):
        p_mw = sign * volts_kv * i_ka
        q_mvar = -abs(p_mw) * _tan_phi(r, volts_kv, i_ka)
        side = "rectifier" if sign < 0 else "inverter"
        note = f"{side} of {name}: {volts_kv:.6g} kV, {i_ka * 1e3:.6g} A, angle at its minimum"
        grid.injections.append(Injection(r.whole(0, "IP"), name, p_mw, q_mvar, "dc", note=note))
    sending, receiving = (r.whole(0, "IP") for r in (rectifier, inverter))
    grid.links.append(Link(name, (sending, name), (receiving, name), rectifier_kv * i_ka, rectifier_kv))
    grid.remarks.append(f"dc line {name}: two injections and a row of links, rated at its schedule")


def _current(link: Record, r_ohm: float) -> float:
    """Return the current [kA]; a power is meant at the rectifier when positive, at the inverter when not."""
    wanted, v_kv, rcomp = link.number(3, "SETVL"), link.number(4, "VSCHD"), link.number(6, "RCOMP", 0.0)
    if v_kv <= 0.0:
        msg = f"{link.where('VSCHD', 4)}: {v_kv:g} is not above 0"
        raise CaseError(msg)
    if link.whole(1, "MDC") == 2:
        return abs(wanted) / 1e3
    r = r_ohm - rcomp if wanted > 0 else -rcomp
    if r == 0.0:
        return abs(wanted) / v_kv
    square = v_kv * v_kv + 4.0 * r * abs(wanted)
    if square < 0.0:
        msg = f"{link.where('SETVL', 3)}: {wanted:g} MW cannot pass at {v_kv:g} kV and {r_ohm:g} ohm"
        raise CaseError(msg)
    return (math.sqrt(square) - v_kv) / (2.0 * r)


def _tan_phi(r: Record, v_kv: float, i_ka: float) -> float:
    bridges, least_degree = r.whole(1, "NB"), r.number(3, "ANMN", 0.0)
    x_ohm = r.number(5, "XC", 0.0)
    angle = {"angle_degree": least_degree, "v_kv": v_kv, "i_ka": i_ka}
    return tan_phi(r.where("NB", 1), bridges=bridges, x_ohm=x_ohm, **angle)
