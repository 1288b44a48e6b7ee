"""How a hall is supplied: its parameters, and the devices that stand for it where a grid integrates such."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic import Field, model_validator

from cosim.core.component import DeviceInput, DeviceOffer, DevicePart, DeviceReport
from cosim.core.params import Params
from datacenters.feeds import MechanicalFeed, Transformer
from datacenters.psu import Psu
from datacenters.ride_through import Curve
from datacenters.smoothing import Smoothing
from datacenters.store import Store
from datacenters.ups import Setting, Ups

MARGIN_PU = 1.3
"""Rating of a hall's supply over its IT power: room for cooling, losses and recharging (unconfirmed)."""
PLANT_PU = 0.5
"""Rating of its mechanical feed over its IT power (unconfirmed)."""
UPS_INPUTS = {"ups_reset_code": DeviceInput("reset", base=1.0)}
REPORTS = {
    "connected_pu": DeviceReport("connected_pu", rest=1.0),
    "ceased_count": DeviceReport("ceased_count"),
}
FEED_REPORTS = {"feed_pu": DeviceReport("connected_pu", rest=1.0)}
NEVER_CEASES = {"vcease_pu": 0.0, "vcnt_pu": 0.0, "nmax_count": 0, "vhigh_pu": 10.0}
WHOLE = ("order_mw", "order_mvar")
RACKS, PLANT = ("order_racks_mw", "order_racks_mvar"), ("order_plant_mw", "order_plant_mvar")


class SupplyParams(Params):
    """How one hall is supplied."""

    power_factor_pu: float = Field(
        default=0.98, gt=0.5, le=1, description="lagging, at the connection point (unconfirmed)"
    )
    transformer: Transformer = Field(default=Transformer(), description="its losses")
    smoothing: Smoothing | None = Field(
        default=None, description="power floor, ramp limits and capacitors as racks have them; none: neither"
    )
    ups: Ups | None = Field(
        default=None,
        description="supply of the whole hall with batteries; none: its losses, but it draws through any dip",
    )
    psu: Psu | None = Field(
        default=None,
        description="power supplies of the racks: without `ups` they face the grid; none: they bridge 12 ms",
    )
    mechanical_feed: MechanicalFeed | None = Field(
        default=None, description="feed of chillers and heat-rejection fans; none: they are with the racks"
    )

    @model_validator(mode="after")
    def _one_faces_the_grid(self) -> Self:
        if self.ups is None or self.psu is None:
            return self
        findings = []
        if self.psu.battery is not None:
            findings.append("a hall has batteries in `ups` or in its racks (`psu.battery`), not both")
        if self.psu.ride_through is not None:
            findings.append(
                f"psu.ride_through={self.psu.ride_through!r}: power supplies behind an `ups` do not face the"
                " grid; give the curve to `ups`"
            )
        if findings:
            raise ValueError("; ".join(findings))
        return self

    def store(self) -> Store | None:
        """Return the battery that carries the hall."""
        return self.ups if self.ups is not None or self.psu is None else self.psu.battery


def offered(
    params: SupplyParams, settings: Sequence[Setting], curve: Curve | None, rated_mw: float
) -> DeviceOffer | None:
    """Return the devices of one hall: groups of its supply or its racks, and its mechanical feed.

    Parameters
    ----------
    params
        The hall.
    settings
        Of the groups of its `ups`.
    curve
        Its ride-through curve.
    rated_mw
        IT power with every accelerator busy.
    """
    rated_mva, apart = MARGIN_PU * rated_mw, params.mechanical_feed
    ports = WHOLE if apart is None else RACKS
    parts: list[DevicePart] = []
    if params.ups is not None:
        share = 1.0 / len(settings)
        parts = [
            _part(f"ups {k + 1}", params.ups.device(one, share * rated_mva, curve), ports, share, UPS_INPUTS)
            for k, one in enumerate(settings)
        ]
    elif params.psu is not None:
        parts = [_part("racks", params.psu.device(rated_mw, rated_mva, curve), ports)]
    elif apart is not None:
        parts = [_part("racks", {"sn_mva": rated_mva, **NEVER_CEASES}, ports)]
    if apart is not None:
        parts.append(_part("plant", apart.device(PLANT_PU * rated_mw), PLANT, reports=FEED_REPORTS))
    if not parts:
        return None
    if len(parts) == 1:
        return DeviceOffer(parts[0].models, parts[0].inputs, parts[0].reports)
    return DeviceOffer.of(parts)


def _part(
    name: str,
    device: Mapping[str, Any],
    ports: tuple[str, str],
    share_pu: float = 1.0,
    more: Mapping[str, DeviceInput] | None = None,
    *,
    reports: Mapping[str, DeviceReport] | None = None,
) -> DevicePart:
    """Return an electronic load with its share of a hall's power."""
    inputs = {ports[0]: DeviceInput("p_set_pu"), ports[1]: DeviceInput("q_set_pu"), **(more or {})}
    return DevicePart(name, share_pu, {"electronic_load": device}, inputs, reports or REPORTS, ports)
