"""What the kernels of a line-commutated station read and write: parameters, states, signals, memory."""

from typing import Any

from pydantic import Field

from cosim.core.params import Params
from grids.dynamics.device import rows


class HvdcLccParams(Params):
    """One converter station, per unit of the link's rated power, direct voltage and current."""

    partner: str = Field(default="", description="element of the other end; empty where that is elsewhere")
    p_rated_mw: float = Field(gt=0, description="rated power of all poles, at the rectifier")
    xc_pu: float = Field(
        default=0.18, gt=0, le=0.5, description="commutating reactance, on the converter transformer"
    )
    alpha_degree: float = Field(default=15, gt=0, lt=90, description="firing angle at the operating point")
    alpha_min_degree: float = Field(default=5, ge=0, lt=90, description="smallest firing angle")
    gamma_degree: float = Field(default=17, gt=0, lt=90, description="extinction angle the inverter holds")
    gamma_fail_degree: float = Field(
        default=7, gt=0, lt=90, description="extinction angle below which the commutation fails"
    )
    r_pu: float = Field(
        default=0.05,
        ge=0,
        lt=0.25,
        description="line resistance of a lone terminal's link; partners lose what the operating point says",
    )
    i_max_pu: float = Field(default=1.1, gt=0, description="largest current of a pole")
    i_margin_pu: float = Field(default=0.1, gt=0, lt=1, description="current margin of the inverter")
    vdcol_low_pu: float = Field(default=0.4, ge=0, description="direct voltage with the least current limit")
    vdcol_high_pu: float = Field(default=0.9, gt=0, description="direct voltage from which all is allowed")
    vdcol_i_pu: float = Field(default=0.55, gt=0, description="least current limit")
    t_current_s: float = Field(default=0.02, gt=0, description="lag of the current control")
    t_vdc_s: float = Field(default=0.02, gt=0, description="lag of the direct voltage along the line")
    t_angle_s: float = Field(default=0.02, gt=0, description="lag of the inverter's angle control")
    ramp_pu_per_s: float = Field(default=0.1, gt=0, description="ramp of the scheduled power")
    t_recover_s: float = Field(
        default=0.3, gt=0, description="ramp of the current from none to all after a block or failure"
    )
    t_fail_s: float = Field(default=0.05, ge=0, description="shortest commutation failure")
    v_recover_pu: float = Field(
        default=0.85, gt=0, lt=1, description="voltage over that before at which commutation resumes"
    )
    t_filter_s: float = Field(default=0.2, ge=0, description="delay of switching filters")
    filter_count: int = Field(
        default=0,
        ge=0,
        description="banks switched to hold the reactive power of the start; 0: by poles alone",
    )
    kf_pu: float = Field(default=0, ge=0, description="frequency support: power per frequency deviation")
    f_band_pu: float = Field(default=0.002, ge=0, description="its dead-band")
    kf_max_pu: float = Field(default=0.1, ge=0, description="its limit")


DERIVED = (
    "ratio", "rectifier", "master", "other", "line", "no_load", "v0", "q0", "filter_b", "far", "cos_min",
    "cos_ref", "cos_fail",
)  # fmt: skip
STATES = ("order", "vdc", "current", "cos_beta", "available")
READS = ("pref", "ramp", "poles", "pmod", "vfar")
WRITES = ("p", "q", "vd", "id", "angle", "failing")
MEMORY = ("poles", "filters", "switch_s", "failing", "fail_s", "failures", "news")

P: Any = rows(HvdcLccParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)
Z: Any = rows(MEMORY)

IDLE_PU = 0.05
"""Current below which a bridge has nothing to commutate."""
