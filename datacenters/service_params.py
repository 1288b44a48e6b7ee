"""What a service is, and how it may be wanted more than usual."""

from typing import Literal

from pydantic import Field

from cosim.core.params import Params


class Surge(Params):
    """Event `surge`: a service is wanted more than usual."""

    service: str = Field(description="name of the service")
    factor_pu: float = Field(
        ge=0, description="demand at the top over its mean; Azure code trace: 4.2 over a minute"
    )
    ramp_s: float = Field(default=60.0, gt=0, description="time up, and time down again")
    hold_s: float = Field(default=600.0, ge=0, description="time at the top")


class ServiceParams(Params):
    """A service: how much it is wanted, by whom, how near it must be, how it changes sites."""

    name: str = Field(description="what it is called")
    users: str = Field(description="place of its users, a row of the table of places")
    mean_gpu: float = Field(gt=0, description="accelerators its requests keep busy on average")
    latency_bound_ms: float = Field(gt=0, description="longest one-way latency between users and a site")
    requests: str = Field(
        default="steady",
        description="how requests come: as the Azure trace `conversation` or `code`, or `steady`",
    )
    services_count: int = Field(default=4, ge=1, description="independent streams of requests together")
    staged_at: tuple[str, ...] = Field(default=(), description="sites that hold its weights; none: all")
    weights_gb: float = Field(default=141.0, ge=0, description="70B in bf16: 141 GB (derived)")
    tokens_per_gpu_s: float = Field(
        default=638.0,
        gt=0,
        description="tokens an accelerator writes a second: 70B, four H100 with 64 requests (published fit)",
    )
    weight_pu: float = Field(
        default=1.0, gt=0, description="its share where several want the same accelerators"
    )
    patience_s: float = Field(default=30.0, ge=0, description="requests wait so long, then they are lost")
    moves_by: Literal["drain", "state"] = Field(
        default="drain",
        description="how sessions leave a site: `drain`: they end there, new ones begin elsewhere; `state`:"
        " it is copied",
    )
    session_s: float = Field(
        default=60.0, gt=0, description="mean time of a session: 10-120 s of inference (unconfirmed)"
    )
    session_gb_per_gpu: float = Field(
        default=6.6,
        ge=0,
        description="state of the sessions of a busy accelerator: 16 requests of 1,260 tokens (Azure 2023,"
        " conversation), 328 kB a token in a 70B model (derived)",
    )
    double_pu: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="part of leaving load that runs at both ends, for `double_s` or until its state has come"
        " (unconfirmed)",
    )
    double_s: float = Field(
        default=15.0, ge=0, description="time it does where sessions drain, mean (unconfirmed)"
    )
    cut_over_s: float = Field(
        default=1.0, ge=0, description="time moving sessions wait while routes change (unconfirmed)"
    )
    failover_s: float = Field(
        default=30.0,
        ge=0,
        description="time until users of a lost site are sent elsewhere: three failed checks 10 s apart, as"
        " Route 53 has it (published)",
    )
    calm_s: float = Field(
        default=900.0,
        ge=0,
        description="least time between two changes of the policy's mind: prices are settled each 15 minutes",
    )


class MoveService(Params):
    """Event `move_service`: a service is answered here from now on, as far as there is room."""

    service: str = Field(description="its name")
    share_pu: float = Field(default=1.0, gt=0, le=1, description="share of it that is, at least")
    over_s: float | None = Field(
        default=None,
        gt=0,
        description="time it has; refused where that is too short. None: as long as it takes",
    )
    back: bool = Field(default=False, description="where it goes is the policy's again")
