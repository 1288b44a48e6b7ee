"""What each direct-current link is scheduled to carry at the operating points all provinces share.

One table for both ends: the case that sends and the case that receives read the same row, so what arrives is
what was sent less the losses of `grids.links.kernels.losses`.
"""

import csv
from dataclasses import dataclass
from functools import cache

from grids.links.catalogue import CatalogueLink, link_catalogue
from grids.links.kernels.losses import line_loss_per_mw, received_mw
from grids.plants import DATA

STATION_PU = 0.0075
"""Losses of a converter station over what it is given: the default of `station_loss_percent` in links.csv."""

_POINT = "_mw"


@dataclass(frozen=True)
class LinkSchedule:
    """One row of grids/data/link_schedules.csv."""

    link: CatalogueLink
    p_mw: dict[str, float]
    """Drawn by the end that sends, by operating point; negative where the link runs towards its first end."""
    annual_twh: float | None
    """Energy a year the schedule stands for, where one is known; at the sending end."""
    evidence: str
    source: str

    def ends_mw(self, point: str) -> tuple[float, float]:
        """Return what both ends inject into their grids at an operating point [MW]: first, second end."""
        sn_mw, p_mw = self.link.sn_mw, self.p_mw[point]
        k_per_mw = line_loss_per_mw(sn_mw, self.link.loss_percent / 100.0, STATION_PU)
        arrives_mw = round(float(received_mw(abs(p_mw), 1.0, STATION_PU, k_per_mw)), 1)
        return (-p_mw, arrives_mw) if p_mw >= 0.0 else (arrives_mw, p_mw)


@cache
def link_schedules() -> dict[str, LinkSchedule]:
    """Return all schedules, by the name of their link."""
    known = {link.name: link for link in link_catalogue()}
    with (DATA / "link_schedules.csv").open(encoding="utf-8") as file:
        return {row["link"]: _schedule(row, known[row["link"]]) for row in csv.DictReader(file)}


def _schedule(row: dict[str, str], link: CatalogueLink) -> LinkSchedule:
    p_mw = {name[: -len(_POINT)]: float(cell) for name, cell in row.items() if name.endswith(_POINT)}
    annual_twh = float(row["annual_twh"]) if row["annual_twh"] else None
    return LinkSchedule(link, p_mw, annual_twh, row["evidence"], row["source"])


def link_of(element: str) -> str:
    """Return the link an injection named "A-B DC", or "A-B DC, layer", is an end of."""
    return element.split(", ", maxsplit=1)[0].removesuffix(" DC")
