r"""Power supplies of racks without an uninterruptible supply, and the batteries racks may have themselves.

A supply unit draws constant power up to its current limit, then constant current; what is missing its
capacitor gives, :math:`\dot E = P_{in} - P_{out}`, for `hold_s` at no voltage and full load [1]_. With the
capacitor empty the racks drop; a rack battery takes over instead where there is one. Capacitor and limits are
those of the device `electronic_load`, which the grid integrates.

References
----------
.. [1] OCP M-CRPS specification: hold-up of at least 12 ms at 70 to 100 % of load; ORv3: 20 ms. (unconfirmed)
"""

from typing import Any

from pydantic import Field

from cosim.core.params import Params
from datacenters.ride_through import Curve
from datacenters.store import Store


class RackBattery(Store):
    """Battery shelves of racks, each of the power of its rack: ORv3 has 15 kW for about 4 min."""

    battery_min: float = Field(
        default=4.0, gt=0, description="time they carry the rated racks (unconfirmed: about 4 min)"
    )
    recharge_pu: float = Field(
        default=0.035,
        ge=0,
        le=1,
        description="power with which they are recharged, of rated: in 2 h (unconfirmed, 1 to 4 h)",
    )


class Psu(Params):
    """Power supplies of one hall's racks, towards the grid. Defaults (unconfirmed)."""

    hold_s: float = Field(
        default=0.012, gt=0, le=1, description="hold-up at rated load: 0.012 CRPS, 0.020 ORv3 (unconfirmed)"
    )
    current_limit_pu: float = Field(
        default=1.25, gt=1, le=3, description="largest input current, of that at rated load and 1 pu"
    )
    good_low_pu: float = Field(default=0.9, gt=0, lt=1, description="lowest voltage they start at")
    good_high_pu: float = Field(default=1.1, gt=1, description="highest voltage they start at")
    good_s: float = Field(
        default=1.0, ge=0, description="how long the voltage must be good before they start"
    )
    walk_in_s: float = Field(default=2.0, gt=0, description="ramp from nothing to all racks of the hall")
    ride_through: str | None = Field(
        default=None,
        description="curve beyond which racks let go, too: itic, semi_f47 or a CSV file; none: hold-up alone",
    )
    battery: RackBattery | None = Field(
        default=None, description="batteries in the racks; none: racks drop and restart"
    )

    def device(self, rated_mw: float, rated_mva: float, curve: Curve | None) -> dict[str, Any]:
        """Return the parameters of the `electronic_load` that stands for the racks.

        Parameters
        ----------
        rated_mw
            What the racks draw at most, which `hold_s` and the current limit refer to.
        rated_mva
            Rating of the device.
        curve
            The curve of `ride_through`.
        """
        stages = {"vcease_pu": 0.0, "vhigh_pu": 10.0} if curve is None else curve.device()
        return {
            **stages,
            "sn_mva": rated_mva,
            "tv_s": 0.0,
            "tdrop_s": 0.0,
            "imax_pu": self.current_limit_pu * rated_mw / rated_mva,
            "hold_s": self.hold_s * rated_mw / rated_mva,
            "vrecon_pu": self.good_low_pu,
            "vhrecon_pu": self.good_high_pu,
            "trecon_s": self.good_s,
            "rrecon_pu_per_s": 1.0 / self.walk_in_s,
            "vcnt_pu": 0.0,
            "nmax_count": 0,
        }
