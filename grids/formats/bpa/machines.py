"""Machines and loads of a PSD-BPA stability file as rows of our dynamic tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grids.formats.bpa.cards import Card
from grids.formats.bpa.network import BpaNetwork
from grids.formats.bpa.stability import machine_card
from grids.formats.tables import Cell

LEAKAGE_PU = 0.6
"""Leakage over sub-transient reactance where the card has none (unconfirmed)."""
SUBTRANSIENT = {"td20_s": 0.05, "tq20_s": 0.07}
SUBTRANSIENT_PU = 0.8
"""Times, and reactance over the transient one, for a machine without an M card (unconfirmed)."""


@dataclass
class Made:
    """A row of a dynamic table: `evidence` says whether it is the card, follows from it, or is typical."""

    table: str
    row: dict[str, Cell]
    evidence: str = "published"
    why: str = ""
    """What it stands for, where it is not the same model."""
    wrong: list[str] = field(default_factory=list)


def machine(cards: Mapping[str, Card], base_mva: float, *, replace: bool) -> Made | None:
    """Return the machine of a unit; None where it has no card with its inertia.

    Without an M card a machine of the d- and q-axis has no sub-transient data: an error, or with `replace`
    typical values. An MC card without synchronous reactances is a voltage behind the transient one. Where no
    card has a base it is that of the system, `base_mva`.
    """
    card = machine_card(cards)
    if card is None:
        return None
    sub = cards.get("M")
    sn_mva = card.number("mva") or (sub.number("mva") if sub else 0.0) or base_mva
    row: dict[str, Cell] = {
        "sn_mva": sn_mva,
        "h_s": card.number("energy_mws") / sn_mva,
        "d_pu": card.number("d_pu"),
        "ra_pu": card.number("ra_pu"),
        "xd1_pu": card.number("xd1_pu"),
    }
    if card.number("xd_pu") == 0.0:
        return Made("gencls", row)
    made = _axes(card, row)
    return _subtransient(made, sub, card, replace=replace)


def _axes(card: Card, row: dict[str, Cell]) -> Made:
    row |= {name: card.number(name) for name in ("xd_pu", "xq_pu", "td10_s")}
    round_rotor = card.number("tq10_s") > 0.0 and card.number("xq1_pu") > 0.0
    if round_rotor:
        row |= {name: card.number(name) for name in ("xq1_pu", "tq10_s")}
    if card.kind == "MG":
        ratio = card.number("sat_b") / (card.number("sat_a") or 1.0)
        return Made(
            "genrou" if round_rotor else "gensal",
            {**row, "s10_pu": ratio, "s12_pu": ratio * 1.2 ** (card.number("sat_n", 1.0) - 1.0)},
            why="saturation S(e) = b/a e^(n-1) through its points at 1.0 and 1.2 pu (unconfirmed)"
            if ratio
            else "",
        )
    row |= {name: card.number(name) for name in ("s10_pu", "s12_pu", "xl_pu")}
    return Made("genrou" if round_rotor else "gensal", row)


def _subtransient(made: Made, sub: Card | None, card: Card, *, replace: bool) -> Made:
    row, notes = made.row, [made.why] if made.why else []
    if sub is not None:
        xd2, xq2 = sub.number("xd2_pu"), sub.number("xq2_pu") or sub.number("xd2_pu")
        row |= {"xd2_pu": (xd2 + xq2) / 2.0, "td20_s": sub.number("td20_s"), "tq20_s": sub.number("tq20_s")}
        if xd2 != xq2:
            notes.append(f"x'' is the mean of {xd2:g} and {xq2:g} pu")
    elif replace:
        row |= {**SUBTRANSIENT, "xd2_pu": SUBTRANSIENT_PU * card.number("xd1_pu")}
        notes.append("no M card: sub-transient values are typical (unconfirmed)")
        made.evidence = "synthetic"
    else:
        what = "no M card with its sub-transient values; --replace takes typical ones"
        made.wrong.append(f"{card.where}: {card.text('bus')!r} has {what}")
    if not float(row.get("xl_pu", 0.0)):
        row["xl_pu"] = LEAKAGE_PU * float(row.get("xd2_pu", 0.0))
        notes.append(f"leakage is {LEAKAGE_PU:g} x'' (unconfirmed)")
    made.why = "; ".join(notes)
    return made


SHARES = {"p": ("pz_pu", "pi_pu", "pp_pu"), "q": ("qz_pu", "qi_pu", "qp_pu")}


def load_mixture(cards: Sequence[Card], network: BpaNetwork, bus: int) -> tuple[Card | None, dict[str, Cell]]:
    """Return the card that says most about the loads at a bus, and its shares.

    A card for the bus goes before one for its zone, then its area, then for all.
    """
    zone = network.zone[bus]
    ranked = [(_rank(card, network, bus, zone), card) for card in cards]
    best = min((pair for pair in ranked if pair[0] < 9), default=(9, None), key=lambda pair: pair[0])[1]
    if best is None:
        return None, {}
    row: dict[str, Cell] = {name: best.number(name) for names in SHARES.values() for name in names}
    return best, {**row, "kpf_pu": best.number("kpf_pu"), "kqf_pu": best.number("kqf_pu")}


def _rank(card: Card, network: BpaNetwork, bus: int, zone: str) -> int:
    """Return how narrowly a card means a bus: 0 by name to 3 for all, 9 not at all."""
    if card.has("bus"):
        return 0 if network.number.get((card.text("bus"), card.number("base_kv"))) == bus else 9
    if card.has("zone"):
        return 1 if card.text("zone") == zone else 9
    if card.has("area"):
        return 2 if card.text("area") == network.area.get(zone) else 9
    return 3


def mixture_faults(card: Card) -> list[str]:
    """Return what is wrong with the shares of a load card."""
    wrong = []
    for letter, names in SHARES.items():
        total = sum(card.number(name) for name in names)
        if abs(total - 1.0) > 5e-3 or card.number(f"{letter}f_pu"):
            what = "constant impedance, current and power sum to 1, columns 58-67 blank"
            wrong.append(f"{card.where}: shares of {letter.upper()} sum to {total:g} (allowed: {what})")
    return wrong
