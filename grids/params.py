"""Parameters of the engines: the `grid:` block of a scenario, and its windows."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from cosim.core.params import Params
from grids.guard.params import GuardParams


class GridSource(Params):
    """A grid case, several of them or a pandapower network, and what to do where it has no solution."""

    paths: ClassVar[tuple[str, ...]] = ("case", "cases", "network")
    """What may name a folder or file beside the scenario."""

    case: str | None = Field(default=None, description="name or folder of a grid case")
    cases: list[str] | None = Field(
        default=None, min_length=1, description="names or folders of several cases, joined to one network"
    )
    network: str | None = Field(
        default=None,
        description="any pandapower net instead: .json, .xlsx, or a function of pandapower.networks",
    )
    point: str | None = Field(
        default=None, description="operating point of the case; default: the case's own"
    )
    on_no_solution: Literal["continue", "stop"] = Field(
        default="continue", description="whether a step without solution ends the run"
    )

    guard: GuardParams | None = Field(
        default=None, description="limits for those who ask for leave to draw more; none: they may"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.case, self.cases, self.network].count(None) != 2:
            msg = "give one of case, cases and network"
            raise ValueError(msg)
        if self.network is not None and self.point is not None:
            msg = "point: a pandapower network has one operating point, leave it out"
            raise ValueError(msg)
        return self


class PowerFlowParams(GridSource):
    """A grid case or pandapower network, stepped by AC power flow and area frequency."""

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


class RmsWindowParams(Params):
    """How machines, controls and loads are integrated."""

    inner_step_s: float = Field(
        default=1 / 120,
        gt=0,
        le=0.05,
        description="inner step; shortened evenly so that every exchange and event is met exactly",
    )
    method: Literal["rk4", "heun"] = Field(
        default="rk4",
        description="integrator; heun takes half the work and ten times the error after a fault",
    )
    loads: Literal["impedance", "current", "power"] = Field(
        default="power",
        description="kind of the case's loads without a dynamic model; in the power flow they are powers",
    )
    load_damping: bool = Field(
        default=True, description="such loads follow frequency as load_damping_pu of their area says"
    )
    secondary: bool = Field(
        default=True, description="AGC of the area model gives orders to the governors; they follow the plan"
    )
    tolerance_pu: float = Field(
        default=1e-8,
        gt=0,
        le=1e-3,
        description="change of voltage at which non-linear injections have settled",
    )


class RmsParams(GridSource, RmsWindowParams):
    """A grid case with dynamic tables, every machine, control and load integrated."""

    loads: Literal["impedance", "current", "power"] = Field(
        default="impedance",
        description="kind of the case's loads without a dynamic model; connected units draw constant power",
    )
    q_limits: bool = Field(
        default=True, description="machines leave their set-point at reactive limits in the operating point"
    )
