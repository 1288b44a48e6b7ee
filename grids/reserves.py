r"""An area written from what its operator says it holds: reserve products in MW instead of machines.

A dynamic product follows frequency through one lag. Its holding is what it delivers at `t_full_s` of the
operator's test, a fall by `full_hz` within `TEST_RAMP_S` that then stays. A lag of :math:`T` has by then

.. math:: r(t) = \begin{cases} (t - T(1 - e^{-t/T}))/t_r & t \le t_r \\
    1 - (T/t_r)(1 - e^{-t_r/T})\,e^{-(t - t_r)/T} & t > t_r \end{cases}

of what it settles at (time and :math:`t_r` counted from the edge of the dead-band), so the machines behind
it can give :math:`1/r` of the holding: installed against responding capacity, and why secondary exceeds
primary. A static product is a relay, or somebody who gives an order: all of its holding, once.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Literal

import numpy as np
from pydantic import Field

from cosim.core.errors import ScenarioError
from cosim.core.params import Params
from cosim.core.registry import nearest
from grids.fleet import GOVERNORS, Fleet
from grids.plants import DATA

TEST_RAMP_S = 10.0
"""How fast frequency falls in the test of a dynamic product."""


class ReserveProduct(Params):
    """One row of reserve_products.csv: a response an operator buys by the megawatt."""

    area: str = Field(description="synchronous area")
    title: str = Field(description="what it is")
    response: Literal["dynamic", "static"] = Field(description="follows frequency, or is switched")
    deadband_hz: float = Field(ge=0, le=1.5, description="deviation without response; of a relay its trigger")
    full_hz: float = Field(gt=0, description="deviation for all of it")
    t_full_s: float = Field(gt=0, description="when all of it has to be there")
    t_hold_s: float = Field(gt=0, description="how long it is kept; no limit in the model")
    t_delay_s: float = Field(ge=0, description="static: time beyond its trigger before it acts")
    status: str = Field(description="published or (unconfirmed)")
    source: str = Field(description="where the numbers come from")


@dataclass(frozen=True)
class Holding:
    """What an operator holds of one product."""

    product: str
    p_mw: float
    """What the test of the product delivers at `t_full_s`."""
    t_response_s: float
    """Lag of a dynamic product; ramp of a static one from nothing to all."""
    delivered_pu: float = 1.0
    """What comes of what is held."""
    trigger_error_hz: float = 0.0
    """How much earlier (> 0) than said the relay of a static product acts."""
    t_delay_s: float | None = None
    """What passes beyond the trigger of a static product before it acts; None: what the product says."""


@cache
def reserve_products() -> dict[str, ReserveProduct]:
    """Return all reserve products by name."""
    with (DATA / "reserve_products.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {row.pop("product"): ReserveProduct.model_validate(row) for row in rows}


def delivered_in_test(product: ReserveProduct, t_lag_s: float) -> float:
    """Return what share of its settled response a lag of `t_lag_s` gives at `t_full_s` of the test [pu]."""
    edge_s = TEST_RAMP_S * product.deadband_hz / product.full_hz
    ramp_s, t_s = TEST_RAMP_S - edge_s, max(product.t_full_s - edge_s, 0.0)
    if t_lag_s <= 0.0:
        return min(t_s / ramp_s, 1.0)
    if t_s <= ramp_s:
        return (t_s + t_lag_s * math.expm1(-t_s / t_lag_s)) / ramp_s
    behind = -(t_lag_s / ramp_s) * math.expm1(-ramp_s / t_lag_s)
    return 1.0 - behind * math.exp(-(t_s - ramp_s) / t_lag_s)


def fleet_of_rows(kinetic_mws: float, rows: Sequence[Mapping[str, float | str]]) -> Fleet:
    """Return one area's fleet: a row for all its kinetic energy, and `rows` that answer beside it.

    Parameters
    ----------
    kinetic_mws
        Kinetic energy at nominal frequency [MW s].
    rows
        Columns of `Fleet`, `governor` and `name` by name; what a row does not say is 0, and its schedule
        leaves room for all of it either way.
    """
    every: list[Mapping[str, float | str]] = [
        {"name": "inertia", "governor": "none", "sn_mva": kinetic_mws, "h_s": 1.0},
        *rows,
    ]
    columns = {
        field.name: np.array([float(row.get(field.name, 0.0)) for row in every])
        for field in fields(Fleet)
        if field.name not in {"name", "area", "online", "governor_code"}
    }
    rated = columns["p_rated_mw"]
    columns |= {"min_p_mw": -rated, "max_p_mw": rated.copy()}
    return Fleet(
        name=tuple(str(row["name"]) for row in every),
        area=np.zeros(len(every), dtype=np.int64),
        online=np.ones(len(every), dtype=np.bool_),
        governor_code=np.array([GOVERNORS.index(str(row["governor"])) for row in every], dtype=np.int64),
        **columns,
    )


def fleet_of_holdings(kinetic_mws: float, holdings: Sequence[Holding], f_nominal_hz: float = 50.0) -> Fleet:
    """Return the fleet of an area of which kinetic energy [MW s] and holdings are known.

    Raises
    ------
    ScenarioError
        When products are unknown; all at once.
    """
    known = reserve_products()
    wrong = [
        f"holding {held.product!r} is unknown (allowed: {', '.join(known)}).{nearest(held.product, known)}"
        for held in holdings
        if held.product not in known
    ]
    if wrong:
        raise ScenarioError("\n".join(wrong))
    rows = [_row(held, known[held.product], f_nominal_hz) for held in holdings]
    return fleet_of_rows(kinetic_mws, rows)


def _row(held: Holding, product: ReserveProduct, f_nominal_hz: float) -> dict[str, float | str]:
    row: dict[str, float | str] = {"name": held.product, "responding_pu": 1.0, "limit_up_pu": 1.0}
    if product.response == "static":
        return row | {
            "governor": "relay",
            "p_rated_mw": held.p_mw * held.delivered_pu,
            "deadband_hz": product.deadband_hz - held.trigger_error_hz,
            "rate_pu_per_s": 1.0 / max(held.t_response_s, 1e-3),
            "t_delay_s": product.t_delay_s if held.t_delay_s is None else held.t_delay_s,
        }
    settled_mw = held.p_mw * held.delivered_pu / delivered_in_test(product, held.t_response_s)
    return row | {
        "governor": "converter",
        "p_rated_mw": settled_mw,
        "droop_pu": (product.full_hz - product.deadband_hz) / f_nominal_hz,
        "deadband_hz": product.deadband_hz,
        "limit_down_pu": 1.0,
        "rate_pu_per_s": 1e3,
        "t_chest_s": held.t_response_s,
    }
