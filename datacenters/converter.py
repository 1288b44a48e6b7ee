"""The converter of a store as a dynamic model: following the grid's voltage, or forming it."""

from typing import Any, Literal

from pydantic import Field

from cosim.core.component import DeviceInput, DeviceOffer, DeviceReport
from cosim.core.params import Params

ENDLESS_S = 1e9
"""REEC_C counts the charge, too: here the battery does, so it must not run out there."""


class Converter(Params):
    """How a store behaves where the grid integrates dynamic models; its droop is the battery's."""

    control: Literal["following", "forming_droop", "forming_vsm"] = Field(
        default="following", description="REGC_A with REEC_C and REPC_A, REGFM_A1, or REGFM_B1"
    )
    current_limit_pu: float = Field(default=1.2, gt=0, le=3, description="of the rating (unconfirmed)")
    inertia_s: float = Field(default=3.0, gt=0, description="H of `forming_vsm` (unconfirmed)")
    droop_default_pu: float = Field(
        default=0.02,
        gt=0,
        description="frequency per power where the battery states no droop; forming needs one",
    )
    f_nominal_hz: float = Field(default=50.0, gt=0, description="nominal frequency of the grid")

    def offer(
        self, s_rated_mva: float, droop_mw_per_hz: float, deadband_hz: float, lag_s: float
    ) -> DeviceOffer:
        """Return the device of a store with this rating and droop.

        A grid-forming converter has no dead-band: it answers every deviation.
        """
        gain_pu = droop_mw_per_hz * self.f_nominal_hz / s_rated_mva
        band_pu = deadband_hz / self.f_nominal_hz
        models = {
            "following": lambda: self._following(s_rated_mva, gain_pu, band_pu, lag_s),
            "forming_droop": lambda: {"regfm_a1": self._forming(s_rated_mva, gain_pu)},
            "forming_vsm": lambda: {
                "regfm_b1": {**self._forming(s_rated_mva, gain_pu), "h_s": self.inertia_s}
            },
        }[self.control]()
        return DeviceOffer(
            models=models,
            inputs={
                "p_mw": DeviceInput("p_set_mw", base=-1.0),
                "q_mvar": DeviceInput("q_set_mvar", base=-1.0),
            },
            reports={"p_drawn_mw": DeviceReport("p_mw")},
            f_nominal_hz=self.f_nominal_hz if droop_mw_per_hz > 0.0 else None,
        )

    def _following(
        self, s_rated_mva: float, gain_pu: float, band_pu: float, lag_s: float
    ) -> dict[str, dict[str, Any]]:
        plant = {"plflag_code": 0, "kpg_pu": 1.0, "kig_per_s": 0.0, "kp_pu": 0.0, "ki_per_s": 0.0}
        return {
            "regc_a": {"sn_mva": s_rated_mva},
            "reec_c": {"imax_pu": self.current_limit_pu, "t_s": ENDLESS_S},
            "repc_a": {
                **plant,
                "dup_pu": gain_pu,
                "ddn_pu": gain_pu,
                "fdbd1_pu": -band_pu,
                "fdbd2_pu": band_pu,
                "femax_pu": 1.0,
                "femin_pu": -1.0,
                "tg_s": lag_s,
            },
        }

    def _forming(self, s_rated_mva: float, gain_pu: float) -> dict[str, Any]:
        droop_pu = 1.0 / gain_pu if gain_pu > 0.0 else self.droop_default_pu
        return {"sn_mva": s_rated_mva, "mp_pu": droop_pu, "imax_pu": self.current_limit_pu}
