"""Parameters of the power-flow engine: the `grid:` block of a scenario."""

from typing import Literal

from pydantic import Field, model_validator

from cosim.core.params import Params


class PowerFlowParams(Params):
    """A grid case or pandapower network, stepped by AC power flow and area frequency."""

    case: str | None = Field(default=None, description="name or folder of a grid case")
    network: str | None = Field(
        default=None,
        description="any pandapower net instead: .json, .xlsx, or a function of pandapower.networks",
    )
    point: str | None = Field(
        default=None, description="operating point of the case; default: the case's own"
    )
    on_no_solution: Literal["continue", "stop"] = Field(
        default="continue", description="whether a step without power flow solution ends the run"
    )
    inner_step_s: float = Field(
        default=0.02, gt=0, le=1, description="longest step of the area frequency's inner clock"
    )
    cross_check_every_count: int = Field(
        default=2000,
        ge=0,
        description="exchanges between two cross-checks by pandapower; 0: first and on doubt",
    )
    tolerance_mva: float = Field(
        default=1e-8, gt=0, le=1e-3, description="largest power mismatch of a solution (pandapower's default)"
    )
    tap_control: bool = Field(default=True, description="tap changers and switched shunts act")
    q_limits: bool = Field(default=True, description="machines leave their set-point at reactive limits")

    @model_validator(mode="after")
    def _one_source(self) -> "PowerFlowParams":
        if (self.case is None) == (self.network is None):
            msg = "give either case or network"
            raise ValueError(msg)
        if self.network is not None and self.point is not None:
            msg = "point: a pandapower network has one operating point, leave it out"
            raise ValueError(msg)
        return self
