"""Lines, equivalents and transformers of a PSD-BPA file."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cosim.core.errors import CaseError
from grids.formats.bpa.cards import Card
from grids.formats.source import Branch, Shunt, without_jumper

if TYPE_CHECKING:
    from grids.formats.bpa.network import BpaNetwork

LINES = ("L", "E")
TRAFOS = ("T", "TP")
Matrix = tuple[complex, complex, complex, complex]


def take_branches(cards: Sequence[Card], network: "BpaNetwork") -> list[str]:
    """Add the branches to the network; return what is wrong with cards."""
    wrong: list[str] = []
    sections: dict[tuple[int, int, str], list[Card]] = {}
    for card in cards:
        try:
            if card.kind in LINES and card.has("section"):
                one, other = _ends(card, network)
                key = (min(one, other), max(one, other), card.text("circuit"))
                sections.setdefault(key, []).append(card)
            elif card.kind in LINES:
                _line([card], network)
            elif card.kind in TRAFOS and not _at_converter(card, network):
                _trafo(card, network)
            elif card.kind == "L+":
                _reactors(card, network)
        except CaseError as error:
            wrong.append(str(error))
    for several in sections.values():
        try:
            _line(sorted(several, key=lambda card: card.text("section")), network)
        except CaseError as error:
            wrong.append(str(error))
    return wrong


def _ends(card: Card, network: "BpaNetwork") -> tuple[int, int]:
    ends = network.find(card), network.find(card, "other", "other_kv")
    if ends[0] == ends[1]:
        msg = f"{card.where}: both ends are {card.text('bus')!r}"
        raise CaseError(msg)
    return ends


def _at_converter(card: Card, network: "BpaNetwork") -> bool:
    ends = ((card.text("bus"), card.number("base_kv")), (card.text("other"), card.number("other_kv")))
    return any(end in network.dc for end in ends)


def _impedance(card: Card) -> tuple[complex, str]:
    r_pu = card.number("r_pu")
    x_pu, note = without_jumper(r_pu, card.number("x_pu"))
    return complex(r_pu, x_pu), note


def _line(cards: Sequence[Card], network: "BpaNetwork") -> None:
    r"""Take a line or an equivalent; sections of one circuit, in their order, become one pi.

    .. math::
        \begin{bmatrix}A&B\\C&D\end{bmatrix} = \prod_k
        \begin{bmatrix}1+Z_kY_{2k} & Z_k\\ Y_{1k}+Y_{2k}+Z_kY_{1k}Y_{2k} & 1+Z_kY_{1k}\end{bmatrix}, \quad
        Z = B, \; Y_1 = (D-1)/B, \; Y_2 = (A-1)/B

    with :math:`Y_1` at the first end (P. Kundur, *Power System Stability and Control*, section 6.1).
    """
    first, grid = cards[0], network.grid
    one, other = _ends(first, network)
    a, b, c, d = 1.0 + 0j, 0j, 0j, 1.0 + 0j
    notes: list[str] = []
    for card in cards:
        z, note = _impedance(card)
        y1, y2 = _shunts(card)
        if _ends(card, network) != (one, other):
            y1, y2 = y2, y1
        s = (1 + z * y2, z, y1 + y2 + z * y1 * y2, 1 + z * y1)
        a, b, c, d = a * s[0] + b * s[2], a * s[1] + b * s[3], c * s[0] + d * s[2], c * s[1] + d * s[3]
        notes += [note] if note else []
    y1, y2 = (d - 1) / b, (a - 1) / b
    if len(cards) > 1:
        notes.append(f"{len(cards)} sections as one")
    ratings_a = [card.number("rating_a") for card in cards if card.number("rating_a") > 0.0]
    kv, key = grid.buses[one].vn_kv, first.text("circuit") or "1"
    even = len(cards) == 1 and first.kind == "L"
    branch = Branch(
        one=one,
        other=other,
        key=key,
        r_pu=b.real,
        x_pu=b.imag,
        b_pu=2.0 * _shunts(first)[0].imag if even else 0.0,
        rating_mva=math.sqrt(3.0) * kv * min(ratings_a, default=0.0) / 1e3,
        note="; ".join(notes),
    )
    grid.branches.append(branch)
    y1, y2 = (complex(_shunts(first)[0].real),) * 2 if even else (y1, y2)
    for end, bus, y in ((1, one, y1), (2, other, y2)):
        _admittance(bus, f"{_tag(branch, network)}_{end}", y, network, "shunt at the end of the line")


def _tag(branch: Branch, network: "BpaNetwork") -> str:
    buses = network.grid.buses
    key = "" if branch.key == "1" else f"_{branch.key}"
    return f"{buses[branch.one].name}_{buses[branch.other].name}{key}"


def _shunts(card: Card) -> tuple[complex, complex]:
    """Return the admittances at both ends of a section."""
    first = complex(card.number("g_pu"), card.number("b_pu"))
    if card.kind == "E":
        return first, complex(card.number("other_g_pu"), card.number("other_b_pu"))
    return first, first


def _admittance(bus: int, key: str, y: complex, network: "BpaNetwork", note: str) -> None:
    base = network.grid.base_mva
    if abs(y) > 1e-12:
        network.grid.shunts.append(Shunt(bus, key, y.real * base, -y.imag * base, note=note))


def _reactors(card: Card, network: "BpaNetwork") -> None:
    """Take the reactors of a line, which draw their power at the base voltage."""
    for name, bus in zip(("mvar", "other_mvar"), _ends(card, network), strict=True):
        mvar = card.number(name)
        if mvar:
            key = f"reactor_{card.text('bus')}_{card.text('other')}_{card.text('circuit') or 1}"
            network.grid.shunts.append(Shunt(bus, key, 0.0, mvar, note=f"line reactor, card {card.kind}"))


def _trafo(card: Card, network: "BpaNetwork") -> None:
    """Take a transformer, or a phase shifter: a TP card, or a T card without a second tap."""
    one, other = _ends(card, network)
    grid = network.grid
    if card.has("section"):
        msg = f"{card.where}: a transformer in sections (allowed: column 33 blank)"
        raise CaseError(msg)
    z, note = _impedance(card)
    kv, other_kv = grid.buses[one].vn_kv, grid.buses[other].vn_kv
    tap, other_tap = card.number("tap"), card.number("other_tap")
    shifts = card.kind == "TP" or other_tap == 0.0
    ratios = 1.0 if shifts else tap / kv, other_tap / other_kv if other_tap else 1.0
    if min(ratios) <= 0.0:
        msg = f"{card.where}, columns 63-72: taps {tap:g} and {other_tap:g} kV (allowed: above 0)"
        raise CaseError(msg)
    branch = Branch(
        one=one,
        other=other,
        key=card.text("circuit") or "1",
        r_pu=z.real,
        x_pu=z.imag,
        tap_one=ratios[0],
        tap_other=ratios[1],
        shift_degree=tap if shifts else 0.0,
        transformer=True,
        rating_mva=card.number("rating_mva"),
        note=note,
    )
    grid.branches.append(branch)
    half = complex(card.number("g_pu"), -abs(card.number("b_pu"))) / 2.0 / (ratios[0] * ratios[1])
    for end, bus in ((1, one), (2, other)):
        _admittance(bus, f"{_tag(branch, network)}_{end}", half, network, "magnetising branch")
