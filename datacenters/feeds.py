"""What a hall's power passes besides its supply: the transformer, and feeds of the cooling plant."""

from typing import Any

from pydantic import Field

from cosim.core.params import Params


class Transformer(Params):
    r"""Transformer between a hall and its connection point: :math:`P_0 + P_k\,(P/S_n)^2`, both of rating."""

    no_load_pu: float = Field(
        default=0.001, ge=0, lt=0.05, description="no-load loss, of rating (unconfirmed)"
    )
    load_pu: float = Field(
        default=0.009, ge=0, lt=0.1, description="load loss at rating, 0.8-1 % (unconfirmed)"
    )


class MechanicalFeed(Params):
    """Feed of chillers and heat-rejection fans: contactors drop with the voltage, a timer starts them again.

    Pumps and room fans stay with the racks. Defaults (unconfirmed).
    """

    drop_low_pu: float = Field(default=0.7, gt=0, lt=1, description="voltage below which contactors drop")
    drop_s: float = Field(default=0.02, ge=0, description="how long it must be low")
    good_low_pu: float = Field(default=0.9, gt=0, lt=1, description="lowest voltage they close at")
    restart_s: float = Field(
        default=5.0, ge=0, description="how long the voltage must be good before they do"
    )

    def device(self, rated_mva: float) -> dict[str, Any]:
        """Return the parameters of the `electronic_load` that stands for drives behind contactors."""
        return {
            "sn_mva": rated_mva,
            "tv_s": 0.0,
            "tdrop_s": 0.0,
            "vcease_pu": self.drop_low_pu,
            "tcease_s": self.drop_s,
            "vrecon_pu": self.good_low_pu,
            "trecon_s": self.restart_s,
            "rrecon_pu_per_s": 1.0,
            "vcnt_pu": 0.0,
            "nmax_count": 0,
        }
