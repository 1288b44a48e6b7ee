"""The engine and alternator of a gen-set as dynamic models: what it is where the grid integrates them."""

from typing import Any

from pydantic import Field

from cosim.core.component import DeviceInput, DeviceOffer, DeviceReport
from cosim.core.params import Params

NO_MODEL = -1.0
"""What the gen-set hears of its breaker while no engine runs its model."""

LEAN_BURN: dict[str, Any] = {"h_s": 0.72, "k_per_s": 0.9, "t4_s": 2.0, "td_s": 0.6}
"""Where gas engines differ. Inertia: 710 kg m2 at 1000/min over 5.4 MVA (Caterpillar CG260-16, published,
secondary). Governor and lag of mixture and turbocharger are set so that a first load step of 16 % costs about
8 % of speed, as published for it."""


class Engine(Params):
    """Synchronous machine with engine, governor and voltage regulator, on the alternator's rating."""

    h_s: float = Field(default=1.0, gt=0, description="inertia constant H of the whole set (unconfirmed)")
    droop_pu: float = Field(
        default=0.04, gt=0, lt=0.2, description="speed per load between none and full (unconfirmed)"
    )
    k_per_s: float = Field(
        default=8.0, gt=0, description="gain of the governor's actuator, DEGOV1 (unconfirmed)"
    )
    t4_s: float = Field(default=0.25, ge=0, description="lead of the governor's actuator, DEGOV1")
    td_s: float = Field(default=0.024, ge=0, description="lag of the torque behind the throttle, DEGOV1")
    xd_pu: float = Field(default=2.2, gt=0, description="synchronous reactance, d-axis (unconfirmed)")
    xd1_pu: float = Field(default=0.2, gt=0, description="transient reactance (unconfirmed)")
    energises: bool = Field(
        default=False, description="closes onto a bus without voltage; else it waits for one"
    )
    f_nominal_hz: float = Field(default=50.0, gt=0, description="nominal frequency of the grid")

    def offer(self, p_rated_mw: float, s_rated_mva: float) -> DeviceOffer:
        """Return the device of a set with this rating.

        Actuator and control box: K. E. Yeager, J. R. Willis, *IEEE Trans. Energy Convers.* 8(3), 1993.
        """
        alternator = {
            "sn_mva": s_rated_mva,
            "h_s": self.h_s,
            "xl_pu": 0.4 * self.xd1_pu,
            "xd_pu": self.xd_pu,
            "xq_pu": 0.55 * self.xd_pu,
            "xd1_pu": self.xd1_pu,
            "xd2_pu": 0.7 * self.xd1_pu,
            "td10_s": 2.5,
            "td20_s": 0.03,
            "tq20_s": 0.03,
        }
        governor = {
            "sn_mva": p_rated_mw,
            "r_pu": self.droop_pu,
            "t1_s": 0.01,
            "t2_s": 0.02,
            "t3_s": 0.2,
            "k_per_s": self.k_per_s,
            "t4_s": self.t4_s,
            "t5_s": 0.009,
            "t6_s": 0.0384,
            "td_s": self.td_s,
            "tmax_pu": 1.1,
            "tmin_pu": 0.0,
        }
        regulator = {
            "ta_tb_pu": 0.1,
            "tb_s": 10.0,
            "k_pu": 100.0,
            "te_s": 0.1,
            "emin_pu": 0.0,
            "emax_pu": 5.0,
        }
        return DeviceOffer(
            models={
                "gensal": alternator,
                "degov1": governor,
                "sexs": regulator,
                "synchroniser": {"dead_bus_code": int(self.energises)},
            },
            inputs={
                "breaker_code": DeviceInput("close", base=1.0),
                "p_setpoint_mw": DeviceInput("paux", base=p_rated_mw / self.droop_pu, from_start=True),
                "p_accepted_mw": DeviceInput("ceiling"),
            },
            reports={
                "closed_code": DeviceReport("closed", rest=NO_MODEL),
                "p_drawn_mw": DeviceReport("p_mw"),
                "q_drawn_mvar": DeviceReport("q_mvar"),
            },
            f_nominal_hz=self.f_nominal_hz,
        )
