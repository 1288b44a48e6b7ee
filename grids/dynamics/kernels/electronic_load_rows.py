"""What the kernels of the electronic load read and write: parameters, states, signals and memory."""

from typing import Any

from pydantic import Field

from cosim.core.params import Params
from grids.dynamics.device import rows


class ElectronicLoadParams(Params):
    """One load; powers are relative to its orders, currents to its rating. Defaults (unconfirmed)."""

    sn_mva: float = Field(
        default=0, ge=0, description="rating, base of imax_pu; 0: apparent power of the operating point"
    )
    tset_s: float = Field(default=0.02, gt=0, description="lag with which the load follows its orders")
    ti_s: float = Field(default=0.02, ge=0, description="lag with which the current control holds the power")
    tv_s: float = Field(default=0.02, ge=0, description="lag of the voltage measurement")
    tf_s: float = Field(default=0.05, gt=0, description="lag of the frequency measurement, taken twice")
    kvp_pu: float = Field(default=0, description="washout of the voltage into P: gain; 0 is constant power")
    tvp_s: float = Field(default=0, ge=0, description="its time constant")
    kvq_pu: float = Field(default=0, description="washout of the voltage into Q: gain")
    tvq_s: float = Field(default=0, ge=0, description="its time constant")
    kfp_pu: float = Field(default=0, description="change of P per frequency beyond the dead band")
    kfq_pu: float = Field(default=0, description="change of Q per frequency beyond the dead band")
    dbfl_pu: float = Field(default=-0.001, le=0, description="lower edge of the frequency dead band")
    dbfh_pu: float = Field(default=0.001, ge=0, description="upper edge of the frequency dead band")
    tap_s: float = Field(default=0, ge=0, description="lead of the P path")
    tbp_s: float = Field(default=0, ge=0, description="lag of the P path; 0 leaves the lead-lag out")
    taq_s: float = Field(default=0, ge=0, description="lead of the Q path")
    tbq_s: float = Field(default=0, ge=0, description="lag of the Q path; 0 leaves the lead-lag out")
    imax_pu: float = Field(default=1.15, gt=0, description="largest current")
    vmin_pu: float = Field(default=0.15, gt=0, lt=1, description="voltage below which the current fades")
    vcease_pu: float = Field(default=0.75, ge=0, description="voltage below which the load ceases")
    tcease_s: float = Field(default=0.02, ge=0, description="how long it must be below")
    vhigh_pu: float = Field(default=1.2, gt=1, description="voltage above which the load ceases")
    thigh_s: float = Field(default=0.5, ge=0, description="how long it must be above")
    fcease_pu: float = Field(default=1, ge=0, le=1, description="fraction that ceases")
    tdrop_s: float = Field(default=0.02, ge=0, description="time in which it ceases")
    vrecon_pu: float = Field(default=0.9, gt=0, description="voltage above which the load comes back")
    vhrecon_pu: float = Field(default=1.1, gt=0, description="and below which")
    trecon_s: float = Field(default=1.0, ge=0, description="how long it must be between them")
    frecon_pu: float = Field(
        default=1, ge=0, le=1, description="part of what ceased that comes back by itself"
    )
    rrecon_pu_per_s: float = Field(default=0.2, gt=0, description="rate at which it comes back")
    vcnt_pu: float = Field(default=0.75, ge=0, description="voltage below which a dip is counted")
    nmax_count: int = Field(default=3, ge=0, le=10, description="dips that lock out; 0 counts none")
    twin_s: float = Field(default=60.0, gt=0, description="window in which they are counted")
    vcease2_pu: float = Field(default=0, ge=0, description="second stage: ceases below; 0: none")
    tcease2_s: float = Field(default=0, ge=0, description="how long it must be below")
    vcease3_pu: float = Field(default=0, ge=0, description="third stage: ceases below; 0: none")
    tcease3_s: float = Field(default=0, ge=0, description="how long it must be below")
    vcease4_pu: float = Field(default=0, ge=0, description="fourth stage: ceases below; 0: none")
    tcease4_s: float = Field(default=0, ge=0, description="how long it must be below")
    vcease5_pu: float = Field(default=0, ge=0, description="fifth stage: ceases below; 0: none")
    tcease5_s: float = Field(default=0, ge=0, description="how long it must be below")
    vhigh2_pu: float = Field(default=0, ge=0, description="second stage: ceases above; 0: none")
    thigh2_s: float = Field(default=0, ge=0, description="how long it must be above")
    vhigh3_pu: float = Field(default=0, ge=0, description="third stage: ceases above; 0: none")
    thigh3_s: float = Field(default=0, ge=0, description="how long it must be above")
    hold_s: float = Field(default=0, ge=0, description="time its capacitors carry the rating; 0: none")
    tfill_s: float = Field(default=0.02, gt=0, description="time constant with which they are filled")


LOW_STAGES, HIGH_STAGES = 5, 3
"""Stages of a curve, the first of each with the plain names."""
KEPT = 10
"""Instants of dips kept: the largest `nmax_count`."""

DERIVED = ("omega_base", "rating", "left")
STATES = (
    "p_order",
    "q_order",
    "vi",
    "vm",
    "wash_p",
    "wash_q",
    "lead_p",
    "lead_q",
    "angle",
    "f",
    "fraction",
    "held",
)
READS = ("p_set_pu", "q_set_pu", "reset")
WRITES = ("p_load_pu", "q_load_pu", "connected_pu", "dips_count", "locked_out", "ceased_count")
MEMORY = (
    *("before", "low_s", "high_s", "back_s", "ceased", "level", "by_hand", "slope", "aim"),
    *("in_dip", "count", "locked", "news", "head", *(f"dip{i}" for i in range(KEPT))),
    *(f"low{i + 2}_s" for i in range(LOW_STAGES - 1)),
    *(f"high{i + 2}_s" for i in range(HIGH_STAGES - 1)),
    "ceasings",
)

P: Any = rows(ElectronicLoadParams, DERIVED)
X: Any = rows(STATES)
S: Any = rows(READS, WRITES)
Z: Any = rows(MEMORY)
