"""Limits the guard holds: the `guard:` block of a grid."""

from typing import Literal

from pydantic import Field

from cosim.core.params import Params


class AfterLoss(Params):
    """What must hold after the loss of one line or transformer, before anybody acts."""

    vm_min_pu: float = Field(default=0.9, gt=0, lt=1, description="lowest voltage (unconfirmed)")
    vm_max_pu: float = Field(default=1.1, gt=1, description="highest voltage (unconfirmed)")
    line_percent: float = Field(default=100.0, gt=0, description="most a line may carry, of its rating")
    trafo_percent: float = Field(
        default=130.0, gt=0, description="the same of a transformer, for half an hour (unconfirmed)"
    )


class SwingParams(Params):
    """How the dynamic model is asked, where frequency is followed with it."""

    horizon_s: float = Field(default=20.0, ge=1, le=120, description="time rotors are followed for")
    vm_min_pu: float = Field(
        default=0.8,
        gt=0,
        lt=1,
        description="lowest voltage of any bus on the way; 0.8 may last 2 s by TPL-001-WECC-CRT (published)",
    )
    inner_step_s: float = Field(
        default=1 / 120, gt=0, le=0.05, description="inner step; in a window of rms, that of the window"
    )


class GuardParams(Params):
    """What must still hold when power that asks for leave has been added."""

    vm_min_pu: float = Field(default=0.95, gt=0, lt=1, description="lowest voltage of any bus")
    vm_max_pu: float = Field(default=1.08, gt=1, description="highest voltage of any bus")
    loading_percent: float = Field(default=100.0, gt=0, description="most of lines and transformers")
    after_loss: AfterLoss = Field(default=AfterLoss(), description="limits after a loss")
    contingencies_count: int = Field(
        default=5, ge=0, description="losses tried: the most loaded branches and those that load most"
    )
    df_hz: float = Field(
        default=0.1, gt=0, description="largest deviation from nominal frequency (unconfirmed)"
    )
    rocof_hz_per_s: float = Field(
        default=0.5, gt=0, description="largest rate of change over half a second (unconfirmed)"
    )
    horizon_s: float = Field(default=60.0, gt=1, description="time frequency is followed for")
    power_factor_pu: float = Field(
        default=0.98, gt=0.5, le=1, description="of what is added, lagging (unconfirmed)"
    )
    again_s: float = Field(
        default=10.0, ge=0, description="an unchanged request that did not fit is looked at again after this"
    )
    frequency: Literal["area", "rms"] = Field(
        default="area", description="model frequency is followed with: of areas, or every machine"
    )
    swings: SwingParams = Field(default=SwingParams(), description="how the dynamic model is asked (rms)")
