"""Two-terminal direct-current links of a PSD-BPA file (BD, LD, and the T cards of their converters).

The converter equations are those of `grids.formats.converters`; power is metered where the LD card says, the
voltage is that of the rectifier, and angles are the ones of the schedule.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cosim.core.errors import CaseError
from grids.formats.bpa.cards import Card
from grids.formats.converters import tan_phi
from grids.formats.source import Injection, Link

if TYPE_CHECKING:
    from grids.formats.bpa.network import BpaNetwork

Node = tuple[str, float]


def take_dc(cards: Sequence[Card], network: "BpaNetwork") -> list[str]:
    """Add each link as two injections at its commutating buses; return what is wrong with cards."""
    stations = {(c.text("bus"), c.number("base_kv")): c for c in cards if c.kind == "BD"}
    wrong: list[str] = []
    for card in cards:
        if card.kind == "LD":
            try:
                _link(card, stations, cards, network)
            except CaseError as error:
                wrong.append(str(error))
    return wrong


def _link(card: Card, stations: Mapping[Node, Card], cards: Sequence[Card], network: "BpaNetwork") -> None:
    ends = [(card.text("bus"), card.number("base_kv")), (card.text("other"), card.number("other_kv"))]
    for end in ends:
        if end not in stations:
            msg = f"{card.where}: {end[0]!r} at {end[1]:g} kV has no BD card"
            raise CaseError(msg)
    p_mw = card.number("p_mw")
    if p_mw < 0.0:
        ends.reverse()
    i_ka, rectifier_kv, inverter_kv = _operation(card, abs(p_mw))
    name = f"{'_'.join(ends[0][0].split())}_{'_'.join(ends[1][0].split())}"
    sides = (
        ("rectifier", ends[0], rectifier_kv, "alpha_degree", -1.0),
        ("inverter", ends[1], inverter_kv, "gamma_degree", 1.0),
    )
    for side, end, v_kv, angle, sign in sides:
        station = stations[end]
        bus = network.find(station, "commutating", "commutating_kv")
        p_mw = sign * v_kv * i_ka
        q_mvar = 0.0
        if i_ka > 0.0:
            bridges = int(station.number("bridges")) or 1
            x_ohm = bridges * _reactance(end, cards, station) * end[1] ** 2 / network.grid.base_mva
            drop_kv = station.number("valve_drop_v") / 1e3
            q_mvar = -abs(p_mw) * tan_phi(
                card.where,
                bridges=bridges,
                x_ohm=x_ohm,
                angle_degree=card.number(angle),
                v_kv=v_kv,
                i_ka=i_ka,
                drop_kv=drop_kv,
            )
        note = f"{side} of {name}: {v_kv:.6g} kV, {i_ka * 1e3:.6g} A, {card.number(angle):g} degrees"
        network.grid.injections.append(Injection(bus, name, p_mw, q_mvar, "dc", note=note))
    buses = [network.find(stations[end], "commutating", "commutating_kv") for end in ends]
    sn_mw = max(card.number("rating_a") / 1e3 * rectifier_kv, rectifier_kv * i_ka)
    network.grid.links.append(Link(name, (buses[0], name), (buses[1], name), sn_mw, rectifier_kv))
    network.grid.remarks.append(
        f"{card.where}: link {name} is two injections and a row of links, its converter transformers "
        "are part of it"
    )


def _operation(card: Card, p_mw: float) -> tuple[float, float, float]:
    """Return current [kA] and voltages of rectifier and inverter [kV]."""
    v_kv, r_ohm = card.number("v_kv"), card.number("r_ohm")
    if not v_kv > 0.0:
        msg = f"{card.where}, columns 62-66: {v_kv:g} kV (allowed: above 0)"
        raise CaseError(msg)
    i_ka = p_mw / v_kv
    if card.text("metered").upper() == "I" and r_ohm > 0.0:
        square = v_kv * v_kv - 4.0 * r_ohm * p_mw
        if square < 0.0:
            msg = f"{card.where}, columns 57-61: {p_mw:g} MW cannot pass at {v_kv:g} kV and {r_ohm:g} ohm"
            raise CaseError(msg)
        i_ka = (v_kv - math.sqrt(square)) / (2.0 * r_ohm)
    return i_ka, v_kv, v_kv - r_ohm * i_ka


def _reactance(end: Node, cards: Sequence[Card], station: Card) -> float:
    """Return the reactance [pu] of all transformers of a converter, side by side."""
    inverse = 0.0
    for card in cards:
        if card.kind == "T":
            ends = (card.text("bus"), card.number("base_kv")), (card.text("other"), card.number("other_kv"))
            x_pu = card.number("x_pu")
            inverse += 1.0 / x_pu if end in ends and x_pu > 0.0 else 0.0
    if inverse == 0.0:
        msg = f"{station.where}: {end[0]!r} has no T card of a converter transformer"
        raise CaseError(msg)
    return 1.0 / inverse
