"""What a unit is to its campus, by what its kind publishes: a stranger's counts as ours does."""

from collections.abc import Iterable
from typing import Literal

Role = Literal["hall", "genset", "store", "source", "load"]

MARKS: dict[str, Role] = {
    "it_mw": "hall",
    "p_fuel_mw": "genset",
    "soc_pu": "store",
    "p_available_mw": "source",
}
"""Output port -> what a kind with it is; of several the first counts."""


def role(ports: Iterable[str]) -> Role:
    """Return what a kind with these output ports is: what has none of the marks is load.

    What burns fuel is a gen-set, what has a charge a store, what is offered power a source.
    """
    known = set(ports)
    return next((what for port, what in MARKS.items() if port in known), "load")
