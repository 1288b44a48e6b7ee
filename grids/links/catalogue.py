"""The direct-current links of China, for maps and totals; the links of a case are in its links.csv."""

import csv
from functools import cache
from typing import Literal

from pydantic import Field

from cosim.core.params import Params
from grids.plants import DATA


class CatalogueLink(Params):
    """One row of grids/data/links.csv."""

    name: str = Field(description="sending end - receiving end")
    name_zh: str = Field(description="Chinese short names")
    kind: Literal["lcc", "vsc", "b2b"] = Field(description="converters; b2b: line-commutated, back to back")
    vn_kv: float = Field(gt=0, description="direct voltage of a pole")
    sn_mw: float = Field(gt=0, description="rating of all poles")
    poles_count: int = Field(ge=1, description="poles, of all blocks")
    length_km: float = Field(ge=0, description="length of the line")
    loss_percent: float = Field(ge=0, lt=30, description="losses at rated power")
    from_area: str = Field(description="synchronous area of the sending end")
    from_province: str = Field(description="its province")
    from_station: str = Field(description="its station")
    from_lat_degree: float = Field(ge=-90, le=90, description="its latitude")
    from_lon_degree: float = Field(ge=-180, le=180, description="its longitude")
    to_area: str = Field(description="synchronous area of the receiving end")
    to_province: str = Field(description="its province")
    to_station: str = Field(description="its station")
    to_lat_degree: float = Field(ge=-90, le=90, description="its latitude")
    to_lon_degree: float = Field(ge=-180, le=180, description="its longitude")
    commissioned: str = Field(description="year, month or day it went into operation, as far as known")
    status: Literal["operating", "construction"] = Field(description="what it is now")
    evidence: Literal["published", "derived", "synthetic"] = Field(description="kind of evidence")
    source: str = Field(min_length=1, description="where the row comes from")
    note: str = Field(description="what else is known")


@cache
def link_catalogue() -> tuple[CatalogueLink, ...]:
    """Return all links, in the order of the table."""
    with (DATA / "links.csv").open(encoding="utf-8") as file:
        return tuple(CatalogueLink.model_validate(row) for row in csv.DictReader(file))
